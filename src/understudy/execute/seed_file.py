"""Looking at a seed's CSV file: names of columns, kinds of values, number of rows. One pass, one row in memory.

The kinds are those that dbt finds (dbt 1.11: agate with dbt_common's build_type_tester), so that a table has the same
types whoever built it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from understudy.core.statement import Result
from understudy.errors import ExecutionError, Place
from understudy.execute.build import SeedFile

NULLS = frozenset({"", "null"})
ORDER = ("number", "date", "datetime", "iso_datetime", "boolean")
"""What a column can be, in the order of preference; else it is text."""
CURRENCIES = "؋$ƒ៛¥₡₱£€¢﷼₪₩₭₮₦฿₤₫"
DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
MOMENT = re.compile(r"\d{4}-\d{1,2}-\d{1,2}\s+\d{1,2}:\d{1,2}:\d{1,2}")
PRECISION = 28


def delimiter_of(config: Mapping[str, Any]) -> str:
    """What stands between the cells of a seed's file."""
    found = config.get("delimiter")
    return "," if found is None else str(found)


def inspect_seed(
    path: str, *, delimiter: str = ",", text_columns: Collection[str] = (), place: Place | None = None
) -> SeedFile:
    """The file's columns with the kind of their values (`integer`, `number`, `date`, `datetime`, `boolean`, `text`).

    `text_columns` are not looked at (those with a configured type). Raises ExecutionError for a file that is missing, is
    no UTF-8, or has rows longer than its header.
    """
    if len(delimiter) != 1:
        raise ExecutionError(f"A seed's delimiter must be one character, got {delimiter!r}", place=place)
    csv.field_size_limit(2**31 - 1)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter)
            names = column_names(next(reader, []))
            columns = [Column() for _ in names]
            open_columns = [
                (i, column)
                for i, (name, column) in enumerate(zip(names, columns, strict=True))
                if name not in text_columns
            ]
            rows = 0
            for row in reader:
                rows += _read(row, names, open_columns, reader.line_num, place)
    except FileNotFoundError as error:
        raise ExecutionError(f"The seed's file '{path}' is not there", place=place) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ExecutionError(f"The seed's file cannot be read: {error}", place=place) from error
    kinds = (
        (name, "text" if name in text_columns else column.kind) for name, column in zip(names, columns, strict=True)
    )
    return SeedFile(path, tuple(kinds), rows, delimiter)


def seed_rows(file: SeedFile) -> Result:
    """The file's rows as Python's values, by the kinds of its columns: for templates, which take them all at once."""
    cells = [CELLS[kind] for _, kind in file.columns]
    rows: list[tuple[Any, ...]] = []
    with open(file.path, encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle, delimiter=file.delimiter)
        next(reader, None)
        for row in reader:
            if row:
                padded = [*row, *[""] * (len(cells) - len(row))]
                rows.append(tuple(cell(text) for cell, text in zip(cells, padded, strict=True)))
    return Result(tuple(name for name, _ in file.columns), rows=rows)


def _read(
    row: Sequence[str], names: Sequence[str], columns: Sequence[tuple[int, Column]], line: int, place: Place | None
) -> int:
    """Look at a row; returns how many it counts for (an empty line is none)."""
    if not row:
        return 0
    if len(row) > len(names):
        where = Place(place.path, line, place.node) if place else None
        raise ExecutionError(
            f"Line {line} has {len(row)} values, but the header names {len(names)} columns", place=where
        )
    for i, column in columns:
        if i < len(row):
            column.see(row[i])
    return 1


def column_names(header: Sequence[str]) -> list[str]:
    """The header's names: an empty one becomes a letter, a repeated one gets a number (agate: utils.deduplicate)."""
    taken: list[str] = []
    for i, cell in enumerate(header):
        name = cell or _letters(i)
        number = 2
        unique = name
        while unique in taken:
            unique = f"{name}_{number}"
            number += 1
        taken.append(unique)
    return taken


def _letters(index: int) -> str:
    """a, b, ... z, aa, bb ... (agate: letter_name)."""
    return "abcdefghijklmnopqrstuvwxyz"[index % 26] * (index // 26 + 1)


class Column:
    """What one column can still be, after the rows that were seen."""

    __slots__ = ("decimals", "possible", "whole")

    def __init__(self) -> None:
        self.possible = list(ORDER)
        self.decimals = 0
        self.whole = 1

    def see(self, cell: str) -> None:
        """Strike out what a value cannot be."""
        if not self.possible:
            return
        text = cell.strip()
        if text.lower() in NULLS:
            return
        self.possible = [
            kind for kind in self.possible if (self._number(text) if kind == "number" else TESTS[kind](text))
        ]

    def _number(self, text: str) -> bool:
        value = number(text)
        if value is None:
            return False
        if value.is_finite():
            _, digits, exponent = value.normalize().as_tuple()
            places = -int(exponent)
            self.decimals = max(self.decimals, places)
            self.whole = max(self.whole, len(digits) - places)
        return True

    @property
    def kind(self) -> str:
        """The first kind that fits all values. Whole numbers are integers (agate: max_precision)."""
        if not self.possible:
            return "text"
        if self.possible[0] == "number":
            decimals = (
                min(self.decimals, PRECISION - self.whole) if self.decimals + self.whole > PRECISION else self.decimals
            )
            return "number" if decimals else "integer"
        return "datetime" if self.possible[0] == "iso_datetime" else self.possible[0]


@lru_cache(maxsize=4096)
def number(text: str) -> Decimal | None:
    """A number as agate reads it: a per cent sign, currency signs and commas are allowed."""
    text = text.strip("%")
    sign = -1 if text.startswith("-") else 1
    text = text.removeprefix("-")
    for symbol in CURRENCIES:
        text = text.strip(symbol)
    try:
        return Decimal(text.replace(",", "")) * sign
    except (InvalidOperation, ValueError):
        return None


def _parses(pattern: re.Pattern[str], layout: str) -> Callable[[str], bool]:
    def test(text: str) -> bool:
        if not pattern.fullmatch(text):
            return False
        try:
            datetime.strptime(text, layout)
        except ValueError:
            return False
        return True

    return test


def _iso(text: str) -> bool:
    if "T" not in text:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _boolean(text: str) -> bool:
    return text.replace(",", "").strip().lower() in ("true", "false")


TESTS: dict[str, Callable[[str], bool]] = {
    "date": _parses(DAY, "%Y-%m-%d"),
    "datetime": _parses(MOMENT, "%Y-%m-%d %H:%M:%S"),
    "iso_datetime": _iso,
    "boolean": _boolean,
}


def _cell(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """A cell as a value; an empty one is none."""
    return lambda text: None if text.strip().lower() in NULLS else convert(text)


def _moment(text: str) -> datetime:
    text = text.strip()
    return datetime.fromisoformat(text) if "T" in text else datetime.strptime(text, "%Y-%m-%d %H:%M:%S")


CELLS: dict[str, Callable[[str], Any]] = {
    "integer": _cell(lambda text: int(number(text.strip()) or 0)),
    "number": _cell(lambda text: number(text.strip())),
    "date": _cell(lambda text: datetime.strptime(text.strip(), "%Y-%m-%d").date()),
    "datetime": _cell(_moment),
    "boolean": _cell(lambda text: text.replace(",", "").strip().lower() == "true"),
    "text": _cell(str),
}
"""How a cell of a kind becomes a value."""
