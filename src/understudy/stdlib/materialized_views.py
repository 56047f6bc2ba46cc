"""Materialized views, for engines that have them (dbt 1.11: relations/materialized_view, relations/replace)."""

from __future__ import annotations

from typing import Any

from understudy.errors import ExecutionError
from understudy.stdlib.support import Table, as_relation
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
