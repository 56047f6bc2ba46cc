"""Contracts: the columns that a model promises, checked and declared (dbt 1.11: relations/column/columns_spec_ddl)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from understudy.core.statement import ColumnType
from understudy.errors import ContractError
from understudy.stdlib.support import Table, field, quoted, quoted_name, send
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("get_assert_columns_equivalent", "get_table_columns_and_constraints", "get_select_subquery")
macro.dispatched("get_empty_subquery_sql", "get_empty_schema_sql", "get_columns_in_query")

NUMBERS = ("numeric", "decimal", "number")
"""Types that promise digits, and do not say how many."""
Columns = Mapping[str, Mapping[str, Any]]


@macro
def default__get_empty_subquery_sql(ctx: MacroContext, select_sql: str, select_sql_header: str | None = None) -> str:
    """A query with the same columns and no rows."""
    header = f"{select_sql_header}\n" if select_sql_header is not None else ""
    return f"{header}select * from (\n        {select_sql}\n    ) as __dbt_sbq\n    where false\n    limit 0"


@macro
def default__get_empty_schema_sql(ctx: MacroContext, columns: Columns) -> str:
    """A query whose columns are those of the properties, with their types. Raises ContractError for one without type."""
    untyped = [str(column["name"]) for column in columns.values() if not column.get("data_type")]
    if untyped:
        raise ContractError(f"Contracted models require data_type to be defined for each column: {', '.join(untyped)}")
    bare = [str(column["name"]) for column in columns.values() if str(column["data_type"]).strip().lower() in NUMBERS]
    if bare:
        text = f"numeric type and unspecified precision/scale, this can lead to unintended rounding: {bare}"
        ctx.variable("exceptions")["warn"](f"Detected columns with {text}")
    parts = (
        f"{ctx.call('cast', 'null', column['data_type'])} as {quoted_name(ctx, column)}" for column in columns.values()
    )
    return "select " + ", ".join(parts)


@macro
def get_column_schema_from_query(
    ctx: MacroContext, select_sql: str, select_sql_header: str | None = None
) -> list[ColumnType]:
    """The names and types of a query's columns, as the engine describes them; no row is read."""
    if select_sql_header is not None:
        send(ctx, select_sql_header, "introspect")
    sql = str(ctx.call("get_empty_subquery_sql", select_sql))
    described = ctx.dialect.ddl.describe_query(sql)
    result = send(ctx, described or sql, "introspect", fetch=True)
    if described is None:
        return [ColumnType(name, kind) for name, kind in zip(result.columns, result.types, strict=True)]
    return [ColumnType(str(name), str(data_type)) for name, data_type in result.rows]


@macro
def default__get_columns_in_query(ctx: MacroContext, select_sql: str) -> list[str]:
    """The names of a query's columns."""
    return [column.name for column in ctx.call("get_column_schema_from_query", select_sql)]


@macro
def default__get_assert_columns_equivalent(ctx: MacroContext, sql: str) -> Any:
    """Raise ContractError when the query's columns are not those of the contract."""
    return ctx.call("assert_columns_equivalent", sql)


@macro
def assert_columns_equivalent(ctx: MacroContext, sql: str) -> str:
    """Raise ContractError, with a table of the differences, unless names, types and number of columns agree.

    The order does not matter (dbt 1.11: assert_columns_equivalent).
    """
    promised_columns: Columns = ctx.model.get("columns") or {}
    if not promised_columns:
        raise ContractError("This model has an enforced contract, and its 'columns' specification is missing")
    actual = ctx.call("get_column_schema_from_query", sql, ctx.config.get("sql_header"))
    promised = ctx.call("get_column_schema_from_query", ctx.call("get_empty_schema_sql", promised_columns))
    rows = mismatches(ctx.call("format_columns", actual), ctx.call("format_columns", promised))
    if rows:
        raise ContractError(
            "This model has an enforced contract that failed.\nPlease ensure the name, data_type, and number of "
            f"columns in your contract match the columns in your model's definition.\n\n{table_text(rows)}"
        )
    return ""


def mismatches(
    actual: Iterable[Mapping[str, str]], promised: Iterable[Mapping[str, str]]
) -> list[tuple[str, str, str, str]]:
    """(column, type in the query, type in the contract, reason) for each difference, by name.

    The columns are those of `format_columns`: two are the same when their `formatted` texts are.
    """
    same = {column["formatted"] for column in actual} & {column["formatted"] for column in promised}
    have = {column["name"]: column["data_type"] for column in actual if column["formatted"] not in same}
    want = {column["name"]: column["data_type"] for column in promised if column["formatted"] not in same}
    rows = [(name, kind, "", "missing in contract") for name, kind in have.items() if name not in want]
    rows += [(name, "", kind, "missing in definition") for name, kind in want.items() if name not in have]
    rows += [
        (name, kind, want[name], "data type mismatch")
        for name, kind in have.items()
        if name in want and want[name] != kind
    ]
    return sorted(rows)


