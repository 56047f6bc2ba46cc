"""How old a source is: one row with the newest moment of loading and the present (dbt 1.11: adapters/freshness.sql)."""

from __future__ import annotations

from typing import Any

from understudy.stdlib.support import Table
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("collect_freshness", "collect_freshness_custom_sql")


@macro
def default__collect_freshness(ctx: MacroContext, source: Any, loaded_at_field: str, filter: str | None = None) -> Any:
    """By a column; `filter` keeps a part of the table."""
    where = f"\nwhere {filter}" if filter else ""
    now = ctx.call("current_timestamp")
    return _asked(
        ctx,
        "collect_freshness",
        f"select\n  max({loaded_at_field}) as max_loaded_at,\n  {now} as snapshotted_at\nfrom {source}{where}",
    )


@macro
def default__collect_freshness_custom_sql(ctx: MacroContext, source: Any, loaded_at_query: str) -> Any:
    """By a query that gives the moment."""
    now = ctx.call("current_timestamp")
    return _asked(
        ctx,
        "collect_freshness_custom_sql",
        f"with source_query as (\n  {loaded_at_query}\n)\n"
        f"select\n  (select * from source_query) as max_loaded_at,\n  {now} as snapshotted_at",
    )


def _asked(ctx: MacroContext, name: str, sql: str) -> Any:
    ctx.call("statement", name, fetch_result=True, auto_begin=False, caller=lambda: sql)
    return ctx.variable("load_result")(name)
