"""The `merge` strategy, for engines that have the statement (dbt 1.11: materializations/models/incremental/merge)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from understudy.errors import ExecutionError
from understudy.stdlib.support import Table, names_of, quoted
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("get_merge_sql", "get_merge_update_columns", "get_merge_unique_key_match")


@macro
def default__get_merge_unique_key_match(ctx: MacroContext, source_unique_key: str, target_unique_key: str) -> str:
    """The condition that two rows are versions of one."""
    return str(ctx.call("equals", source_unique_key, target_unique_key)).strip()


@macro
def default__get_merge_update_columns(
    ctx: MacroContext, merge_update_columns: Any, merge_exclude_columns: Any, dest_columns: Any
) -> list[str]:
    """The columns that a new version changes: those that are configured, all but the excluded ones, or all."""
    if merge_update_columns and merge_exclude_columns:
        raise ExecutionError("A model cannot have both merge_update_columns and merge_exclude_columns")
    if merge_update_columns:
        return list(merge_update_columns)
    excluded = {str(name).lower() for name in merge_exclude_columns or ()}
    return [quoted(ctx, name) for name in names_of(dest_columns) if name.lower() not in excluded]


@macro
def default__get_merge_sql(
    ctx: MacroContext, target: Any, source: Any, unique_key: Any, dest_columns: Any, incremental_predicates: Any = None
) -> str:
    """`merge into`: rows with a known key are updated, others inserted; without a key all are inserted."""
    columns = ctx.call("get_quoted_csv", names_of(dest_columns))
    conditions = [*_listed(incremental_predicates), *_key_conditions(ctx, unique_key)]
    update = ""
    if unique_key:
        changed = ctx.call(
            "get_merge_update_columns",
            ctx.config.get("merge_update_columns"),
            ctx.config.get("merge_exclude_columns"),
            dest_columns,
        )
        assignments = ", ".join(f"{name} = DBT_INTERNAL_SOURCE.{name}" for name in changed)
        update = f"\n    when matched then update set\n        {assignments}\n"
    header = ctx.config.get("sql_header")
    return (
        (f"{header}\n" if header is not None else "")
        + f"merge into {target} as DBT_INTERNAL_DEST\n        using {source} as DBT_INTERNAL_SOURCE\n"
        + f"        on ({') and ('.join(conditions)})\n{update}\n"
        + f"    when not matched then insert\n        ({columns})\n    values\n        ({columns})"
    )


def _key_conditions(ctx: MacroContext, unique_key: Any) -> Sequence[str]:
    if not unique_key:
        return ["FALSE"]
    if isinstance(unique_key, str):
        match = ctx.call(
            "get_merge_unique_key_match", f"DBT_INTERNAL_SOURCE.{unique_key}", f"DBT_INTERNAL_DEST.{unique_key}"
        )
        return [str(match)]
    return [f"DBT_INTERNAL_SOURCE.{key} = DBT_INTERNAL_DEST.{key}" for key in unique_key]


def _listed(predicates: Any) -> list[str]:
    return [predicates] if isinstance(predicates, str) else [str(each) for each in predicates or ()]
