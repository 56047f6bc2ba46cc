"""The SQL of unit tests: rows as queries, and the union of what came out and what should (dbt 1.11: unit_test_sql)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from understudy.errors import ExecutionError
from understudy.stdlib.support import Table, quoted, send
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("get_unit_test_sql", "validate_fixture_rows")

Row = Mapping[str, Any]
Types = Mapping[str, str]


@macro
def get_fixture_sql(ctx: MacroContext, rows: Sequence[Row], column_name_to_data_types: Types | None = None) -> str:
    """The rows of an input as a query with the columns and types of `this`; columns that a row leaves out are null.

    Raises ExecutionError where the relation is not there, or has no such column.
    """
    name = str(ctx.model.get("name"))
    types, quotes = dict(column_name_to_data_types or {}), dict[str, str]()
    if not types:
        for column in ctx.call("get_columns_in_relation", ctx.this):
            types[column.name.lower()] = str(column.data_type)
            quotes[column.name.lower()] = quoted(ctx, column.name)
    if not types:
        raise ExecutionError(
            f"Not able to get columns for unit test '{name}' from relation {_shown(ctx)} because the relation doesn't exist",
            hint="Build it first (an empty one is enough: run --empty), or give its rows as SQL (format: sql).",
        )
    ctx.call("validate_fixture_rows", rows, None)
    default = {column: str(ctx.call("safe_cast", "null", kind)).strip() for column, kind in types.items()}
    lines = [_select({**default, **ctx.call("format_row", row, types)}, quotes) for row in rows]
    body = "\nunion all\n".join(lines) if lines else f"{_select(default, quotes)}\n    limit 0"
    return f"\n\n-- Fixture for {name}\n{body}"


def _shown(ctx: MacroContext) -> str:
    return "" if ctx.this is None else ctx.this.render()


def _select(values: Mapping[str, Any], quotes: Mapping[str, str]) -> str:
    return "select " + ", ".join(f"{value} as {quotes.get(column, column)}" for column, value in values.items())


@macro
def unit_test_columns(ctx: MacroContext, sql: str) -> Sequence[Any]:
    """The columns of a query with types that can be written down again: those of an empty table, where the engine does not
    describe a query (dbt 1.11: materialization unit).
    """
    if ctx.dialect.ddl.describe_query(sql) is not None or ctx.this is None:
        columns: Sequence[Any] = ctx.call("get_column_schema_from_query", sql)
        return columns
    temporary = ctx.call("make_temp_relation", ctx.this)
    empty = ctx.call("get_empty_subquery_sql", sql)
    send(ctx, str(ctx.call("get_create_table_as_sql", True, temporary, empty)), "introspect")
    columns = ctx.call("get_columns_in_relation", temporary)
    ctx.call("drop_relation", temporary)
    return columns


@macro
def get_expected_sql(
    ctx: MacroContext, rows: Sequence[Row], column_name_to_data_types: Types, column_name_to_quoted: Types
) -> str:
    """The expected rows as a query; without rows, one that gives none."""
    if not rows:
        return "select * from dbt_internal_unit_test_actual\n    limit 0"
    formatted = (ctx.call("format_row", row, column_name_to_data_types) for row in rows)
    return "\nunion all\n".join(_select(row, column_name_to_quoted) for row in formatted)


@macro
def format_row(ctx: MacroContext, row: Row, column_name_to_data_types: Types) -> dict[str, str]:
    """A row's values as SQL of their columns' types. Raises ExecutionError for a column that there is not."""
    formatted: dict[str, str] = {}
    for name, value in row.items():
        column = str(name).lower()
        kind = column_name_to_data_types.get(column)
        if kind is None:
            of = "expected output" if ctx.variable("unit_test_expects") else f"'{ctx.model.get('name')}'"
            known = list(column_name_to_data_types)
            raise ExecutionError(
                f"Invalid column name: '{column}' in unit test fixture for {of}.\nAccepted columns for {of} are: {known}"
            )
        if isinstance(value, str):
            kind = kind.split("(")[0] if "varying" in kind else kind  # a length would cut the text without a word
            value = ctx.call("string_literal", ctx.call("escape_single_quotes", value))
        formatted[column] = str(ctx.call("safe_cast", "null" if value is None else _number(value), kind))
    return formatted


def _number(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


@macro
def default__validate_fixture_rows(ctx: MacroContext, rows: Sequence[Row], row_number: Any = None) -> None:
    """Nothing to check; an adapter may."""


@macro
def default__get_unit_test_sql(
    ctx: MacroContext, main_sql: str, expected_fixture_sql: str, expected_column_names: Sequence[str]
) -> str:
    """Actual and expected rows, one below the other, each with the word for what it is."""
    columns, word = ", ".join(expected_column_names), quoted(ctx, "actual_or_expected")
    actual, expected = map(ctx.dialect.ddl.literal, ("actual", "expected"))
    return (
        f"-- Build actual result given inputs\nwith dbt_internal_unit_test_actual as (\n  select\n    {columns}, "
        f"{actual} as {word}\n  from (\n    {main_sql}\n  ) _dbt_internal_unit_test_actual\n),\n"
        f"-- Build expected result\ndbt_internal_unit_test_expected as (\n  select\n    {columns}, "
        f"{expected} as {word}\n  from (\n    {expected_fixture_sql}\n  ) _dbt_internal_unit_test_expected\n)\n"
        "-- Union actual and expected results\nselect * from dbt_internal_unit_test_actual\nunion all\n"
        "select * from dbt_internal_unit_test_expected"
    )
