"""Rows as agate tables, with the kinds of values that dbt gives them (dbt_common: agate_helper.table_from_data_flat).

Tables are handed to templates, which are not to be trusted; the sandbox hides what of agate reaches files.
"""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from understudy.core.statement import Result

NUMBERS = {int, float, decimal.Decimal}


def to_agate(result: Result) -> Any:
    """The rows as an agate table; column names that occur twice are numbered."""
    kinds = types()
    chosen = [kinds[_kind(row[n] for row in result.rows)] for n in range(len(result.columns))]
    return kinds["table"]([list(row) for row in result.rows], list(_unique(result.columns)), chosen)


def _kind(values: Iterator[Any]) -> str:
    found = {type(value) for value in values if value is not None}
    if found <= {int}:
        return "integer"
    if found <= {bool}:
        return "boolean"
    if found <= NUMBERS:
        return "number"
    return (
        {datetime.date: "date", datetime.datetime: "datetime"}.get(found.pop(), "text") if len(found) == 1 else "text"
    )


def _number(value: Any) -> Any:
    return decimal.Decimal(repr(value)) if isinstance(value, float) else value


def _text(value: Any) -> Any:
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, default=str)
    return value if value is None or isinstance(value, str) else str(value)


def _same(value: Any) -> Any:
    return value


@cache
def types() -> Mapping[str, Any]:
    """The types of columns by kind, and the class of tables; agate is imported when there is a first one."""
    import agate

    def typed(base: type, cast: Callable[[Any], Any]) -> Any:
        members = {"cast": lambda self, value: cast(value), "jsonify": lambda self, value: value}
        return type(base.__name__, (base,), members)()

    integer = type("Integer", (agate.data_types.DataType,), {})
    return {
        "integer": typed(integer, _same),
        "boolean": typed(agate.Boolean, _same),
        "number": typed(agate.Number, _number),
        "date": typed(agate.Date, _same),
        "datetime": typed(agate.DateTime, _same),
        "text": typed(agate.Text, _text),
        "table": agate.Table,
    }


def _unique(names: tuple[str, ...]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 1) + 1 if name in seen else 1
        yield name if seen[name] == 1 else f"{name}_{seen[name]}"
