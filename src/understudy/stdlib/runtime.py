"""What a materialization does beside the relation itself: comments, grants, indexes, hooks' helpers, the clock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from understudy.errors import ExecutionError
from understudy.stdlib.support import Table, as_relation, database_of, field, send
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("persist_docs", "apply_grants", "create_indexes", "get_create_index_sql", "copy_grants")
macro.dispatched("alter_relation_comment", "alter_column_comment")
macro.dispatched("current_timestamp", "current_timestamp_backcompat", "current_timestamp_in_utc_backcompat")
macro.dispatched("snapshot_get_time", "snapshot_string_as_time")


@macro
def default__persist_docs(
    ctx: MacroContext, relation: Any, model: Any, for_relation: bool = True, for_columns: bool = True
) -> str:
    """Descriptions into the engine's catalog, as far as `persist_docs` asks for them."""
    wanted: Mapping[str, Any] = ctx.config.get("persist_docs") or {}
    description = field(model, "description")
    if for_relation and wanted.get("relation") and description:
        send(ctx, ctx.call("alter_relation_comment", relation, description), "comment")
    columns: Mapping[str, Mapping[str, Any]] = field(model, "columns") or {}
    if for_columns and wanted.get("columns") and columns:
        names = [column.name for column in database_of(ctx).columns(as_relation(relation))]
        columns = ctx.call("validate_doc_columns", relation, columns, names)
        sql = str(ctx.call("alter_column_comment", relation, columns))
        if sql.strip():
            send(ctx, sql, "comment")
    return ""


@macro
def default__alter_relation_comment(ctx: MacroContext, relation: Any, relation_comment: str) -> str:
    """The statement that describes a relation."""
    return str(ctx.dialect.ddl.comment(as_relation(relation), relation_comment))


@macro
def default__alter_column_comment(ctx: MacroContext, relation: Any, column_dict: Mapping[str, Any]) -> str:
    """The statements that describe the columns that the relation has."""
    target = as_relation(relation)
    existing = {column.name.lower(): column.name for column in database_of(ctx).columns(target)}
    statements = [
        ctx.dialect.ddl.comment_column(target, existing[name.lower()], column["description"])
        for name, column in column_dict.items()
        if name.lower() in existing and column.get("description")
    ]
    return ";\n".join(statements)


@macro
def default__copy_grants(ctx: MacroContext) -> bool:
    """Whether a relation that is replaced keeps its grants."""
    return True


@macro
def should_revoke(ctx: MacroContext, existing_relation: Any, full_refresh_mode: bool = True) -> bool:
    """Whether earlier grants may still stand on the relation."""
    if not existing_relation:
        return False
    return bool(ctx.call("copy_grants")) if full_refresh_mode else True


@macro
def default__apply_grants(ctx: MacroContext, relation: Any, grant_config: Any, should_revoke: bool = True) -> str:
    """Grants of an engine that has none here: nothing is configured, or the engine says that it cannot."""
    if grant_config:
        raise ExecutionError(f"Grants are not available on {ctx.dialect.name}")
    return ""


@macro
def duckdb__apply_grants(ctx: MacroContext, relation: Any, grant_config: Any, should_revoke: bool = True) -> str:
    """DuckDB has no roles: a warning, once in a run, so that one project serves several engines (dbt-duckdb 1.11)."""
    if grant_config:
        ctx.variable("adapter").warn_once("Grants for relations are not supported by DuckDB")
    return ""


@macro
def default__create_indexes(ctx: MacroContext, relation: Any) -> str:
    """The indexes of the model's config."""
    for index in configured_indexes(ctx):
        sql = ctx.call("get_create_index_sql", relation, index)
        if sql:
            send(ctx, str(sql), "index")
    return ""


def configured_indexes(ctx: MacroContext) -> list[Any]:
    """The indexes of the config; one that stands there twice is made twice, as in dbt, so the second is told apart."""
    given = list(ctx.config.get("indexes") or ())
    return [
        {**index, "again": again} if isinstance(index, Mapping) and (again := given[:place].count(index)) else index
        for place, index in enumerate(given)
    ]


def index_name(ctx: MacroContext, relation: Any, index: Any, *parts: str) -> str:
    """A name that no other run gave: the old table's index may still be there."""
    names = [
        *parts,
        as_relation(relation).render(),
        str(ctx.variable("invocation_id")),
        str(field(index, "again") or ""),
    ]
    return hashlib.md5("_".join(names).encode(), usedforsecurity=False).hexdigest()


@macro
def default__get_create_index_sql(ctx: MacroContext, relation: Any, index_dict: Any) -> str | None:
    """None: the engine has no indexes."""
    return None


@macro
def duckdb__get_create_index_sql(ctx: MacroContext, relation: Any, index_dict: Mapping[str, Any]) -> str:
    """`create index`."""
    columns: Sequence[str] | None = field(index_dict, "columns")
    if not columns or isinstance(columns, str):
        raise ExecutionError(f"An index needs a list of columns, got {index_dict!r}")
    unique = bool(field(index_dict, "unique"))
    target = as_relation(relation)
    name = index_name(ctx, target, index_dict, *columns, str(unique))
    return str(ctx.dialect.ddl.create_index(target, name, columns, unique))


@macro
def default__current_timestamp(ctx: MacroContext) -> str:
    """The engine's present."""
    return str(ctx.dialect.ddl.current_timestamp)


@macro
def default__current_timestamp_backcompat(ctx: MacroContext) -> str:
    """The present without a zone, as old packages ask for it."""
    return "\n    current_timestamp::timestamp\n"


@macro
def default__current_timestamp_in_utc_backcompat(ctx: MacroContext) -> Any:
    """The same; the name promises more than dbt's default does."""
    return ctx.call("current_timestamp_backcompat")


@macro
def default__snapshot_get_time(ctx: MacroContext) -> Any:
    """The present, as snapshots write it down."""
    return ctx.call("current_timestamp")


@macro
def duckdb__snapshot_get_time(ctx: MacroContext) -> str:
    """Without a zone on DuckDB."""
    return f"{ctx.call('current_timestamp')}::timestamp"


@macro
def duckdb__snapshot_string_as_time(ctx: MacroContext, timestamp: Any) -> str:
    """A time as SQL."""
    return f"'{timestamp}'::timestamp"


@macro
def make_hook_config(ctx: MacroContext, sql: str, inside_transaction: bool) -> str:
    """A hook as the JSON text that the config understands."""
    return json.dumps({"sql": sql, "transaction": inside_transaction})


@macro
def before_begin(ctx: MacroContext, sql: str) -> Any:
    """A hook that runs before the transaction."""
    return ctx.call("make_hook_config", sql, False)


@macro
def in_transaction(ctx: MacroContext, sql: str) -> Any:
    """A hook that runs in the transaction."""
    return ctx.call("make_hook_config", sql, True)


@macro
def after_commit(ctx: MacroContext, sql: str) -> Any:
    """A hook that runs after the transaction."""
    return ctx.call("make_hook_config", sql, False)
