"""Types of seeds are those that dbt finds: compared with agate and dbt's rules, written down here a second time."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import agate
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from understudy.errors import ExecutionError, Place
from understudy.execute.seed_file import column_names, inspect_seed

CELLS = [
    "", " ", "null", "NULL", "0", "1", "-5", "007", "1.0", "1.50", "1e5", "1E-3", "1,000", "$5", "12%", "€ 7", "NaN", "Infinity",
    "--1", "-", "$", ".", "1_000", "2024-01-02", "2024-1-2", "2024-13-01", "2024-01-02 03:04:05", "2024-01-02  03:04:05",
    "2024-01-02T03:04:05", "2024-01-02T03:04:05Z", "2024-01-02T03:04:05.123+02:00", "2024-01-02 03:04:05.5", "true", "FALSE",
    "t", "yes", "text", "it's", "1234567890123456789012345678901.5", "0.00000000000000000000000000000001",
]  # fmt: skip


def agate_kinds(rows: list[list[str]], names: list[str]) -> list[str]:
    """What agate finds with the types that dbt tests for (numbers first; integers are told apart by their precision)."""
    nulls = ("null", "")
    types = [
        agate.Number(null_values=nulls),
        agate.Date(null_values=nulls, date_format="%Y-%m-%d"),
        agate.DateTime(null_values=nulls, datetime_format="%Y-%m-%d %H:%M:%S"),
        IsoDateTime(null_values=nulls),
        agate.Boolean(true_values=("true",), false_values=("false",), null_values=nulls),
        agate.Text(null_values=nulls),
    ]
    table = agate.Table(rows, names, agate.TypeTester(types=types))
    kinds = []
    for i, column in enumerate(table.columns):
        name = type(column.data_type).__name__
        if name == "Number":
            name = "number" if table.aggregate(agate.MaxPrecision(i)) else "integer"
        kinds.append({"IsoDateTime": "datetime"}.get(name, name.lower()))
    return kinds


class IsoDateTime(agate.DateTime):  # type: ignore[misc]
    """ISO 8601 only."""

    def cast(self, d: object) -> object:
        import isodate

        text = str(d).strip()
        if text.lower() in self.null_values:
            return None
        try:
            return isodate.parse_datetime(text)
        except Exception as error:
            raise agate.CastError(str(error)) from error


def write(path: Path, rows: list[list[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    path.write_text(buffer.getvalue(), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_is_read_as_dbt_reads_it(cell: str, tmp_path: Path) -> None:
    rows = [[cell, "x"], [cell, "x"]]
    found = inspect_seed(write(tmp_path / "s.csv", [["a", "b"], *rows]))
    assert [kind for _, kind in found.columns] == agate_kinds(rows, ["a", "b"])


@given(st.lists(st.tuples(st.sampled_from(CELLS), st.sampled_from(CELLS)), min_size=1, max_size=6))
@example([("2024-01-02", "true"), ("null", ""), ("2024-02-03", "false")])
def test_columns_are_typed_as_dbt_types_them(cells: list[tuple[str, str]]) -> None:
    from tempfile import TemporaryDirectory

    rows = [[left, right, "x"] for left, right in cells]
    with TemporaryDirectory() as folder:
        found = inspect_seed(write(Path(folder) / "s.csv", [["a", "b", "c"], *rows]))
    assert [kind for _, kind in found.columns] == agate_kinds(rows, ["a", "b", "c"])


def test_configured_columns_are_not_looked_at(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", [["a", "b"], ["1", "2"]])
    assert inspect_seed(path, text_columns={"a"}).columns == (("a", "text"), ("b", "integer"))


def test_a_file_without_rows(tmp_path: Path) -> None:
    found = inspect_seed(write(tmp_path / "s.csv", [["a", "b"]]))
    assert (found.columns, found.rows) == ((("a", "integer"), ("b", "integer")), 0)


def test_a_byte_order_mark_quotes_and_empty_lines(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_bytes(b'\xef\xbb\xbfa;b\r\n1;"x;\r\ny"\r\n\r\n2;z')
    found = inspect_seed(str(tmp_path / "s.csv"), delimiter=";")
    assert (found.columns, found.rows) == ((("a", "integer"), ("b", "text")), 2)


def test_names_are_made_unique() -> None:
    assert column_names(["a", "", "a", "a", "b"]) == ["a", "b", "a_2", "a_3", "b_2"]


@pytest.mark.parametrize(
    ("data", "words"), [(b"a\n1,2\n", "Line 2 has 2 values"), (b"a\n\xff\xfe\n", "cannot be read")]
)
def test_files_that_cannot_be_read(data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_bytes(data)
    with pytest.raises(ExecutionError, match=words):
        inspect_seed(str(tmp_path / "s.csv"), place=Place("seeds/s.csv"))


def test_a_missing_file_and_a_wrong_delimiter(tmp_path: Path) -> None:
    with pytest.raises(ExecutionError, match="is not there"):
        inspect_seed(str(tmp_path / "no.csv"))
    with pytest.raises(ExecutionError, match="one character"):
        inspect_seed(str(tmp_path / "no.csv"), delimiter="||")
