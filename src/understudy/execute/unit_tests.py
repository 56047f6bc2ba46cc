"""Running a unit test: the model's query on the rows of the test against the expected rows, and the difference as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from understudy.core.nodes import UnitTest
from understudy.core.statement import Result, Statement
from understudy.errors import ExecutionError, did_you_mean
from understudy.execute.database import LiveDatabase
from understudy.sql.dialect import Dialect

KIND = "actual_or_expected"
NULL = "NULL"
SHOWN = 20
"""How many rows that are as expected are shown; rows that differ always are."""

Row = tuple[str | None, ...]


class Session(Protocol):
    """template.Session, as far as it is used here."""

    def call(self, macro: str, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, the project's own before ours."""

    def set(self, name: str, value: Any) -> None:
        """Add a name to the templates' context."""


def run_unit_test(
    test: UnitTest, sql: str, session: Session, database: LiveDatabase, dialect: Dialect
) -> tuple[Result, dict[str, Any]]:
    """The result of the test's query, and the status, message and failures that come of it (dbt 1.11: execute_unit_test).

    Raises ExecutionError for an expected column that the model does not have, DatabaseError.
    """
    session.set("unit_test_expects", True)
    result = database.execute(Statement(unit_test_sql(test, sql, session, dialect), fetch=True, purpose="main"))
    columns, expected, actual = sides(result)
    if Counter(expected) == Counter(actual):
        return result, {"status": "pass", "message": None, "failures": 0}
    table = difference(columns, expected, actual)
    message = f"\n\nactual differs from expected:\n\n{table}\n"
    return result, {"status": "fail", "message": message, "failures": 1}


def unit_test_sql(test: UnitTest, sql: str, session: Session, dialect: Dialect) -> str:
    """The query that gives actual and expected rows (dbt 1.11: materialization unit)."""
    columns = {column.name.lower(): column for column in session.call("unit_test_columns", sql)}
    quote = dialect.quote_character
    quoted = {key: f"{quote}{c.name.replace(quote, quote * 2)}{quote}" for key, c in columns.items()}
    rows = test.expect["rows"]
    if isinstance(rows, str):
        compared, expected = list(columns), rows
    else:
        compared = [str(name).lower() for name in rows[0]] if rows else list(columns)
        for name in compared:
            if name not in columns:
                hint = did_you_mean(name, columns) or f"It has: {', '.join(columns)}"
                message = f"Invalid column name: '{name}' in unit test fixture for expected output."
                raise ExecutionError(message, hint=hint)
        types = {key: column.data_type for key, column in columns.items()}
        expected = str(session.call("get_expected_sql", rows, types, quoted))
    return str(session.call("get_unit_test_sql", sql, expected, [quoted[name] for name in compared]))


def sides(result: Result) -> tuple[list[str], list[Row], list[Row]]:
    """The names of the columns, the expected rows and the actual ones, sorted, with their values as text."""
    names = [name.lower() for name in result.columns]
    at = names.index(KIND)
    found: Mapping[str, list[Row]] = {"expected": [], "actual": []}
    for row in result.rows:
        cells = tuple(_text(value) for n, value in enumerate(row) if n != at)
        found[str(row[at])].append(cells)
    columns = [name for n, name in enumerate(names) if n != at]
    return columns, sorted(found["expected"], key=_order), sorted(found["actual"], key=_order)


def _text(value: Any) -> str | None:
    """A value as it is compared and shown; 7.5 and 7.50 are one number."""
    if isinstance(value, Decimal) and value.is_finite():
        return format(value.normalize(), "f")
    return None if value is None else str(value)


def _order(row: Row) -> tuple[tuple[bool, str], ...]:
    return tuple((cell is None, cell or "") for cell in row)


def difference(columns: Sequence[str], expected: Sequence[Row], actual: Sequence[Row]) -> str:
    """The rows with a mark in front: `---` is missing, `+++` is too much, `→` has other values, with both of them.

    Rows that agree in most cells are told as one that changed.
    """
    same = list((Counter(expected) & Counter(actual)).elements())
    missing = list((Counter(expected) - Counter(actual)).elements())
    extra = list((Counter(actual) - Counter(expected)).elements())
    lines = [("", row) for row in same[:SHOWN]]
    if len(same) > SHOWN:
        lines.append(("...", tuple("..." for _ in columns)))
    lines += _changes(missing, extra)
    table = [("@@", tuple(columns)), *sorted(lines, key=lambda line: _order(_before(line[1])))]
    cells = [[mark, *(NULL if cell is None else cell for cell in row)] for mark, row in table]
    widths = [max(len(row[n]) for row in cells) for n in range(len(columns) + 1)]
    return "\n".join(" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)


def _before(row: Row) -> Row:
    return tuple(cell if cell is None else cell.partition("→")[0] for cell in row)


def _changes(missing: list[Row], extra: list[Row]) -> Iterator[tuple[str, Row]]:
    """Rows that differ, those that are most alike as pairs; with very many rows nobody looks for pairs."""
    left = list(extra)
    for row in missing:
        nearest = max(left, key=lambda other: _alike(row, other), default=None) if len(left) <= 10 * SHOWN else None
        if nearest is None or 2 * _alike(row, nearest) < len(row):
            yield "---", row
            continue
        left.remove(nearest)
        yield "→", tuple(a if a == b else f"{a or NULL}→{b or NULL}" for a, b in zip(row, nearest, strict=True))
    for row in left:
        yield "+++", row


def _alike(one: Row, other: Row) -> int:
    return sum(a == b for a, b in zip(one, other, strict=True))
