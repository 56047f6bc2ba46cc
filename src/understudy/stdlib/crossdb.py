"""Types and functions that engines spell differently: `dbt.dateadd()`, `dbt.type_string()` (dbt 1.11: macros/utils)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from understudy.errors import ExecutionError
from understudy.stdlib.support import Table, send
from understudy.template.scope import BuiltinMacro, MacroContext

macro = MACROS = Table()

TYPES = ("string", "timestamp", "float", "numeric", "bigint", "int", "boolean")
macro.dispatched(*(f"type_{name}" for name in TYPES))
macro.dispatched(
    "any_value", "array_append", "array_concat", "array_construct", "bool_or", "cast", "cast_bool_to_text", "concat",
    "date", "date_spine", "date_trunc", "dateadd", "datediff", "equals", "escape_single_quotes", "except",
    "generate_series", "get_intervals_between", "get_powers_of_two", "hash", "intersect", "last_day", "length",
    "listagg", "position", "replace", "right", "safe_cast", "split_part", "string_literal",
)  # fmt: skip


def _type(label: str) -> BuiltinMacro:
    def name(ctx: MacroContext) -> str:
        return str(ctx.dialect.ddl.type_name(label))

    return name


for _name, _label in zip(
    TYPES, ("string", "timestamp", "float", "numeric(28,6)", "bigint", "integer", "boolean"), strict=True
):
    MACROS[f"default__type_{_name}"] = _type(_label)


def _text(name: str, pattern: str) -> None:
    """A macro whose answer is a text with its arguments filled in, in their order."""
    parameters = [part.partition("}")[0] for part in pattern.split("{")[1:]]
    order = list(dict.fromkeys(parameters))

    def fill(ctx: MacroContext, *args: Any, **kwargs: Any) -> str:
        values = {**dict(zip(order, args, strict=False)), **kwargs}
        return pattern.format(**values)

    fill.__name__ = name
    MACROS[name] = fill


_text("default__any_value", "any_value({expression})")
_text("duckdb__any_value", "arbitrary({expression})")
_text("default__array_append", "array_append({array}, {new_element})")
_text("default__array_concat", "array_cat({array_1}, {array_2})")
_text("default__bool_or", "bool_or({expression})")
_text("default__cast", "\n    cast({field} as {type})\n")
_text("default__safe_cast", "\n    \n    cast({field} as {type})\n")
_text("default__date_trunc", "date_trunc('{datepart}', {date})")
_text(
    "default__dateadd",
    "\n\n    dateadd(\n        {datepart},\n        {interval},\n        {from_date_or_timestamp}\n        )\n\n",
)
_text("default__equals", "({expr1} = {expr2})\n")
_text("default__except", "\n\n    except\n\n")
_text("default__intersect", "\n\n    intersect\n\n")
_text("default__length", "\n\n    length(\n        {expression}\n    )")
_text("default__position", "\n\n    position(\n        {substring_text} in {string_text}\n    )")
_text("default__replace", "\n\n    replace(\n        {field},\n        {old_chars},\n        {new_chars}\n    )\n\n\n")
_text("default__right", "\n\n    right(\n        {string_text},\n        {length_expression}\n    )")
_text(
    "default__split_part",
    "split_part(\n        {string_text},\n        {delimiter_text},\n        {part_number}\n        )",
)
_text("duckdb__split_part", "\n    string_split({string_text}, {delimiter_text})[ {part_number} ]\n")
_text("default__string_literal", "'{value}'")


@macro
def default__array_construct(ctx: MacroContext, inputs: Sequence[Any] = (), data_type: str = "integer") -> str:
    """An array of the values; an empty one needs its type."""
    array = f"array[ {' , '.join(map(str, inputs))} ]" if inputs else f"array[]::{data_type}[]"
    return f"\n    {array}\n    "


@macro
def default__cast_bool_to_text(ctx: MacroContext, field: str) -> str:
    """A boolean as text."""
    return f"\n  {ctx.call('cast', field, ctx.call('type_string'))}\n"


@macro
def default__concat(ctx: MacroContext, fields: Sequence[str]) -> str:
    """Texts, one after the other."""
    return " || ".join(map(str, fields))


@macro
def default__date(ctx: MacroContext, year: int, month: int, day: int) -> str:
    """A date."""
    return f"to_date('{date(year, month, day).isoformat()}', 'YYYY-MM-DD')"


@macro
def duckdb__date(ctx: MacroContext, year: Any, month: Any, day: Any) -> str:
    """A date, from numbers or expressions."""
    return f"make_date({year}, {month}, {day})"


@macro
def duckdb__dateadd(ctx: MacroContext, datepart: str, interval: Any, from_date_or_timestamp: str) -> str:
    """Intervals are multiplied, so that an expression may stand for the number; quarters and weeks have no unit."""
    factor, unit = {"quarter": (" * 3", "month"), "week": (" * 7", "day")}.get(datepart.lower(), ("", datepart.lower()))
    number = f"cast({interval} as bigint){factor}"
    return f"\n\n    ({from_date_or_timestamp} + {f'({number})' if factor else number} * interval 1 {unit})"


@macro
def default__datediff(ctx: MacroContext, first_date: str, second_date: str, datepart: str) -> str:
    """How many boundaries of the part lie between two dates."""
    return f"datediff(\n        {datepart},\n        {first_date},\n        {second_date}\n        )"


@macro
def duckdb__datediff(ctx: MacroContext, first_date: str, second_date: str, datepart: str) -> str:
    """Weeks begin on Sunday, as in other engines, and are counted by hand."""
    if datepart != "week":
        return f"\n        (date_diff('{datepart}', {first_date}::timestamp, {second_date}::timestamp ))\n    "
    days = ctx.call("datediff", first_date, second_date, "day")
    first, second = (f"date_part('dow', ({day})::timestamp)" for day in (first_date, second_date))
    return (
        f"\n            ({days} // 7 + case\n            when {first} <= {second} then\n"
        f"                case when {first_date} <= {second_date} then 0 else -1 end\n            else\n"
        f"                case when {first_date} <= {second_date} then 1 else 0 end\n        end)\n    "
    )


@macro
def default__escape_single_quotes(ctx: MacroContext, expression: str) -> str:
    """A text whose single quotes are doubled."""
    return str(expression).replace("'", "''")


@macro
def default__hash(ctx: MacroContext, field: str) -> str:
    """A digest of a value's text."""
    return f"md5(cast({field} as {ctx.call('type_string')}))"


