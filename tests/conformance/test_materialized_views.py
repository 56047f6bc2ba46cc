"""Materialized views: views that keep their rows until they are refreshed."""

from __future__ import annotations

import pytest
from conformance.shop import Shop

NONE = pytest.mark.never("duckdb", "spark", "iceberg", raises=AssertionError, reason="no materialized views")
SOURCE = "{{ config(materialized='incremental') }} select {{ 2 if is_incremental() else 1 }} as id"
VIEW = (
    "{{{{ config(materialized='materialized_view'{0}) }}}} select id, count(*) as n from {{{{ ref('a') }}}} group by id"
)


def view(config: str = "") -> str:
    return VIEW.format(", " + config if config else "")


@NONE
class TestMaterializedView:
    """One materialized view."""

    def test_it_keeps_its_rows_and_is_refreshed(self, shop: Shop) -> None:
        shop.models(a=SOURCE, m=view()).ok("run")
        assert shop.kinds() == {"a": "table", "m": "materialized_view"}
        assert shop.rows("m") == [(1, 1)]
        shop.ok("run", "-s", "a")
        assert shop.rows("m") == [(1, 1)]
        shop.ok("run", "-s", "m")
        assert shop.rows("m") == [(1, 1), (2, 1)]
        shop.ok("run", "--full-refresh")
        assert shop.rows("m") == [(1, 1)]

    @pytest.mark.parametrize("other", ["view", "table", "incremental"])
    def test_other_kinds_in_its_place(self, shop: Shop, other: str) -> None:
        plain = f"{{{{ config(materialized='{other}') }}}} select 7 as id"
        shop.models(a=SOURCE, m=plain).ok("run")
        shop.models(m=view()).ok("run")
        assert shop.kinds()["m"] == "materialized_view"
        shop.models(m=plain).ok("run")
        assert shop.kinds()["m"] == ("view" if other == "view" else "table")
        assert shop.rows("m") == [(7,)]

    def test_what_is_below_reads_it_and_tests_test_it(self, shop: Shop) -> None:
        shop.write({"models/m.yml": "models: [{name: m, columns: [{name: id, data_tests: [unique]}]}]"})
        shop.models(a=SOURCE, m=view(), below="select * from {{ ref('m') }}")
        results = shop.ok("build")
        assert results["unique_m_id"]["status"] == "pass"
        assert shop.rows("below") == [(1, 1)]

    def test_indexes_are_changed_in_place(self, shop: Shop) -> None:
        shop.models(a=SOURCE, m=view("indexes=[{'columns': ['id']}]")).ok("run")
        shop.models(m=view("indexes=[{'columns': ['id'], 'unique': true}]")).ok("run", "-s", "m")
        rows = shop.warehouse.query("select indexdef from pg_indexes where tablename = 'm' and schemaname = 'dev'")
        assert ["UNIQUE" in row[0] for row in rows] == [True]

    @pytest.mark.parametrize(("rule", "status"), [("continue", "success"), ("fail", "error")])
    def test_changes_may_be_left_alone_or_refused(self, shop: Shop, rule: str, status: str) -> None:
        config = f"on_configuration_change='{rule}'"
        shop.models(a=SOURCE, m=view(config)).ok("run")
        ran = shop.models(m=view(f"indexes=[{{'columns': ['id']}}], {config}")).run("run", "-s", "m")
        assert ran.exit_code == (0 if status == "success" else 1)
        assert shop.results()["m"]["status"] == status
        assert shop.warehouse.query("select count(*) from pg_indexes where tablename = 'm'") == [(0,)]

    def test_a_failure_leaves_the_old_one(self, shop: Shop) -> None:
        shop.models(a=SOURCE, m=view()).ok("run")
        shop.models(m=view().replace("count(*)", "no_such_function()")).fails("run", "-s", "m", "--full-refresh")
        assert shop.kinds()["m"] == "materialized_view"
        assert shop.rows("m") == [(1, 1)]


class TestNone:
    """An engine without them says so."""

    @pytest.mark.never("postgres", raises=AssertionError, reason="it has them")
    def test_it_is_the_models_error(self, shop: Shop) -> None:
        result = shop.models(a=SOURCE, m=view()).fails("run")["m"]
        assert result["status"] == "error"
        assert "aterialized" in result["message"]
        assert shop.kinds() == {"a": "table"}
