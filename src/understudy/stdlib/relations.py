"""Creating, naming, dropping and describing relations (dbt 1.11: adapters/relation, relations/*, adapters/schema)."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from understudy.core.relation import Relation
from understudy.stdlib.support import Table, as_relation, database_of, field, send
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("create_table_as", "create_view_as", "get_create_table_as_sql", "get_create_view_as_sql")
macro.dispatched("drop_relation", "rename_relation", "truncate_relation", "create_schema", "drop_schema")
macro.dispatched("make_temp_relation", "make_intermediate_relation", "make_backup_relation")
macro.dispatched("get_or_create_relation", "information_schema_name")
macro.dispatched("drop_table", "drop_view", "get_create_sql", "get_drop_sql")


def _header(ctx: MacroContext) -> str:
    header = ctx.config.get("sql_header")
    return f"{header}\n" if header is not None else ""


def _enforced(ctx: MacroContext) -> bool:
    return bool(field(ctx.config.get("contract"), "enforced"))


@macro
def default__create_table_as(ctx: MacroContext, temporary: bool, relation: Any, sql: str) -> str:
    """`create table as`; with an enforced contract its columns and constraints are declared, and checked before."""
    target = as_relation(relation)
    name = replace(target, database=None, schema=None).render() if temporary else target.render()
    columns = ""
    if _enforced(ctx) and not temporary:
        ctx.call("get_assert_columns_equivalent", sql)
        columns = f"{ctx.call('get_table_columns_and_constraints')}\n"
        sql = str(ctx.call("get_select_subquery", sql))
    word = "temporary table" if temporary else "table"
    return f"{_header(ctx)}create {word}\n  {name}\n  {columns}as (\n    {sql}\n  );"


@macro
def duckdb__create_table_as(
    ctx: MacroContext,
    temporary: bool,
    relation: Any,
    compiled_code: str,
    language: str = "sql",
    partitioned_by: str | None = None,
    sorted_by: str | None = None,
) -> str:
    """As the default; a contract's table is created first and filled then, for DuckDB takes no column list with `as`.

    Of a Python model it is the script that does it.
    """
    if language == "python":
        more = {"partitioned_by": partitioned_by, "sorted_by": sorted_by}
        return str(
            ctx.call("py_write_table", temporary=temporary, relation=relation, compiled_code=compiled_code, **more)
        )
    if not _enforced(ctx) or temporary:
        if _enforced(ctx):
            ctx.call("get_assert_columns_equivalent", compiled_code)
        target = as_relation(relation)
        name = replace(target, database=None, schema=None).render() if temporary else target.render()
        word = "temporary table" if temporary else "table"
        return f"{_header(ctx)}create {word}\n  {name}\n  as (\n    {compiled_code}\n  );"
    ctx.call("get_assert_columns_equivalent", compiled_code)
    columns = ctx.call("get_table_columns_and_constraints")
    subquery = ctx.call("get_select_subquery", compiled_code)
    names = ctx.call("get_column_names")
    return (
        f"{_header(ctx)}create table\n  {relation}\n  {columns} ;\ninsert into {relation} {names} (\n  {subquery}\n);"
    )


@macro
def default__create_view_as(ctx: MacroContext, relation: Any, sql: str) -> str:
    """`create view as`; an enforced contract is checked before."""
    if _enforced(ctx):
        ctx.call("get_assert_columns_equivalent", sql)
    return f"{_header(ctx)}create view {relation} as (\n    {sql}\n  );"


@macro
def default__get_create_table_as_sql(ctx: MacroContext, temporary: bool, relation: Any, sql: str) -> Any:
    """The name under which newer macros ask for `create_table_as`."""
    return ctx.call("create_table_as", temporary, relation, sql)


@macro
def default__get_create_view_as_sql(ctx: MacroContext, relation: Any, sql: str) -> Any:
    """The name under which newer macros ask for `create_view_as`."""
    return ctx.call("create_view_as", relation, sql)


@macro
def default__get_create_sql(ctx: MacroContext, relation: Any, sql: str) -> Any:
    """The statement that creates a relation of its type."""
    if as_relation(relation).type == "view":
        return ctx.call("get_create_view_as_sql", relation, sql)
    return ctx.call("get_create_table_as_sql", False, relation, sql)


@macro
def default__get_drop_sql(ctx: MacroContext, relation: Any) -> str:
    """The statement that drops a relation of its type."""
    return str(ctx.dialect.ddl.drop(as_relation(relation)))


@macro
def default__drop_table(ctx: MacroContext, relation: Any) -> str:
    """The statement that drops a table."""
    return str(ctx.dialect.ddl.drop(as_relation(relation).with_type("table")))


@macro
def default__drop_view(ctx: MacroContext, relation: Any) -> str:
    """The statement that drops a view."""
    return str(ctx.dialect.ddl.drop(as_relation(relation).with_type("view")))


@macro
def default__drop_relation(ctx: MacroContext, relation: Any) -> str:
    """Drop a relation."""
    target = as_relation(relation)
    send(ctx, ctx.dialect.ddl.drop(target), "drop")
    database_of(ctx).dropped(target)
    return ""


@macro
def drop_relation_if_exists(ctx: MacroContext, relation: Any) -> str:
    """Drop a relation when there is one."""
    if relation is not None:
        ctx.call("drop_relation", relation)
    return ""


@macro
def default__rename_relation(ctx: MacroContext, from_relation: Any, to_relation: Any) -> str:
    """Give a relation the other's name; both are of the second's type."""
    old, new = as_relation(from_relation), as_relation(to_relation)
    old = old if old.type is not None else old.with_type(new.type)
    send(ctx, ctx.dialect.ddl.rename(old, new.identifier), "rename")
    database_of(ctx).renamed(old, new.with_type(old.type))
    return ""


@macro
def default__truncate_relation(ctx: MacroContext, relation: Any) -> str:
    """Empty a table."""
    send(ctx, ctx.dialect.ddl.truncate(as_relation(relation)), "truncate")
    return ""


@macro
def default__create_schema(ctx: MacroContext, relation: Any) -> str:
    """Create the relation's schema where it is missing."""
    send(ctx, ctx.dialect.ddl.create_schema(replace(as_relation(relation), identifier=None)), "schema")
    return ""


