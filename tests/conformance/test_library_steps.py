"""The macros that are steps of a build are called, and what they say is executed: what is there afterwards is checked.

A project's own macros of the same names stand before them, note the call, and hand over. The macros that a project calls
are in test_library_macros.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from conformance.shop import PROJECT, Shop
from conformance.test_indexes import indexes
from differential.machinery import FILE, called, wrappers


@dataclass(frozen=True)
class Build:
    """Files of a project, what is run, the macros that are steps of it, and the rows that it leaves."""

    steps: str
    files: dict[str, str]
    rows: dict[str, list[tuple[Any, ...]]]
    changed: dict[str, str] = field(default_factory=dict)
    """Files written before the second run."""


TABLE = "{{ config(materialized='table') }} "
NAMED = TABLE + "select 1 as id, cast('x' as varchar(20)) as name"
INCREMENTAL = (
    "{{{{ config(materialized='incremental', on_schema_change='{0}') }}}} select {1} {{{{ '' if is_incremental() }}}}"
)
PROMISE = """
models:
  - name: a
    config: {contract: {enforced: true}}
    columns: [{name: id, data_type: integer}, {name: name, data_type: varchar(20)}]
"""
DESCRIBED = """
models:
  - name: a
    description: all of it
    config: {persist_docs: {relation: true, columns: true}}
    columns: [{name: id, description: a number}]
