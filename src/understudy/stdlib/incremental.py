"""Incremental models: what a strategy says, and schema changes (dbt 1.11: materializations/models/incremental)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from understudy.core.relation import Relation
from understudy.core.statement import ColumnType
from understudy.errors import ExecutionError
from understudy.stdlib.support import Table, as_relation, field, flag, names_of, send
from understudy.template.scope import MacroContext

macro = MACROS = Table()
STRATEGIES = ("append", "delete_insert", "merge", "insert_overwrite", "microbatch", "default")
macro.dispatched(*(f"get_incremental_{strategy}_sql" for strategy in STRATEGIES))
macro.dispatched("validate_incremental_strategy", "validate_microbatch")
macro.dispatched("get_delete_insert_merge_sql", "check_for_schema_changes", "sync_column_schemas")
macro.dispatched("process_schema_changes", "diff_column_data_types", "alter_column_type")
macro.dispatched("alter_relation_add_remove_columns")

BUILT_IN = ("append", "delete+insert", "merge", "insert_overwrite", "microbatch")
"""dbt 1.11: builtin_incremental_strategies."""
ON_SCHEMA_CHANGE = ("sync_all_columns", "append_new_columns", "fail", "ignore")


@macro
def is_incremental(ctx: MacroContext) -> bool:
    """Whether this run adds to an existing table: the model is incremental, its table exists, no full refresh."""
    if not ctx.execute or ctx.database is None or ctx.this is None:
        return False
    if field(field(ctx.model, "config"), "materialized") != "incremental":
        return False
    this = as_relation(ctx.this)
    found = ctx.database.relation(this.database, this.schema or "", this.identifier or "")
    return found is not None and found.type == "table" and not ctx.call("should_full_refresh")


@macro
def should_full_refresh(ctx: MacroContext) -> Any:
    """The model's `full_refresh`, else `--full-refresh`."""
    configured = ctx.config.get("full_refresh")
    return flag(ctx, "FULL_REFRESH") if configured is None else configured


@macro
def incremental_validate_on_schema_change(
    ctx: MacroContext, on_schema_change: str | None, default: str = "ignore"
) -> str:
    """The word itself, or the default for one that means nothing (dbt logs that, and goes on)."""
    return on_schema_change if on_schema_change in ON_SCHEMA_CHANGE else default


@macro
def default__get_incremental_append_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """Add the new rows."""
    return ctx.call(
        "get_insert_into_sql", arg_dict["target_relation"], arg_dict["temp_relation"], arg_dict["dest_columns"]
    )


@macro
def default__get_incremental_delete_insert_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """Delete the rows that have new versions, then add the new rows."""
    return ctx.call(
        "get_delete_insert_merge_sql",
        arg_dict["target_relation"],
        arg_dict["temp_relation"],
        arg_dict["unique_key"],
        arg_dict["dest_columns"],
        arg_dict["incremental_predicates"],
    )


@macro
def default__get_incremental_default_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """The strategy of a model that names none: append."""
    return ctx.call("get_incremental_append_sql", arg_dict)


@macro
def duckdb__get_incremental_default_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """On DuckDB: delete and insert; without a unique_key that only adds (dbt-duckdb 1.11)."""
    return ctx.call("get_incremental_delete_insert_sql", arg_dict)


