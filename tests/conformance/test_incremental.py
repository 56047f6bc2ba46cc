"""Incremental models: strategies, full refresh, schema changes."""

from __future__ import annotations

import pytest
from conformance.shop import Shop

FIRST = "select 1 as id, 'a' as name union all select 2, 'b'"
LATER = "select 2 as id, 'b2' as name union all select 3, 'c'"


def model(config: str = "", later: str = LATER) -> str:
    head = f"{{{{ config(materialized='incremental'{', ' + config if config else ''}) }}}}"
    return f"{head} {{% if is_incremental() %}} {later} {{% else %}} {FIRST} {{% endif %}}"


NO_MERGE = pytest.mark.notyet(
    "spark", raises=AssertionError, reason="merge needs a format such as delta, which plain Spark does not have"
)
NO_DELETE = pytest.mark.never(
    "spark", "iceberg", raises=AssertionError, reason="delete+insert: dbt-spark has it for no format"
)
APPENDS = pytest.mark.never(
    "spark", "iceberg", raises=AssertionError, reason="append is dbt-spark's default, with a key, too"
)
KEEPS_COLUMNS = pytest.mark.never("spark", raises=AssertionError, reason="parquet tables keep their columns")


class TestStrategies:
    """What is left after a second run."""

    @pytest.mark.parametrize(
        ("config", "expected"),
        [
            ("incremental_strategy='append'", [(1, "a"), (2, "b"), (2, "b2"), (3, "c")]),
            ("incremental_strategy='append', unique_key='id'", [(1, "a"), (2, "b"), (2, "b2"), (3, "c")]),
            pytest.param(
                "incremental_strategy='delete+insert', unique_key='id'",
                [(1, "a"), (2, "b2"), (3, "c")],
                marks=NO_DELETE,
            ),
            pytest.param(
                "incremental_strategy='delete+insert', unique_key=['id']",
                [(1, "a"), (2, "b2"), (3, "c")],
                marks=NO_DELETE,
            ),
            pytest.param(
                "incremental_strategy='delete+insert', unique_key=['id', 'name']",
                [(1, "a"), (2, "b"), (2, "b2"), (3, "c")],
                marks=NO_DELETE,
            ),
            pytest.param(
                "incremental_strategy='delete+insert', unique_key='id', incremental_predicates=['id < 0']",
                [(1, "a"), (2, "b"), (2, "b2"), (3, "c")],
                marks=NO_DELETE,
            ),
            pytest.param("unique_key='id'", [(1, "a"), (2, "b2"), (3, "c")], marks=APPENDS),
            pytest.param(
                "incremental_strategy='merge', unique_key='id'", [(1, "a"), (2, "b2"), (3, "c")], marks=NO_MERGE
            ),
            pytest.param(
                "incremental_strategy='merge', unique_key=['id', 'name']",
                [(1, "a"), (2, "b"), (2, "b2"), (3, "c")],
                marks=NO_MERGE,
            ),
            pytest.param("incremental_strategy='merge'", [(1, "a"), (2, "b"), (2, "b2"), (3, "c")], marks=NO_MERGE),
            pytest.param(
                "incremental_strategy='merge', unique_key='id', merge_update_columns=['id']",
                [(1, "a"), (2, "b"), (3, "c")],
                marks=NO_MERGE,
            ),
            pytest.param(
                "incremental_strategy='merge', unique_key='id', merge_exclude_columns=['name']",
                [(1, "a"), (2, "b"), (3, "c")],
                marks=NO_MERGE,
            ),
            pytest.param(
                "incremental_strategy='merge', unique_key='id', incremental_predicates=['DBT_INTERNAL_DEST.id < 0']",
                [(1, "a"), (2, "b"), (2, "b2"), (3, "c")],
                marks=NO_MERGE,
            ),
            ("", [(1, "a"), (2, "b"), (2, "b2"), (3, "c")]),
        ],
    )
    def test_rows(self, shop: Shop, config: str, expected: list[tuple[int, str]]) -> None:
        shop.models(a=model(config)).ok("run")
        assert shop.rows("a") == [(1, "a"), (2, "b")]
        shop.ok("run")
        assert shop.rows("a") == expected
        assert shop.kinds() == {"a": "table"}

    def test_a_strategy_of_the_project(self, shop: Shop) -> None:
        macro = """
        {% macro get_incremental_only_new_sql(arg_dict) %}
            insert into {{ arg_dict['target_relation'] }} select * from {{ arg_dict['temp_relation'] }}
            where id not in (select id from {{ arg_dict['target_relation'] }})
        {% endmacro %}
        """
        shop.write({"macros/m.sql": macro}).models(a=model("incremental_strategy='only_new'")).ok("run")
        shop.ok("run")
        assert shop.rows("a") == [(1, "a"), (2, "b"), (3, "c")]

    def test_an_unknown_strategy(self, shop: Shop) -> None:
        """It is told in the first run, which would not need it yet."""
        result = shop.models(a=model("incremental_strategy='guess'")).fails("run")["a"]
        assert (
            "could not find an incremental strategy macro with the name 'get_incremental_guess_sql'"
            in result["message"]
        )
        assert shop.kinds() == {}

    @pytest.mark.never("duckdb", raises=AssertionError, reason="told when it is needed, as in dbt-duckdb")
    @pytest.mark.never("spark", raises=AssertionError, reason="Spark has it")
    @pytest.mark.never("iceberg", raises=AssertionError, reason="Spark has it")
    def test_a_strategy_of_another_engine(self, shop: Shop) -> None:
        result = shop.models(a=model("incremental_strategy='insert_overwrite'")).fails("run")["a"]
        assert "The incremental strategy 'insert_overwrite' is not valid for this adapter" in result["message"]
        assert shop.kinds() == {}


class TestFullRefresh:
    """Building anew."""

    def test_the_flag(self, shop: Shop) -> None:
        shop.models(a=model()).ok("run")
        shop.ok("run", "--full-refresh")
        assert shop.rows("a") == [(1, "a"), (2, "b")]

    def test_the_config_wins(self, shop: Shop) -> None:
        shop.models(a=model("full_refresh=false")).ok("run")
        shop.ok("run", "--full-refresh")
        assert len(shop.rows("a")) == 4

    def test_a_view_in_its_place(self, shop: Shop) -> None:
        shop.models(a="select 9 as id").ok("run")
        shop.models(a=model()).ok("run")
        assert shop.rows("a") == [(1, "a"), (2, "b")]


class TestSchemaChange:
    """A query with other columns than the table."""

    @pytest.mark.parametrize(
        ("change", "columns"),
        [
            ("ignore", ["id", "name"]),
            ("append_new_columns", ["id", "name", "extra"]),
            pytest.param("sync_all_columns", ["id", "extra"], marks=KEEPS_COLUMNS),
        ],
    )
    def test_columns(self, shop: Shop, change: str, columns: list[str]) -> None:
        later = "select 3 as id, 'c' as name, 5 as extra" if change == "ignore" else "select 3 as id, 5 as extra"
        shop.models(a=model(f"on_schema_change='{change}'", later)).ok("run")
        shop.ok("run")
        assert sorted(shop.warehouse.columns("dev", "a")) == sorted(columns)
        assert len(shop.rows("a")) == 3

    def test_fail(self, shop: Shop) -> None:
        shop.models(a=model("on_schema_change='fail'", "select 3 as id, 5 as extra")).ok("run")
        assert shop.fails("run")["a"]["status"] == "error"
        assert shop.rows("a") == [(1, "a"), (2, "b")]