@macro
def default__drop_schema(ctx: MacroContext, relation: Any) -> str:
    """Drop the relation's schema with everything in it."""
    schema = replace(as_relation(relation), identifier=None)
    send(ctx, ctx.dialect.ddl.drop_schema(schema), "schema")
    database_of(ctx).dropped(schema)
    return ""


@macro
def default__make_temp_relation(ctx: MacroContext, base_relation: Any, suffix: str = "__dbt_tmp") -> Relation:
    """The name under which rows wait before they are merged."""
    base = as_relation(base_relation)
    return base.with_identifier(f"{base.identifier}{suffix}")


@macro
def duckdb__make_temp_relation(ctx: MacroContext, base_relation: Any, suffix: str = "__dbt_tmp") -> Relation:
    """A temporary table of the connection: it has no schema."""
    base = as_relation(base_relation)
    return replace(base, database=None, schema=None, identifier=f"{base.identifier}{suffix}")


@macro
def default__make_intermediate_relation(ctx: MacroContext, base_relation: Any, suffix: str = "__dbt_tmp") -> Relation:
    """The name under which a relation is built before it is swapped in."""
    base = as_relation(base_relation)
    return base.with_identifier(f"{base.identifier}{suffix}")


@macro
def default__make_backup_relation(
    ctx: MacroContext, base_relation: Any, backup_relation_type: Any, suffix: str = "__dbt_backup"
) -> Relation:
    """The name under which the old relation waits until the new one is in place."""
    base = as_relation(base_relation)
    return base.with_identifier(f"{base.identifier}{suffix}").with_type(backup_relation_type)


@macro
def load_cached_relation(ctx: MacroContext, relation: Any) -> Relation | None:
    """The relation with its type, or None when it is not there."""
    target = as_relation(relation)
    return database_of(ctx).relation(target.database, target.schema or "", target.identifier or "")


@macro
def load_relation(ctx: MacroContext, relation: Any) -> Any:
    """The old name of load_cached_relation."""
    return ctx.call("load_cached_relation", relation)


@macro
def default__get_or_create_relation(
    ctx: MacroContext, database: str | None, schema: str, identifier: str, type: Any
) -> list[Any]:
    """[whether it exists, the relation]."""
    found = database_of(ctx).relation(database, schema, identifier)
    return [True, found] if found else [False, ctx.dialect.relation(database, schema, identifier, type=type)]


@macro
def default__information_schema_name(ctx: MacroContext, database: str | None) -> str:
    """The schema that describes a database."""
    return f"{database}.INFORMATION_SCHEMA" if database else "INFORMATION_SCHEMA"