def table_text(rows: Iterable[tuple[str, ...]]) -> str:
    """The differences as a table of plain text."""
    head = ("column_name", "definition_type", "contract_type", "mismatch_reason")
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    rule = "| " + " | ".join("-" * width for width in widths) + " |"
    return "\n".join([text[0], rule, *text[1:]])


@macro
def default__get_table_columns_and_constraints(ctx: MacroContext) -> Any:
    """The parenthesis of columns and constraints."""
    return ctx.call("table_columns_and_constraints")


@macro
def table_columns_and_constraints(ctx: MacroContext) -> str:
    """Columns with types and constraints, then the model's own constraints, in parentheses."""
    parts = columns_with_constraints(ctx, ctx.model.get("columns") or {})
    parts += model_constraints(ctx, ctx.model.get("constraints") or [])
    return "(\n    " + ",\n    ".join(parts) + "\n    )"


@macro
def columns_with_constraints(ctx: MacroContext, columns: Columns) -> list[str]:
    """Each column with its type and constraints. Ours: what `adapter.render_raw_columns_constraints` gives."""
    return [
        " ".join([f"{quoted_name(ctx, column)} {column['data_type']}", *_column_constraints(ctx, column)])
        for column in columns.values()
    ]


@macro
def model_constraints(ctx: MacroContext, constraints: Iterable[Any]) -> list[str]:
    """The model's own constraints. Ours: what `adapter.render_raw_model_constraints` gives."""
    return [text for constraint in constraints if (text := _model_constraint(ctx, constraint))]


def _column_constraints(ctx: MacroContext, column: Mapping[str, Any]) -> list[str]:
    texts = []
    for constraint in column.get("constraints") or []:
        kind, expression = str(field(constraint, "type")), field(constraint, "expression") or ""
        to, to_columns = _target(ctx, constraint), field(constraint, "to_columns")
        if kind in ("not_null", "unique", "primary_key"):
            texts.append(f"{kind.replace('_', ' ')} {expression}".strip())
        elif kind == "check" and expression:
            texts.append(f"check ({expression})")
        elif kind == "foreign_key" and to and to_columns:
            texts.append(f"references {to} ({', '.join(to_columns)})")
        elif kind == "foreign_key" and expression:
            texts.append(f"references {expression}")
        elif kind == "custom" and expression:
            texts.append(expression)
    return texts


def _target(ctx: MacroContext, constraint: Any) -> str | None:
    """The table that a foreign key names; `ref('a')` and `source('s', 't')` go where the run's references go."""
    to = field(constraint, "to")
    if to and re.match(r"(ref|source)\s*\(", to.strip()):
        to = ctx.variable("render")(f"{{{{ ({to}).render() }}}}")
    return ctx.dialect.ddl.constraint_target(to) if to else None


def _model_constraint(ctx: MacroContext, constraint: Any) -> str | None:
    kind, expression = str(field(constraint, "type")), field(constraint, "expression") or ""
    to, to_columns = _target(ctx, constraint), field(constraint, "to_columns")
    name = f"constraint {field(constraint, 'name')} " if field(constraint, "name") else ""
    columns = ", ".join(field(constraint, "columns") or [])
    if kind == "check" and expression:
        return f"{name}check ({expression})"
    if kind in ("unique", "primary_key"):
        return f"{name}{kind.replace('_', ' ')}{f' {expression}' if expression else ''} ({columns})"
    if kind == "foreign_key" and to and to_columns:
        return f"{name}foreign key ({columns}) references {to} ({', '.join(to_columns)})"
    if kind == "foreign_key" and expression:
        return f"{name}foreign key ({columns}) references {expression}"
    return f"{name}{expression}" if kind == "custom" and expression else None


@macro
def default__get_column_names(ctx: MacroContext) -> str:
    """The contract's columns, as a list for SQL."""
    columns: Columns = ctx.model.get("columns") or {}
    return ", ".join(quoted_name(ctx, column) for column in columns.values())


@macro
def default__get_select_subquery(ctx: MacroContext, sql: str) -> str:
    """The query with its columns in the contract's order."""
    names = ctx.dispatch("get_column_names", "dbt")()
    return f"select {names}\n    from (\n        {sql}\n    ) as model_subq"


@macro
def get_column_names(ctx: MacroContext) -> str:
    """The contract's columns in parentheses (dbt-duckdb's macro of that name)."""
    return f"({ctx.dispatch('get_column_names', 'dbt')()})"


@macro
def get_quoted_csv(ctx: MacroContext, column_names: Iterable[str]) -> str:
    """Names in quotes, with commas between them."""
    return ", ".join(quoted(ctx, str(name)) for name in column_names)
