"""Views, tables, ephemeral models: built, replaced, and left alone by a failure."""

from __future__ import annotations

import pytest
from conformance.shop import Shop

ROWS = "select 1 as id, 'a' as name union all select 2, 'b'"


ODD_NAMES = ("two words", "a-b", "ünï", "o'hara", 'say "hi"', "percent%s")
PLAIN_NAMES = pytest.mark.never(
    "spark", "iceberg", raises=AssertionError, reason="names of relations are letters of ASCII, digits and _"
)


KINDS = ["view", "table"]
REPLACED = [
    pytest.param(
        "view",
        marks=pytest.mark.notyet(
            "iceberg", raises=Exception, reason="Iceberg's session catalog answers with a replaced view's old text"
        ),
    ),
    "table",
]


class TestRelation:
    """One model, as a view and as a table."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_it_is_built(self, shop: Shop, kind: str) -> None:
        results = shop.models(a=f"{{{{ config(materialized='{kind}') }}}} {ROWS}").ok("run")

        assert results["a"]["status"] == "success"
        assert shop.kinds() == {"a": kind}
        assert shop.rows("a") == [(1, "a"), (2, "b")]

    @pytest.mark.parametrize("kind", REPLACED)
    def test_it_is_built_again(self, shop: Shop, kind: str) -> None:
        for number in (1, 2):
            shop.models(a=f"{{{{ config(materialized='{kind}') }}}} select {number} as id").ok("run")
            assert shop.rows("a") == [(number,)]
        assert shop.kinds() == {"a": kind}

    @pytest.mark.parametrize(("before", "after"), [("view", "table"), ("table", "view")])
    def test_the_other_kind_is_replaced(self, shop: Shop, before: str, after: str) -> None:
        for kind in (before, after):
            shop.models(a=f"{{{{ config(materialized='{kind}') }}}} select 1 as id").ok("run")
            assert shop.kinds() == {"a": kind}

    @pytest.mark.parametrize("kind", REPLACED)
    def test_other_columns(self, shop: Shop, kind: str) -> None:
        shop.models(a=f"{{{{ config(materialized='{kind}') }}}} select 1 as id").ok("run")
        shop.models(a=f"{{{{ config(materialized='{kind}') }}}} select 'x' as name, 2 as id").ok("run")
        assert shop.rows("a", "name, id") == [("x", 2)]

    def test_references_follow_each_other(self, shop: Shop) -> None:
        shop.models(
            a=ROWS,
            b="{{ config(materialized='table') }} select * from {{ ref('a') }} where id > 1",
            c="select count(*) as n from {{ ref('b') }}",
        ).ok("run")
        assert shop.rows("c") == [(1,)]

    def test_a_view_under_a_table_that_is_built_again(self, shop: Shop) -> None:
        files = {"a": "{{ config(materialized='table') }} select 1 as id", "b": "select * from {{ ref('a') }}"}
        shop.models(**files).ok("run")
        shop.models(**files).ok("run")
        assert shop.rows("b") == [(1,)]


class TestEphemeral:
    """Models that are part of others."""

    def test_it_is_inlined_and_leaves_nothing(self, shop: Shop) -> None:
        results = shop.models(
            a="{{ config(materialized='ephemeral') }} select 1 as id",
            b="{{ config(materialized='ephemeral') }} select id + 1 as id from {{ ref('a') }}",
            c="{{ config(materialized='table') }} select b.id, a.id as other from {{ ref('b') }} b, {{ ref('a') }} a",
        ).ok("run")
        assert set(results) == {"c"}
        assert shop.kinds() == {"c": "table"}
        assert shop.rows("c") == [(2, 1)]


class TestFailure:
    """What a model leaves when it fails."""

    @pytest.mark.parametrize("kind", ["table", "incremental"])
    def test_the_old_relation_stays(self, shop: Shop, kind: str) -> None:
        shop.models(a=f"{{{{ config(materialized='{kind}') }}}} select 1 as id", b="select * from {{ ref('a') }}").ok(
            "run"
        )
        broken = "select cast('x' || cast(count(*) as varchar(9)) as integer) as id from {{ this }}"
        results = shop.models(a=f"{{{{ config(materialized='{kind}') }}}} {broken}").fails("run")

        assert (results["a"]["status"], results["b"]["status"]) == ("error", "skipped")
        assert results["a"]["message"]
        assert results["b"]["message"] is None
        assert shop.rows("a") == [(1,)]
        assert set(shop.kinds()) == {"a", "b"}

    @pytest.mark.never("spark", "iceberg", raises=AssertionError, reason="no transactions")
    def test_a_failed_hook_undoes_the_model(self, shop: Shop) -> None:
        shop.models(a="{{ config(materialized='table') }} select 1 as id").ok("run")
        shop.models(a="{{ config(materialized='table', post_hook='select * from missing') }} select 2 as id").fails(
            "run"
        )
        assert shop.rows("a") == [(1,)]

    def test_what_does_not_depend_on_it_goes_on(self, shop: Shop) -> None:
        results = shop.models(a="select * from missing", b="select * from {{ ref('a') }}", c="select 1 as id").fails(
            "run"
        )
        assert {name: result["status"] for name, result in results.items()} == {
            "a": "error", "b": "skipped", "c": "success"
        }  # fmt: skip

    def test_leftovers_do_not_survive_the_next_run(self, shop: Shop) -> None:
        shop.models(a="{{ config(materialized='table') }} select 1 as id").ok("run")
        for name, kind in (("a__dbt_tmp", "table"), ("a__dbt_backup", "view")):
            shop.warehouse.query(f"create {kind} {shop.warehouse.table('dev', name)} as select 1 as id")
        shop.ok("run")
        assert shop.kinds() == {"a": "table"}


class TestNames:
    """Names that need quotes."""

    @pytest.mark.parametrize(
        "name",
        [
            pytest.param(
                "Mixed", marks=pytest.mark.never("spark", "iceberg", raises=AssertionError, reason="names are folded")
            ),
            "select",
            *(pytest.param(name, marks=PLAIN_NAMES) for name in ODD_NAMES),
        ],
    )
    def test_odd_identifiers(self, shop: Shop, name: str) -> None:
        alias = name.replace("\\", "\\\\").replace("'", "\\'")
        for kind in ("view", "table", "table"):
            shop.models(
                a=f"{{{{ config(materialized='{kind}', alias='{alias}') }}}} select 1 as id",
                b="select * from {{ ref('a') }}",
            ).ok("run")
            assert shop.kinds() == {name: kind, "b": "view"}
            assert shop.rows("b") == [(1,)]

    def test_columns_that_need_quotes(self, shop: Shop) -> None:
        column = '"Select Me"'
        sql = f"{{{{ config(materialized='incremental', unique_key='id') }}}} select 1 as id, 2 as {column}"
        shop.models(a=sql).ok("run")
        shop.ok("run")
        assert set(shop.rows("a", column)) == {(2,)}  # with a key or without one

    def test_schemas_of_their_own(self, shop: Shop) -> None:
        shop.models(a="{{ config(schema='Extra') }} select 1 as id", b="select * from {{ ref('a') }}").ok("run")
        assert shop.kinds("dev_Extra") == {"a": "view"}
        assert shop.rows("b") == [(1,)]


class TestHooks:
    """Hooks of models and of the run."""

    def test_they_run_in_their_order(self, shop: Shop) -> None:
        log = "dev.hook_log"
        shop.write(
            {
                "dbt_project.yml": f"""
                name: shop
                version: '1.0'
                profile: shop
                on-run-start: ["create table if not exists {log} (what varchar(50))"]
                on-run-end:
                  - "insert into {log} select 'end {{{{ results[0].status }}}} {{{{ schemas[0] }}}}'"
                """
            }
        ).models(
            a=f"""
            {{{{ config(
                materialized='table',
                pre_hook=[before_begin("insert into {log} select '1'"), "insert into {log} select '2'"],
                post_hook=["insert into {log} select '3' from {{{{ this }}}}", after_commit("insert into {log} select '4'")]
            ) }}}}
            select 1 as id
            """
        ).ok("run")
        assert shop.rows("hook_log") == [("1",), ("2",), ("3",), ("4",), ("end success dev",)]


class TestConcurrency:
    """Eight threads on one database."""

    def test_many_models(self, shop: Shop) -> None:
        shop.threads = 8
        files: dict[str, str] = {}
        for i in range(10):
            kind = "table" if i % 2 else "view"
            files[f"a{i}"] = f"{{{{ config(materialized='{kind}') }}}} select {i} as id"
            files[f"b{i}"] = (
                f"{{{{ config(materialized='table', schema='s{i % 3}') }}}} select a.id + b.id as id "
                f"from {{{{ ref('a{i}') }}}} a, {{{{ ref('a{(i + 1) % 10}') }}}} b"
            )
        shop.models(**files)
        for _ in range(3):
            results = shop.ok("run")
            assert {result["status"] for result in results.values()} == {"success"}
        assert len(shop.kinds()) == 10
        assert shop.rows("b4", schema="dev_s1") == [(9,)]


class TestDroppedSchema:
    """A template that drops a schema and makes it again: what stood there is forgotten."""

    def test_what_is_gone_is_not_found(self, shop: Shop) -> None:
        template = """
        {% set old = ref('old') %}
        {% if execute %}
          {% do adapter.drop_schema(old) %}
          {% if adapter.get_relation(old.database, old.schema, old.identifier) is not none %}
            {% do exceptions.raise_compiler_error('it is still there') %}
          {% endif %}
          {% do adapter.create_schema(old) %}
          {% do run_query(create_view_as(old, 'select 2 as id')) %}
        {% endif %}
        select * from {{ old }}
        """
        old = "{{ config(schema='going', materialized='table') }} select 1 as id"
        shop.models(old=old, new=template).ok("run")
        assert shop.rows("new") == [(2,)]
        assert shop.kinds("dev_going") == {"old": "view"}