@macro
def default_last_day(ctx: MacroContext, date: str, datepart: str) -> str:
    """The last day of a period: the next one's beginning, less a day."""
    begin = ctx.call("date_trunc", datepart, date)
    return f"cast(\n        {ctx.call('dateadd', 'day', '-1', ctx.call('dateadd', datepart, '1', begin))}\n        as date)"


@macro
def default__last_day(ctx: MacroContext, date: str, datepart: str) -> Any:
    """The last day of a period."""
    return ctx.call("default_last_day", date, datepart)


@macro
def duckdb__last_day(ctx: MacroContext, date: str, datepart: str) -> Any:
    """Quarters in months on DuckDB."""
    if datepart != "quarter":
        return ctx.call("default_last_day", date, datepart)
    begin = ctx.call("date_trunc", datepart, date)
    return (
        f"cast(\n        {ctx.call('dateadd', 'day', '-1', ctx.call('dateadd', 'month', '3', begin))}\n        as date)"
    )


@macro
def default__listagg(
    ctx: MacroContext,
    measure: str,
    delimiter_text: str = "','",
    order_by_clause: str | None = None,
    limit_num: int | None = None,
) -> str:
    """Values joined into one text."""
    order = f"\n        within group ({order_by_clause})" if order_by_clause else ""
    if limit_num:
        aggregate = f"array_agg(\n                {measure}\n            ){order}"
        array = f"array_slice(\n            {aggregate}\n            ,0\n            ,{limit_num}\n        )"
        return f"array_to_string(\n        {array},\n        {delimiter_text}\n        )"
    return f"listagg(\n        {measure},\n        {delimiter_text}\n        ){order}"


@macro
def duckdb__listagg(
    ctx: MacroContext,
    measure: str,
    delimiter_text: str = "','",
    order_by_clause: str | None = None,
    limit_num: int | None = None,
) -> str:
    """The order stands inside the call on DuckDB."""
    if limit_num:
        order = f"\n            {order_by_clause}" if order_by_clause else ""
        array = f"(array_agg(\n            {measure}{order}\n        ))[1:{limit_num}]"
        return f"list_aggr(\n        {array},\n        'string_agg',\n        {delimiter_text}\n        )"
    order = order_by_clause or ""
    return f"\n    string_agg(\n        {measure},\n        {delimiter_text}\n        {order}\n        )"


@macro
def default__get_powers_of_two(ctx: MacroContext, upper_bound: int) -> int:
    """The number of binary digits that count up to the bound."""
    if upper_bound <= 0:
        raise ExecutionError("upper bound must be positive")
    return max(1, (upper_bound - 1).bit_length())


@macro
def default__generate_series(ctx: MacroContext, upper_bound: int) -> str:
    """The numbers from 1 to the bound, as a query."""
    digits = int(ctx.call("get_powers_of_two", upper_bound))
    terms = "\n     + \n    ".join(f"p{i}.generated_number * power(2, {i})" for i in range(digits))
    sources = "\n     cross join \n    ".join(f"p as p{i}" for i in range(digits))
    return (
        "with p as (\n        select 0 as generated_number union all select 1\n    ), unioned as (\n\n    select\n\n"
        f"    {terms}\n    + 1\n    as generated_number\n\n    from\n\n    {sources}\n\n    )\n\n"
        f"    select *\n    from unioned\n    where generated_number <= {upper_bound}\n    order by generated_number"
    )


@macro
def duckdb__generate_series(ctx: MacroContext, upper_bound: int) -> str:
    """DuckDB has a function for it."""
    return f"\n    select\n        generate_series as generated_number\n    from generate_series(1, {upper_bound})\n"


@macro
def default__get_intervals_between(ctx: MacroContext, start_date: str, end_date: str, datepart: str) -> Any:
    """How many intervals lie between two dates, asked of the engine; 1 while there is none to ask."""
    if ctx.database is None or not ctx.execute:
        return 1
    rows = send(ctx, f"select {ctx.call('datediff', start_date, end_date, datepart)}", "introspect", fetch=True).rows
    return rows[0][0] if rows else 1


@macro
def default__date_spine(ctx: MacroContext, datepart: str, start_date: str, end_date: str) -> str:
    """One row per interval from the start to the end."""
    series = ctx.call("generate_series", ctx.call("get_intervals_between", start_date, end_date, datepart))
    period = ctx.call("dateadd", datepart, "row_number() over (order by 1) - 1", start_date)
    return (
        f"\n\n\n    \n\n\n    with rawdata as (\n\n        {series}\n\n    ),\n\n    all_periods as (\n\n        select (\n"
        f"            {period}\n        ) as date_{datepart}\n        from rawdata\n\n    ),\n\n    filtered as (\n\n"
        f"        select *\n        from all_periods\n        where date_{datepart} <= {end_date}\n\n    )\n\n"
        "    select * from filtered\n\n"
    )
