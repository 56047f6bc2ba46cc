"""Materialized views, for engines that have them (dbt 1.11: relations/materialized_view, relations/replace)."""

from __future__ import annotations

from typing import Any

from understudy.errors import ExecutionError
from understudy.stdlib.support import Table, as_relation, database_of
from understudy.template.scope import BuiltinMacro, MacroContext

macro = MACROS = Table()
macro.dispatched("get_create_materialized_view_as_sql", "refresh_materialized_view", "get_replace_sql")
macro.dispatched("get_materialized_view_configuration_changes", "get_alter_materialized_view_as_sql")
macro.dispatched("describe_materialized_view", "get_show_indexes_sql", "get_drop_index_sql", "drop_materialized_view")


def _unavailable(name: str) -> BuiltinMacro:
    def refuse(ctx: MacroContext, *args: Any, **kwargs: Any) -> Any:
        raise ExecutionError(f"Materialized views are not available on {ctx.dialect.name} ({name})")

    return refuse


for _name in (
    "get_create_materialized_view_as_sql", "refresh_materialized_view", "get_materialized_view_configuration_changes",
    "get_alter_materialized_view_as_sql", "describe_materialized_view", "get_show_indexes_sql", "get_drop_index_sql",
):  # fmt: skip
    MACROS[f"default__{_name}"] = _unavailable(_name)


@macro
def default__drop_materialized_view(ctx: MacroContext, relation: Any) -> str:
    """The statement that drops a materialized view."""
    return str(ctx.dialect.ddl.drop(as_relation(relation).with_type("materialized_view")))


@macro
def default__get_replace_sql(ctx: MacroContext, existing_relation: Any, target_relation: Any, sql: str) -> str:
    """One relation in place of another; the statements belong into one transaction."""
    return (
        f"{ctx.dialect.ddl.drop(as_relation(existing_relation))};\n{ctx.call('get_create_sql', target_relation, sql)}"
    )


@macro
def materialized_view_get_build_sql(
    ctx: MacroContext, existing_relation: Any, target_relation: Any, backup_relation: Any, intermediate_relation: Any
) -> str:
    """What has to be done: create, replace, refresh, or bring the configuration up to date; empty for nothing.

    A view that went with a relation below it, dropped in this run, is created anew. Raises ExecutionError where
    `on_configuration_change` is `fail`, or no word that there is.
    """
    sql, existing = str(ctx.variable("sql")), None if existing_relation is None else as_relation(existing_relation)
    is_view = existing is not None and existing.type == "materialized_view"
    if existing is None or (is_view and not database_of(ctx).columns(existing)):
        return str(ctx.call("get_create_materialized_view_as_sql", target_relation, sql))
    if not is_view or ctx.call("should_full_refresh"):
        return str(ctx.call("get_replace_sql", existing_relation, target_relation, sql))
    changes = ctx.call("get_materialized_view_configuration_changes", existing_relation, ctx.config)
    if changes is None:
        return str(ctx.call("refresh_materialized_view", target_relation))
    found = f"Configuration changes were identified for {target_relation}"
    match ctx.config.get("on_configuration_change") or "apply":
        case "apply":
            relations = (existing_relation, backup_relation, intermediate_relation)
            return str(ctx.call("get_alter_materialized_view_as_sql", target_relation, changes, sql, *relations))
        case "continue":
            ctx.variable("exceptions")["warn"](f"{found}, and on_configuration_change is 'continue'")
            return ""
        case "fail":
            raise ExecutionError(f"{found}, and on_configuration_change is 'fail'")
        case other:
            raise ExecutionError(f"on_configuration_change must be apply, continue or fail, got '{other}'")
