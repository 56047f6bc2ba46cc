"""Copies of what stands in another environment (dbt 1.11: models/clone). Projects override them for their engine."""

from __future__ import annotations

from typing import Any

from understudy.stdlib.spark import file_format
from understudy.stdlib.support import Table, as_relation, quoted_name
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("can_clone_table", "create_or_replace_clone", "get_clone_query_sql")


@macro
def default__can_clone_table(ctx: MacroContext) -> bool:
    """Whether the engine copies a table without copying its rows. Neither DuckDB nor PostgreSQL does."""
    return False


@macro
def default__create_or_replace_clone(ctx: MacroContext, this_relation: Any, defer_relation: Any) -> str:
    """The statement that clones a table, where an engine has it."""
    source, target = as_relation(defer_relation), as_relation(this_relation)
    return f"create or replace table {target.render()} clone {source.render()}"


@macro
def spark__can_clone_table(ctx: MacroContext) -> bool:
    """Delta can (dbt-spark 1.11, which takes every table for one)."""
    return file_format(ctx) == "delta"


@macro
def spark__create_or_replace_clone(ctx: MacroContext, this_relation: Any, defer_relation: Any) -> str:
    """A shallow clone: it reads the files of the source until it is written to (dbt-spark 1.11)."""
    source, target = as_relation(defer_relation), as_relation(this_relation)
    return f"create or replace table {target.render()} shallow clone {source.render()}"


@macro
def default__get_clone_query_sql(ctx: MacroContext, defer_relation: Any, limit: int | None = None) -> str:
    """The query whose rows a copy holds; of `limit` rows the newest, where the node has an `event_time`. Ours."""
    query = f"select * from {as_relation(defer_relation).render()}"
    if limit is None:
        return query
    column = ctx.config.get("event_time")
    if column and limit:
        query += f" order by {_column(ctx, str(column))} desc"
    return str(ctx.call("get_limit_subquery_sql", query, limit))


def _column(ctx: MacroContext, name: str) -> str:
    """The column as the project wrote it, quoted where its properties say so."""
    columns = (ctx.model.get("columns") or {}).values()
    return next((quoted_name(ctx, each) for each in columns if each["name"] == name), name)
