"""The four generic tests, and what surrounds a test's query (dbt 1.11: generic_test_sql, materializations/tests)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from understudy.stdlib.support import Table, flag
from understudy.template.scope import BuiltinMacro, MacroContext

macro = MACROS = Table()
macro.dispatched("get_where_subquery", "get_test_sql")


def _test(name: str) -> BuiltinMacro:
    def call(ctx: MacroContext, *args: Any, **kwargs: Any) -> str:
        return f"\n    \n    {ctx.dispatch(name, 'dbt')(*args, **kwargs)}\n"

    return call


for _name in ("test_unique", "test_not_null", "test_accepted_values", "test_relationships"):
    MACROS[_name] = _test(_name)


@macro
def default__test_unique(ctx: MacroContext, model: Any, column_name: str) -> str:
    """Values that occur more than once."""
    return (
        f"\n\nselect\n    {column_name} as unique_field,\n    count(*) as n_records\n\nfrom {model}\n"
        f"where {column_name} is not null\ngroup by {column_name}\nhaving count(*) > 1\n\n"
    )


@macro
def default__test_not_null(ctx: MacroContext, model: Any, column_name: str) -> str:
    """Rows without a value; the whole rows where they are stored."""
    columns = "*" if ctx.call("should_store_failures") else column_name
    return f"\n\n\n\nselect {columns}\nfrom {model}\nwhere {column_name} is null\n\n"


@macro
def default__test_accepted_values(
    ctx: MacroContext, model: Any, column_name: str, values: Iterable[Any], quote: bool = True
) -> str:
    """Values that are not among the accepted ones."""
    accepted = ",".join(f"'{value}'" if quote else str(value) for value in values)
    return (
        f"\n\nwith all_values as (\n\n    select\n        {column_name} as value_field,\n        count(*) as n_records\n\n"
        f"    from {model}\n    group by {column_name}\n\n)\n\n"
        f"select *\nfrom all_values\nwhere value_field not in (\n    {accepted}\n)\n\n"
    )


@macro
def default__test_relationships(ctx: MacroContext, model: Any, column_name: str, to: Any, field: str) -> str:
    """Values that the other relation does not have."""
    return (
        f"\n\nwith child as (\n    select {column_name} as from_field\n    from {model}\n"
        f"    where {column_name} is not null\n),\n\n"
        f"parent as (\n    select {field} as to_field\n    from {to}\n)\n\n"
        "select\n    from_field\n\nfrom child\nleft join parent\n    on child.from_field = parent.to_field\n\n"
        "where parent.to_field is null\n\n"
    )


@macro
def default__get_where_subquery(ctx: MacroContext, relation: Any) -> Any:
    """The relation, or the part of it that the test's `where` keeps."""
    where = ctx.config.get("where", "")
    return f"(select * from {relation} where {where}) dbt_subquery" if where else relation


@macro
def default__get_test_sql(
    ctx: MacroContext, main_sql: str, fail_calc: str, warn_if: str, error_if: str, limit: int | None = None
) -> str:
    """One row: the number of failures, whether to warn, whether to fail."""
    limited = f"\n      limit {limit}" if limit is not None else ""
    return (
        f"select\n      {fail_calc} as failures,\n      {fail_calc} {warn_if} as should_warn,\n"
        f"      {fail_calc} {error_if} as should_error\n    from (\n      {main_sql}{limited}\n    ) dbt_internal_test"
    )


@macro
def get_limit_subquery_sql(ctx: MacroContext, sql: str, limit: int | None) -> str:
    """A query with a limit, or as it stands."""
    return str(ctx.dispatch("get_limit_sql", "dbt")(sql, limit))


@macro
def default__get_limit_sql(ctx: MacroContext, sql: str, limit: int | None) -> str:
    """`limit` at the query's end."""
    return sql if limit is None else f"{sql}\n  limit {limit}"


@macro
def get_show_sql(ctx: MacroContext, compiled_code: str, sql_header: str | None, limit: int | None) -> str:
    """The query of `show`."""
    header = f"{sql_header}\n" if sql_header is not None else ""
    return header + str(ctx.call("get_limit_subquery_sql", compiled_code, limit))


@macro
def should_store_failures(ctx: MacroContext) -> Any:
    """The test's `store_failures`, else `--store-failures`."""
    configured = ctx.config.get("store_failures")
    return flag(ctx, "STORE_FAILURES") if configured is None else configured
