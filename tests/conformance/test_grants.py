"""`grants`: who may do what with a relation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conformance.shop import Shop
from support import postgres

NO_ROLES = pytest.mark.never("duckdb", "spark", "iceberg", raises=AssertionError, reason="no roles")
ROLES = ("shop_ann", "shop_bob", "Shop-Cy")


def model(grants: str, kind: str = "table", sql: str = "select 1 as id") -> str:
    return f"{{{{ config(materialized='{kind}', grants={grants}) }}}} {sql}"


def grants(shop: Shop, name: str = "m") -> set[tuple[str, str]]:
    """(privilege, role) of a relation, without those of its owner."""
    if shop.warehouse.name != "postgres":
        return set()
    rows = shop.warehouse.query(
        f"select lower(privilege_type), grantee from information_schema.role_table_grants "
        f"where table_schema = 'dev' and table_name = '{name}' and grantee <> current_user"
    )
    return {(privilege, role) for privilege, role in rows}


@pytest.fixture
def roles(shop: Shop) -> Iterator[Shop]:
    """A shop whose engine has three roles, where it can have any."""
    if shop.warehouse.name == "postgres":
        for role in ROLES:
            postgres.sql(
                postgres.server(),
                f'do $$ begin create role "{role}"; exception when duplicate_object then null; end $$',
            )
    yield shop
    if shop.warehouse.name == "postgres":
        for role in ROLES:
            shop.warehouse.query(f'drop owned by "{role}"')


@NO_ROLES
class TestGrants:
    """Grants of models, seeds and snapshots."""

    @pytest.mark.parametrize("kind", ["view", "table", "incremental"])
    def test_they_follow_the_config(self, roles: Shop, kind: str) -> None:
        roles.models(m=model("{'select': ['shop_ann', 'shop_bob']}", kind)).ok("run")
        assert grants(roles) == {("select", "shop_ann"), ("select", "shop_bob")}
        roles.models(m=model("{'select': 'shop_bob', 'insert': ['shop_bob']}", kind)).ok("run")
        assert grants(roles) == {("select", "shop_bob"), ("insert", "shop_bob")}
        roles.models(m=model("{'select': []}", kind)).ok("run")
        assert grants(roles) == set()

    def test_of_the_project_and_more(self, roles: Shop) -> None:
        project = "name: shop\nversion: '1.0'\nprofile: shop\nmodels: {+grants: {select: [shop_ann]}}\n"
        roles.write({"dbt_project.yml": project}).models(
            a=model("{'+select': ['shop_bob']}"), b=model("{'select': ['shop_bob']}"), c="select 1 as id"
        ).ok("run")
        assert grants(roles, "a") == {("select", "shop_ann"), ("select", "shop_bob")}
        assert grants(roles, "b") == {("select", "shop_bob")}
        assert grants(roles, "c") == {("select", "shop_ann")}

    def test_seeds_and_snapshots(self, roles: Shop) -> None:
        roles.write({
            "seeds/m.csv": "id\n1\n",
            "seeds/m.yml": "seeds: [{name: m, config: {grants: {select: [shop_ann]}}}]",
            "snapshots/h.yml": """
                snapshots:
                  - name: h
                    relation: ref('m')
                    config: {unique_key: id, strategy: check, check_cols: all, grants: {select: [shop_bob]}}
            """,
        })  # fmt: skip
        for _ in range(2):
            roles.ok("build")
            assert grants(roles, "m") == {("select", "shop_ann")}
            assert grants(roles, "h") == {("select", "shop_bob")}

    def test_a_name_that_needs_quotes(self, roles: Shop) -> None:
        roles.models(m=model("""{'select': ['"Shop-Cy"']}""", "incremental")).ok("run")
        assert grants(roles) == {("select", "Shop-Cy")}
        roles.models(m=model("{'select': ['shop_ann']}", "incremental")).ok("run")
        assert grants(roles) == {("select", "shop_ann")}

    @pytest.mark.parametrize("wrong", ["{'select': ['shop_nobody']}", "{'fly': ['shop_ann']}"])
    def test_one_that_cannot_be_is_the_models_error(self, roles: Shop, wrong: str) -> None:
        roles.models(m="{{ config(materialized='table') }} select 1 as id").ok("run")
        result = roles.models(m=model(wrong, sql="select 2 as id")).fails("run")["m"]
        assert result["status"] == "error"
        assert roles.rows("m") == [(1,)]

    def test_what_others_were_given_is_left_alone_without_a_config(self, roles: Shop) -> None:
        assert roles.warehouse.name == "postgres"
        sql = "{{ config(materialized='incremental') }} select 1 as id"
        roles.models(m=sql).ok("run")
        roles.warehouse.query("grant select on dev.m to shop_ann")
        roles.ok("run")
        assert grants(roles) == {("select", "shop_ann")}


class TestWithoutRoles:
    """An engine without roles: one project serves several engines."""

    @pytest.mark.never("postgres", raises=AssertionError, reason="it has roles")
    @pytest.mark.never(
        "spark", "iceberg", raises=AssertionError, reason="its catalog decides: Spark's own refuses the statement"
    )
    def test_a_warning_once(self, shop: Shop) -> None:
        ran = shop.models(a=model("{'select': ['x']}"), b=model("{'select': ['x']}")).run("run")
        assert ran.exit_code == 0, ran.err
        assert ran.err.count("Grants for relations are not supported by DuckDB") == 1
