"""One relation in place of another, as statements: backups, intermediates, names (dbt 1.11: macros/relations)."""

from __future__ import annotations

from typing import Any

from understudy.errors import ExecutionError
from understudy.stdlib.support import Table, as_relation
from understudy.template.scope import BuiltinMacro, MacroContext

macro = MACROS = Table()
macro.dispatched("get_create_backup_sql", "get_create_intermediate_sql", "get_drop_backup_sql", "get_rename_sql")
macro.dispatched("get_rename_intermediate_sql", "get_rename_table_sql", "get_rename_view_sql")
macro.dispatched("get_rename_materialized_view_sql", "get_replace_table_sql", "get_replace_view_sql")
macro.dispatched("get_replace_materialized_view_sql")


@macro
def default__get_rename_sql(ctx: MacroContext, relation: Any, new_name: str) -> str:
    """The statement that gives a relation of its type another name."""
    kind = as_relation(relation).type
    if kind not in ("table", "view", "materialized_view"):
        raise ExecutionError(f"A relation of type {kind} cannot be renamed: {relation}")
    return str(ctx.call(f"get_rename_{kind}_sql", relation, new_name))


def _rename(kind: Any) -> BuiltinMacro:
    def rename(ctx: MacroContext, relation: Any, new_name: str) -> str:
        return str(ctx.dialect.ddl.rename(as_relation(relation).with_type(kind), str(new_name)))

    return rename


def _replace(kind: Any) -> BuiltinMacro:
    def replace(ctx: MacroContext, relation: Any, sql: str) -> str:
        target = as_relation(relation).with_type(kind)
        return f"{ctx.call('get_drop_sql', target)};\n{ctx.call('get_create_sql', target, sql)}"

    return replace


for _kind in ("table", "view", "materialized_view"):
    MACROS[f"default__get_rename_{_kind}_sql"] = _rename(_kind)
    MACROS[f"default__get_replace_{_kind}_sql"] = _replace(_kind)


@macro
def default__get_create_backup_sql(ctx: MacroContext, relation: Any) -> str:
    """Statements that put a relation aside, under the backup's name."""
    backup = as_relation(ctx.call("make_backup_relation", relation, as_relation(relation).type))
    return f"{ctx.call('get_drop_sql', backup)};\n{ctx.call('get_rename_sql', relation, backup.identifier)}"


@macro
def default__get_drop_backup_sql(ctx: MacroContext, relation: Any) -> str:
    """The statement that drops what was put aside."""
    return str(ctx.call("get_drop_sql", ctx.call("make_backup_relation", relation, as_relation(relation).type)))


@macro
def default__get_create_intermediate_sql(ctx: MacroContext, relation: Any, sql: str) -> str:
    """Statements that build a relation under its intermediate name."""
    intermediate = ctx.call("make_intermediate_relation", relation)
    return f"{ctx.call('get_drop_sql', intermediate)};\n{ctx.call('get_create_sql', intermediate, sql)}"


@macro
def default__get_rename_intermediate_sql(ctx: MacroContext, relation: Any) -> str:
    """The statement that gives the intermediate relation its own name."""
    intermediate = ctx.call("make_intermediate_relation", relation)
    return str(ctx.call("get_rename_sql", intermediate, as_relation(relation).identifier))
