"""Functions that Spark spells differently (dbt-spark 1.11: include/spark/macros/utils)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from understudy.errors import ExecutionError
from understudy.stdlib.support import Table
from understudy.template.scope import MacroContext

macro = MACROS = Table()


@macro
def spark__any_value(ctx: MacroContext, expression: str) -> str:
    """The first will do."""
    return f"first({expression})"


@macro
def spark__bool_or(ctx: MacroContext, expression: str) -> str:
    """The largest boolean."""
    return f"max({expression})"


@macro
def spark__array_construct(ctx: MacroContext, inputs: Sequence[Any] = (), data_type: str = "integer") -> str:
    """An array of the values; an empty one has a type."""
    return f"array({', '.join(map(str, inputs))})" if inputs else f"cast(array() as array<{data_type}>)"


@macro
def spark__array_append(ctx: MacroContext, array: str, new_element: Any) -> Any:
    """An array and one element more."""
    return ctx.call("array_concat", array, ctx.call("array_construct", [new_element]))


@macro
def spark__array_concat(ctx: MacroContext, array_1: str, array_2: str) -> str:
    """Two arrays, one after the other."""
    return f"concat({array_1}, {array_2})"


@macro
def spark__concat(ctx: MacroContext, fields: Sequence[str]) -> str:
    """Texts, one after the other."""
    return f"concat({', '.join(map(str, fields))})"


@macro
def spark__date(ctx: MacroContext, year: int, month: int, day: int) -> str:
    """A date."""
    return f"to_date('{date(year, month, day).isoformat()}', 'yyyy-MM-dd')"


@macro
def spark__escape_single_quotes(ctx: MacroContext, expression: str) -> str:
    """A quote inside of a text: behind a backslash."""
    return expression.replace("'", "\\'")


PARTS = ("microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")


def _part(name: str, macro_name: str) -> str:
    part = str(name).strip("'\" ").lower()
    if part not in PARTS:
        raise ExecutionError(f"Spark's {macro_name} does not know the part '{name}'", hint=f"Use: {', '.join(PARTS)}.")
    return part


@macro
def spark__dateadd(ctx: MacroContext, datepart: str, interval: Any, from_date_or_timestamp: str) -> str:
    """The time and so many parts, always a time stamp; an expression may stand for the number."""
    part = _part(datepart, "dateadd")
    return f"timestampadd({part}, cast({interval} as int), cast({from_date_or_timestamp} as timestamp))"


@macro
def spark__datediff(ctx: MacroContext, first_date: str, second_date: str, datepart: str) -> str:
    """How many boundaries of the part lie between two dates; weeks begin on Sunday, as in dbt's other engines.

    dbt-spark counts begun hours and minutes instead of boundaries; the two differ where neither time is on a boundary.
    """
    part = _part(datepart, "datediff")

    def count(value: str) -> str:
        day, moment = f"cast({value} as date)", f"cast({value} as timestamp)"
        return {
            "year": f"year({day})",
            "quarter": f"(year({day}) * 4 + quarter({day}))",
            "month": f"(year({day}) * 12 + month({day}))",
            "week": f"floor(datediff({day}, date'1970-01-04') / 7)",
            "day": f"datediff({day}, date'1970-01-01')",
            "hour": f"floor(unix_seconds(date_trunc('hour', {moment})) / 3600)",
            "minute": f"floor(unix_seconds({moment}) / 60)",
            "second": f"unix_seconds({moment})",
            "millisecond": f"unix_millis({moment})",
            "microsecond": f"unix_micros({moment})",
        }[part]

    return f"({count(second_date)} - {count(first_date)})"


@macro
def spark__listagg(
    ctx: MacroContext,
    measure: str,
    delimiter_text: str = "','",
    order_by_clause: str | None = None,
    limit_num: int | None = None,
) -> str:
    """Values joined into one text. An order needs Spark 4, and takes no limit (dbt-spark drops the order)."""
    if not order_by_clause:
        values = f"collect_list({measure})"
        values = f"slice({values}, 1, {limit_num})" if limit_num else values
        return f"array_join({values}, {delimiter_text})"
    if limit_num:
        raise ExecutionError("Spark's listagg takes an order or a limit, not both")
    return f"listagg(cast({measure} as string), {delimiter_text}) within group ({order_by_clause})"


@macro
def spark__safe_cast(ctx: MacroContext, field: str, type: str) -> str:
    """Null where the value is of no such type; whatever the session's ANSI mode is."""
    return f"try_cast({field} as {type})"
