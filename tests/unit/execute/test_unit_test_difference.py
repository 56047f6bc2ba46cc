"""How a failed unit test shows what differs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from understudy.core.statement import Result
from understudy.execute.unit_tests import Row, difference, sides


def lines(expected: list[Row], actual: list[Row]) -> list[str]:
    return [line.rstrip() for line in difference(("id", "name"), expected, actual).splitlines()]


@pytest.mark.parametrize(
    ("expected", "actual", "shown"),
    [
        ([("1", "a")], [("1", "b")], ["→  | 1  | a→b"]),
        ([("1", None)], [("1", "b")], ["→  | 1  | NULL→b"]),
        ([("1", "a"), ("2", "b")], [("1", "a")], ["    | 1  | a", "--- | 2  | b"]),
        ([], [("1", "a")], ["+++ | 1  | a"]),
        ([("1", "a")], [("1", "a"), ("1", "a")], ["    | 1  | a", "+++ | 1  | a"]),
    ],
)
def test_rows_are_marked(expected: list[Row], actual: list[Row], shown: list[str]) -> None:
    assert lines(expected, actual)[1:] == shown


def test_many_rows_that_agree_are_cut() -> None:
    same: list[Row] = [(str(n), "x") for n in range(100, 200)]
    found = lines([*same, ("1", "a")], same)
    assert len(found) == 23
    assert any(line.startswith("...") for line in found)


def test_sides_have_sorted_rows_as_text_and_one_form_of_a_number() -> None:
    rows = [(Decimal("7.50"), "b", "actual"), (None, "a", "expected"), (Decimal("1"), "z", "actual")]
    result = Result(columns=("N", "name", "ACTUAL_OR_EXPECTED"), rows=rows)
    assert sides(result) == (["n", "name"], [(None, "a")], [("1", "z"), ("7.5", "b")])