def _unavailable(strategy: str) -> Any:
    def refuse(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
        raise ExecutionError(
            f"The incremental strategy '{strategy}' is not valid for this adapter ({ctx.dialect.name})",
            hint="Use append, delete+insert or merge.",
        )

    return refuse


for _strategy in ("insert_overwrite", "microbatch"):
    MACROS[f"default__get_incremental_{_strategy}_sql"] = _unavailable(_strategy)


@macro
def default__get_incremental_merge_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """Update the rows that have new versions, insert the others."""
    names = ("target_relation", "temp_relation", "unique_key", "dest_columns", "incremental_predicates")
    return ctx.call("get_merge_sql", *(arg_dict[name] for name in names))


@macro
def default__validate_incremental_strategy(ctx: MacroContext, strategy: str) -> str:
    """Ours: a strategy that the engine does not have is told before anything is built. Raises JinjaError, ExecutionError."""
    adapter = ctx.variable("adapter")
    adapter.get_incremental_strategy_macro(None, strategy)
    if strategy in BUILT_IN and strategy not in adapter.valid_incremental_strategies():
        raise ExecutionError(
            f"The incremental strategy '{strategy}' is not valid for this adapter",
            hint=f"Use {', '.join(adapter.valid_incremental_strategies())}.",
        )
    return ""


@macro
def duckdb__validate_incremental_strategy(ctx: MacroContext, strategy: str) -> str:
    """On DuckDB a strategy of another engine is told when it is needed: a project for that one can be tried out (dbt-duckdb
    1.11)."""
    ctx.variable("adapter").get_incremental_strategy_macro(None, strategy)
    return ""


@macro
def default__validate_microbatch(ctx: MacroContext) -> str:
    """Ours: what the engine's batches lack in the model's config is told before the first one. Raises ExecutionError."""
    return ""


@macro
def get_incremental_sql(ctx: MacroContext, strategy: str, arg_dict: Mapping[str, Any]) -> str:
    """What a strategy's macro says, one of the project's own among them. Raises JinjaError when there is none.

    Ours; dbt's materialization asks the adapter for the macro.
    """
    return str(ctx.variable("adapter").get_incremental_strategy_macro(None, strategy)(arg_dict))


@macro
def get_insert_into_sql(ctx: MacroContext, target_relation: Any, temp_relation: Any, dest_columns: Any) -> str:
    """Insert all rows of one relation into another."""
    columns = ctx.call("get_quoted_csv", names_of(dest_columns))
    return f"insert into {target_relation} ({columns})\n    (\n        select {columns}\n        from {temp_relation}\n    )"


def _predicates(incremental_predicates: Any) -> list[str]:
    if isinstance(incremental_predicates, str):
        return [incremental_predicates]
    return [str(predicate) for predicate in incremental_predicates or ()]


@macro
def default__get_delete_insert_merge_sql(
    ctx: MacroContext, target: Any, source: Any, unique_key: Any, dest_columns: Any, incremental_predicates: Any = None
) -> str:
    """Delete by key, then insert; two statements in one text."""
    insert = str(ctx.call("get_insert_into_sql", target, source, dest_columns))
    if not unique_key:
        return insert
    keys = ", ".join([unique_key] if isinstance(unique_key, str) else unique_key)
    more = "".join(f"\n                and {predicate}" for predicate in _predicates(incremental_predicates))
    return (
        f"delete from {target} as DBT_INTERNAL_DEST\n        where ({keys}) in (\n"
        f"            select distinct {keys}\n            from {source} as DBT_INTERNAL_SOURCE\n        ){more};\n\n"
        f"    {insert}"
    )


@macro
def duckdb__get_delete_insert_merge_sql(
    ctx: MacroContext, target: Any, source: Any, unique_key: Any, dest_columns: Any, incremental_predicates: Any = None
) -> str:
    """On DuckDB several keys are compared one by one in a `using` (dbt-duckdb 1.11)."""
    insert = str(ctx.call("get_insert_into_sql", target, source, dest_columns))
    if not unique_key:
        return insert
    predicates = _predicates(incremental_predicates)
    if isinstance(unique_key, str):
        more = "".join(f"\n                and {predicate}" for predicate in predicates)
        delete = (
            f"delete from {target}\n            where (\n                {unique_key}) in (\n"
            f"                select ({unique_key})\n                from {source}\n            ){more};"
        )
    else:
        pairs = [f"{source}.{key} = DBT_INCREMENTAL_TARGET.{key}" for key in unique_key]
        condition = "\n                and ".join([*pairs, *predicates])
        delete = (
            f"delete from {target} as DBT_INCREMENTAL_TARGET\n            using {source}\n"
            f"            where (\n                {condition}\n            );"
        )
    return f"{delete}\n\n    {insert}"


# Schema changes ------------------------------------------------------------------------------------------------


@macro
def diff_columns(ctx: MacroContext, source_columns: Any, target_columns: Any) -> list[Any]:
    """The columns of the first that the second does not have, by name."""
    known = set(names_of(target_columns))
    return [column for column in source_columns if str(column.name) not in known]


@macro
def default__diff_column_data_types(ctx: MacroContext, source_columns: Any, target_columns: Any) -> list[Any]:
    """{column_name, new_type} for each column whose type differs."""
    old = {str(column.name): column for column in target_columns}
    return [
        {"column_name": column.name, "new_type": column.data_type}
        for column in source_columns
        if column.name in old and old[column.name].data_type != column.data_type
    ]


@macro
def default__check_for_schema_changes(ctx: MacroContext, source_relation: Any, target_relation: Any) -> dict[str, Any]:
    """What differs between the columns of two relations."""
    source = ctx.call("get_columns_in_relation", source_relation)
    target = ctx.call("get_columns_in_relation", target_relation)
    added = ctx.call("diff_columns", source, target)
    removed = ctx.call("diff_columns", target, source)
    types = ctx.call("diff_column_data_types", source, target)
    return {
        "schema_changed": bool(added or removed or types),
        "source_not_in_target": added,
        "target_not_in_source": removed,
        "source_columns": source,
        "target_columns": target,
        "new_target_types": types,
    }


@macro
def default__process_schema_changes(
    ctx: MacroContext, on_schema_change: str, source_relation: Any, target_relation: Any
) -> Any:
    """Bring the target's columns to the source's, or refuse; returns the columns to insert, {} for `ignore`."""
    if on_schema_change == "ignore":
        return {}
    changes = ctx.call("check_for_schema_changes", source_relation, target_relation)
    if not changes["source_columns"]:  # nobody builds a table without columns: they cannot be seen
        return _without_columns(ctx, on_schema_change, source_relation)
    if changes["schema_changed"]:
        if on_schema_change == "fail":
            raise _out_of_sync(changes)
        ctx.call("sync_column_schemas", on_schema_change, target_relation, changes)
    return changes["source_columns"]


def _without_columns(ctx: MacroContext, on_schema_change: str, source: Any) -> dict[str, Any]:
    """The new rows' columns could not be read: nothing that would drop columns may follow. Raises ExecutionError."""
    message = f"Could not read any columns of {source}"
    if on_schema_change != "append_new_columns":
        hint = "The engine's catalog may not show temporary relations to this session."
        raise ExecutionError(f"{message}, so on_schema_change '{on_schema_change}' cannot be carried out", hint=hint)
    ctx.variable("exceptions")["warn"](f"{message}, so no new columns are added")
    return {}


def _out_of_sync(changes: Mapping[str, Any]) -> ExecutionError:
    def listed(columns: Sequence[ColumnType]) -> str:
        return ", ".join(f"{column.name} {column.data_type}" for column in columns) or "none"

    types = ", ".join(f"{change['column_name']} to {change['new_type']}" for change in changes["new_target_types"])
    return ExecutionError(
        "The columns of the incremental model's query and of its table differ, and on_schema_change is 'fail'.\n"
        f"Not in the table: {listed(changes['source_not_in_target'])}\n"
        f"Not in the query: {listed(changes['target_not_in_source'])}\nNew types: {types or 'none'}",
        hint="Set on_schema_change to append_new_columns or sync_all_columns, or run with --full-refresh.",
    )


@macro
def default__sync_column_schemas(
    ctx: MacroContext, on_schema_change: str, target_relation: Any, schema_changes_dict: Mapping[str, Any]
) -> str:
    """Add columns; with sync_all_columns also remove columns and change types."""
    added = schema_changes_dict["source_not_in_target"]
    removed = schema_changes_dict["target_not_in_source"] if on_schema_change == "sync_all_columns" else []
    if added or removed:
        ctx.call("alter_relation_add_remove_columns", target_relation, added, removed)
    if on_schema_change == "sync_all_columns":
        for change in schema_changes_dict["new_target_types"]:
            ctx.call("alter_column_type", target_relation, change["column_name"], change["new_type"])
    return ""


@macro
def default__alter_relation_add_remove_columns(
    ctx: MacroContext, relation: Any, add_columns: Any = None, remove_columns: Any = None
) -> str:
    """Add and remove columns, one statement each."""
    target: Relation = as_relation(relation)
    for column in add_columns or ():
        send(ctx, ctx.dialect.ddl.add_column(target, str(column.name), str(column.data_type)), "alter")
    for column in remove_columns or ():
        send(ctx, ctx.dialect.ddl.drop_column(target, str(column.name)), "alter")
    return ""


@macro
def default__alter_column_type(ctx: MacroContext, relation: Any, column_name: str, new_column_type: str) -> str:
    """Change a column's type in place."""
    send(ctx, ctx.dialect.ddl.alter_column_type(as_relation(relation), column_name, new_column_type), "alter")
    return ""