"""
UNIT = """
unit_tests:
  - name: u
    model: below
    given: [{input: ref('a'), rows: [{id: 7, name: it's}]}]
    expect: {rows: [{id: 7, name: it's}]}
"""
TESTED = """
models:
  - name: a
    columns:
      - name: id
        data_tests:
          - unique
          - not_null: {config: {where: id > 0}}
          - accepted_values: {arguments: {values: [1], quote: false}}
          - relationships: {arguments: {to: ref('a'), field: id}}
"""
SNAPSHOT = """
{{% snapshot kept %}}{{{{ config(unique_key='id', {0}) }}}}
select id, name, cast('2024-01-01' as timestamp) as changed_at from {{{{ ref('a') }}}}{{% endsnapshot %}}
"""
DOUBLED = TABLE + "select {{ function('twice') }}(21) as n"
FUNCTION = """
functions:
  - name: twice
    config: {volatility: deterministic}
    arguments: [{name: x, data_type: integer}]
    returns: {data_type: integer}
"""
OF_CONTRACTS = (
    "get_assert_columns_equivalent assert_columns_equivalent get_column_schema_from_query get_empty_schema_sql "
    "get_empty_subquery_sql format_columns get_select_subquery"
)
OF_SNAPSHOTS = (
    "begin_snapshot strategy_dispatch build_snapshot_table get_dbt_valid_to_current "
    "build_snapshot_staging_table snapshot_staging_table unique_key_fields unique_key_join_on unique_key_is_null "
    "unique_key_is_not_null snapshot_merge_sql snapshot_columns create_columns post_snapshot"
)
BUILDS = {
    "tables and views": Build(
        "create_table_as create_view_as get_create_table_as_sql get_create_view_as_sql create_schema run_hooks persist_docs "
        "generate_database_name should_revoke apply_grants create_indexes",
        {"models/a.sql": NAMED, "models/v.sql": "select * from {{ ref('a') }}"},
        {"a": [(1, "x")], "v": [(1, "x")]},
    ),
    "tables with a contract": Build(
        OF_CONTRACTS,
        {"models/a.sql": TABLE + "select cast('x' as varchar(20)) as name, 1 as id", "models/p.yml": PROMISE},
        {"a": [(1, "x")]},
    ),
    "descriptions": Build(
        "alter_relation_comment alter_column_comment validate_doc_columns",
        {"models/a.sql": INCREMENTAL.format("ignore", "1 as id"), "models/p.yml": DESCRIBED},
        {"a": [(1,), (1,)]},
    ),
    "unit tests": Build(
        "get_unit_test_sql validate_fixture_rows get_fixture_sql get_expected_sql format_row unit_test_columns",
        {"models/a.sql": NAMED, "models/below.sql": TABLE + "select * from {{ ref('a') }}", "models/u.yml": UNIT},
        {"below": [(1, "x")]},
    ),
    "data tests": Build(
        "test_unique test_not_null test_accepted_values test_relationships get_test_sql get_where_subquery "
        "should_store_failures",
        {"models/a.sql": NAMED, "models/p.yml": TESTED},
        {"a": [(1, "x")]},
    ),
    "seeds": Build("get_seed_column_quoted_csv get_create_seed_table_sql", {"seeds/s.csv": "id\n1\n"}, {"s": [(1,)]}),
    "seeds that are filled anew": Build(
        "create_csv_table reset_csv_table load_csv_rows get_csv_sql get_batch_size",
        {"seeds/s.csv": "id\n1\n"},
        {"s": [(2,)]},
        {"seeds/s.csv": "id\n2\n"},
    ),
    "columns that are new": Build(
        "is_incremental should_full_refresh incremental_validate_on_schema_change process_schema_changes "
        "check_for_schema_changes diff_columns diff_column_data_types sync_column_schemas "
        "alter_relation_add_remove_columns validate_incremental_strategy get_incremental_sql get_incremental_default_sql "
        "get_insert_into_sql get_quoted_csv make_temp_relation",
        {"models/a.sql": INCREMENTAL.format("append_new_columns", "1 as id")},
        {"a": [(1, None), (2, "x")]},
        {"models/a.sql": INCREMENTAL.format("append_new_columns", "2 as id, 'x' as name")},
    ),
    "functions": Build(
        "scalar_function_sql scalar_function_create_replace_signature_sql scalar_function_body_sql "
        "formatted_scalar_function_args_sql function_execute_build_sql",
        {"functions/twice.sql": "x * 2", "functions/f.yml": FUNCTION, "models/a.sql": DOUBLED},
        {"a": [(42,)]},
    ),
}  # fmt: skip
SOME = {
    "what a contract declares": Build(
        "get_table_columns_and_constraints table_columns_and_constraints",
        {"models/a.sql": NAMED, "models/p.yml": PROMISE},
        {"a": [(1, "x")]},
    ),
    "snapshots by a time": Build(
        f"{OF_SNAPSHOTS} snapshot_timestamp_strategy check_time_data_types get_snapshot_get_time_data_type "
        "get_updated_at_column_data_type",
        {
            "models/a.sql": NAMED,
            "snapshots/kept.sql": SNAPSHOT.format("strategy='timestamp', updated_at='changed_at'"),
        },
        {"kept": [(1, "x")]},
    ),
    "snapshots by their columns": Build(
        f"{OF_SNAPSHOTS} snapshot_check_strategy snapshot_check_all_get_existing_columns",
        {"models/a.sql": NAMED, "snapshots/kept.sql": SNAPSHOT.format("strategy='check', check_cols='all'")},
        {"kept": [(1, "x"), (1, "y")]},
        {"models/a.sql": NAMED.replace("'x'", "'y'")},
    ),
}  # fmt: skip
PARTS = """
{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partition_by='day') }} select 1 as id, 2 as day
"""
BATCHES = """
{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='day', batch_size='day',
   begin='2026-01-01', partition_by='day',
   unique_key='id' if target.type == 'postgres' else none) }}
select id, day from {{ ref('e') }}
"""
EVENTS = TABLE.replace("table'", "table', event_time='day'") + "select 1 as id, cast('2026-01-01' as date) as day"
KEY = """
models:
  - name: parent
    config: {materialized: table, contract: {enforced: true}}
    columns: [{name: id, data_type: integer, constraints: [{type: primary_key}]}]
  - name: child
    config: {materialized: table, contract: {enforced: true}}
    columns: [{name: id, data_type: integer, constraints: [{type: foreign_key, to: ref('parent'), to_columns: [id]}]}]
"""
OF_DUCKDB = {
    "files": Build(
        "external_location external_files render_write_options write_to_file",
        {"models/a.sql": "{{ config(materialized='external', format='csv') }} select 1 as id"},
        {"a": [(1,)]},
    ),
    "foreign keys": Build(
        "release_foreign_keys",
        {"models/p.yml": KEY, "models/parent.sql": "select 1 as id", "models/child.sql": "select id from {{ ref('parent') }}"},
        {"child": [(1,)]},
    ),
}  # fmt: skip
OF_SPARK = {
    "clauses of a table": Build(
        "file_format_clause options_clause tblproperties_clause partition_cols clustered_cols location_clause comment_clause "
        "is_replaced after_rename",
        {"models/a.sql": NAMED.replace("'table'", "'table', partition_by='name'")},
        {"a": [(1, "x")]},
    ),
    "strategies": Build(
        "create_temporary_view is_refilled",
        {"models/a.sql": PARTS},
        {"a": [(1, 2)]},
    ),
}  # fmt: skip
PYTHON = Build(
    "py_script_postfix py_script_comment build_ref_function build_source_function build_config_dict py_write_table "
    "resolve_model_name",
    {
        "models/a.sql": NAMED,
        "models/p.py": "def model(dbt, session):\n    dbt.config(materialized='table')\n    return dbt.ref('a')\n",
    },
    {"p": [(1, "x")]},
)  # fmt: skip
STABLE = {
    "functions/twice.sql": "x * 2", "functions/f.yml": FUNCTION.replace("deterministic", "stable"), "models/a.sql": DOUBLED
}  # fmt: skip
OF_TABLES = {
    "functions/twice.sql": "select x * 2 as n",
    "functions/f.yml": FUNCTION.replace("volatility: deterministic", "type: table"),
    "models/a.sql": DOUBLED.replace("select {{", "select * from {{").replace(" as n", ""),
}
VIEW = "{{{{ config(materialized='materialized_view', indexes=[{0}]) }}}} select * from {{{{ ref('a') }}}}"
MATERIALIZED = Build(
    "materialized_view_get_build_sql get_create_materialized_view_as_sql get_materialized_view_configuration_changes "
    "get_alter_materialized_view_as_sql describe_materialized_view get_show_indexes_sql get_drop_index_sql "
    "get_create_index_sql",
    {"models/a.sql": NAMED.replace("'table'", "'incremental'"), "models/m.sql": VIEW.format("{'columns': ['id']}")},
    {"m": [(1, "x")]},
    {"models/m.sql": VIEW.format("{'columns': ['name'], 'unique': true}")},
)


def check(shop: Shop, build: Build, *args: str) -> None:
    """Build twice, the second time with what has changed: every step is called, and the rows are those."""
    steps, found = build.steps.split(), set[str]()
    shop.write({FILE: wrappers(*steps), **build.files})
    for files in ({}, build.changed):
        ran = shop.write(files).run("build", *args)
        assert ran.exit_code == 0, ran.out + ran.err
        found |= set(called(ran.out + ran.err))
    assert sorted(set(steps) - found) == [], "steps that nobody called"
    for name, rows in build.rows.items():
        assert shop.rows(name, *(("id, name",) if name == "kept" else ())) == rows


class TestSteps:
    """What is built on every engine."""

    @pytest.mark.parametrize("what", BUILDS)
    def test_each_is_called_and_executed(self, shop: Shop, what: str) -> None:
        check(shop, BUILDS[what])

    @pytest.mark.never(
        "spark", raises=AssertionError, reason="files of Parquet hold no constraints, and change no rows"
    )
    @pytest.mark.parametrize("what", SOME)
    def test_of_tables_that_change(self, shop: Shop, what: str) -> None:
        check(shop, SOME[what])

    @pytest.mark.never("postgres", raises=AssertionError, reason="PostgreSQL runs no Python models")
    def test_of_python_models(self, shop: Shop) -> None:
        check(shop, PYTHON)

    @pytest.mark.never("duckdb", raises=AssertionError, reason="a macro of DuckDB is replaced by its text")
    def test_of_functions_that_may_change(self, shop: Shop) -> None:
        check(shop, Build("scalar_function_volatility_sql", STABLE, {"a": [(42,)]}))

    @pytest.mark.never("duckdb", "postgres", raises=AssertionError, reason="what is stable needs no warning here")
    def test_of_functions_without_the_word(self, shop: Shop) -> None:
        check(shop, Build("unsupported_volatility_warning", STABLE, {"a": [(42,)]}))

    @pytest.mark.never("postgres", "spark", raises=AssertionError, reason="dbt makes functions of one value only")
    def test_of_functions_that_give_tables(self, shop: Shop) -> None:
        check(shop, Build("table_function_sql", OF_TABLES, {"a": [(42,)]}))

    @pytest.mark.never("duckdb", "spark", raises=AssertionError, reason="no materialized views")
    def test_of_materialized_views(self, shop: Shop) -> None:
        check(shop, MATERIALIZED)
        assert indexes(shop, "m") == [("name", True)]

    @pytest.mark.parametrize("step", ["validate_microbatch", "get_incremental_microbatch_sql"])
    def test_of_batches(self, shop: Shop, step: str) -> None:
        flags = "flags: {require_batched_execution_for_custom_microbatch_strategy: true}"
        files = {"dbt_project.yml": PROJECT + flags, "models/e.sql": EVENTS, "models/a.sql": BATCHES}
        period = ("--event-time-start=2026-01-01", "--event-time-end=2026-01-02")
        check(shop, Build(step, files, {"a": [(1, date(2026, 1, 1))]}), *period)

    @pytest.mark.never("postgres", "spark", raises=AssertionError, reason="what only DuckDB has")
    @pytest.mark.parametrize("what", OF_DUCKDB)
    def test_of_duckdb(self, shop: Shop, what: str) -> None:
        check(shop, OF_DUCKDB[what])

    @pytest.mark.never("duckdb", "postgres", raises=AssertionError, reason="what only Spark has")
    @pytest.mark.parametrize("what", OF_SPARK)
    def test_of_spark(self, shop: Shop, what: str) -> None:
        check(shop, OF_SPARK[what])
