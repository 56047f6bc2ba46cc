"""Seeds: the table's statement and the names of its columns (dbt 1.11: materializations/seeds/helpers)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from understudy.errors import ExecutionError
from understudy.stdlib.support import Table, as_relation, field, quoted, send
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("get_csv_sql", "get_binding_char", "get_batch_size", "get_create_seed_table_sql")
macro.dispatched("create_csv_table", "reset_csv_table", "load_csv_rows")


def seed_column(ctx: MacroContext, name: str, quote_columns: Any) -> str:
    """A column of a seed as SQL: quoted, unless `quote_columns` is false. Raises ExecutionError for anything else."""
    if quote_columns not in (None, True, False):
        raise ExecutionError(f"quote_columns must be true or false, got {quote_columns!r}")
    return name if quote_columns is False else quoted(ctx, name)


@macro
def get_seed_column_quoted_csv(ctx: MacroContext, model: Any, column_names: Iterable[str]) -> str:
    """The columns as a list for SQL."""
    quote_columns = field(field(model, "config"), "quote_columns")
    return ", ".join(seed_column(ctx, str(name), quote_columns) for name in column_names)


@macro
def default__get_create_seed_table_sql(ctx: MacroContext, relation: Any, columns: Iterable[tuple[str, str]]) -> str:
    """`create table` for (name, kind of values) pairs; `column_types` of the config wins over the kind.

    Ours; dbt's create_csv_table creates the table and wants an agate table.
    """
    configured: Mapping[str, str] = ctx.config.get("column_types") or {}
    quote_columns = ctx.config.get("quote_columns")
    types = ctx.dialect.ddl.seed_types
    parts = (f"{seed_column(ctx, name, quote_columns)} {configured.get(name, types[kind])}" for name, kind in columns)
    return f"create table {relation} ({', '.join(parts)})"


@macro
def default__create_csv_table(ctx: MacroContext, model: Any, agate_table: Any) -> str:
    """Create the seed's table for an agate table; returns the statement."""
    config = field(model, "config") or {}
    adapter, configured = ctx.variable("adapter"), field(config, "column_types") or {}
    columns = ", ".join(
        f"{seed_column(ctx, name, field(config, 'quote_columns'))} {configured.get(name) or adapter.convert_type(agate_table, i)}"
        for i, name in enumerate(map(str, agate_table.column_names))
    )
    sql = f"create table {_own(ctx)} ({columns})"
    send(ctx, sql, "create")
    return sql


@macro
def default__reset_csv_table(
    ctx: MacroContext, model: Any, full_refresh: bool, old_relation: Any, agate_table: Any
) -> str:
    """Make the seed's table ready for new rows: created anew by a full refresh, else emptied. Returns the statement."""
    if full_refresh:
        ctx.variable("adapter").drop_relation(old_relation)
        return str(ctx.call("create_csv_table", model, agate_table))
    ctx.variable("adapter").truncate_relation(old_relation)
    return f"truncate table {as_relation(old_relation).render()}"


@macro
def default__load_csv_rows(ctx: MacroContext, model: Any, agate_table: Any) -> str:
    """Insert an agate table's rows into the seed's table, some at a time; returns the first statement."""
    names = ctx.call("get_seed_column_quoted_csv", model, agate_table.column_names)
    rows, first = iter(agate_table.rows), ""
    while chunk := list(islice(rows, int(ctx.call("get_batch_size")))):
        values = ", ".join(f"({', '.join(map(ctx.dialect.ddl.value, row.values()))})" for row in chunk)
        sql = f"insert into {_own(ctx)} ({names}) values {values}"
        send(ctx, sql, "load")
        first = first or sql
    return first


def _own(ctx: MacroContext) -> str:
    return as_relation(ctx.this).render()


@macro
def default__get_csv_sql(ctx: MacroContext, create_or_truncate_sql: str, insert_sql: str) -> str:
    """What is written down as the seed's SQL."""
    return f"{create_or_truncate_sql};\n    -- dbt seed --\n    {insert_sql}"


@macro
def default__get_binding_char(ctx: MacroContext) -> str:
    """How a parameter is written."""
    return str(ctx.dialect.ddl.binding)


@macro
def default__get_batch_size(ctx: MacroContext) -> int:
    """Rows per insert statement."""
    return 10000
