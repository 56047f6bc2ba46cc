"""Indexes of tables, on engines that have some."""

from __future__ import annotations

import pytest
from conformance.shop import Shop

INDEXES = """indexes=[
    {'columns': ['a']}, {'columns': ['a', 'b'], 'unique': true}, {'columns': ['a']}, {'columns': ['"Odd name"']}
]"""
EXPECTED = [("Odd name", False), ("a", False), ("a", False), ("a,b", True)]
NO_INDEXES = pytest.mark.never("spark", "iceberg", raises=AssertionError, reason="no indexes")


def indexes(shop: Shop, table: str) -> list[tuple[str, bool]]:
    """Columns and whether it is unique, of each index of a table."""
    if shop.warehouse.name == "duckdb":
        sql = "select expressions, is_unique from duckdb_indexes() where table_name = '{0}' and schema_name = 'dev'"
    elif shop.warehouse.name == "postgres":
        sql = (
            "select array_agg(a.attname order by x.place)::text, i.indisunique from pg_index i "
            "join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace "
            "cross join lateral unnest(i.indkey) with ordinality x (number, place) "
            "join pg_attribute a on a.attrelid = t.oid and a.attnum = x.number "
            "where t.relname = '{0}' and n.nspname = 'dev' group by i.indexrelid, i.indisunique"
        )
    else:
        return []
    found = shop.warehouse.query(sql.format(table))
    return sorted(
        (str(columns).strip("{[]}").replace("'", "").replace('"', "").replace(", ", ","), bool(unique))
        for columns, unique in found
    )


@NO_INDEXES
class TestIndexes:
    """The config `indexes`."""

    @pytest.mark.parametrize("kind", ["table", "incremental"])
    def test_they_are_made_and_made_again(self, shop: Shop, kind: str) -> None:
        sql = f"{{{{ config(materialized='{kind}', {INDEXES}) }}}} select 1 as a, 2 as b, 3 as \"Odd name\""
        shop.models(m=sql)
        for args in ((), (), ("--full-refresh",)):
            if kind == "incremental" and not args:
                shop.models(m=sql.replace("select 1", "select {{ 2 if is_incremental() else 1 }}"))
            shop.ok("run", *args)
            assert indexes(shop, "m") == EXPECTED
        assert shop.kinds() == {"m": "table"}

    @pytest.mark.parametrize("kind", ["seeds", "snapshots"])
    def test_other_tables(self, shop: Shop, kind: str) -> None:
        if kind == "seeds":
            shop.write(
                {"seeds/m.csv": "a,b\n1,2\n", "seeds/s.yml": "seeds: [{name: m, config: {indexes: [{columns: [a]}]}}]"}
            )
            shop.ok("seed")
        else:
            snapshot = """
            snapshots:
              - name: m
                relation: ref('source_rows')
                config: {unique_key: a, strategy: check, check_cols: all, indexes: [{columns: [a]}]}
            """
            shop.models(source_rows="select 1 as a, 2 as b").write({"snapshots/m.yml": snapshot}).ok("build")
        assert indexes(shop, "m") == [("a", False)]
        shop.ok("build")
        assert indexes(shop, "m") == [("a", False)]

    def test_a_unique_one_is_enforced(self, shop: Shop) -> None:
        config = "{{ config(materialized='table', indexes=[{'columns': ['a'], 'unique': true}]) }}"
        shop.models(m=f"{config} select 1 as a").ok("run")
        result = shop.models(m=f"{config} select 1 as a union all select 1").fails("run")["m"]
        assert result["status"] == "error"
        assert shop.rows("m") == [(1,)]

    @pytest.mark.parametrize(
        "index", ["{'columns': 'a'}", "{'unique': true}", "'a'", "{'columns': ['no_such_column']}"]
    )
    def test_mistakes_are_the_models_error(self, shop: Shop, index: str) -> None:
        result = shop.models(m=f"{{{{ config(materialized='table', indexes=[{index}]) }}}} select 1 as a").fails("run")[
            "m"
        ]
        assert result["status"] == "error"
        assert shop.kinds() == {}
