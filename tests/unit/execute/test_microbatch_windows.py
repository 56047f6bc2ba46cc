"""Which batches a model is built in. The moments are those of the documentation of dbt 1.11's MicrobatchBuilder."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import ExecutionError
from understudy.execute.microbatch import SIZES, as_moment, batch_id, batches, ceiling, label, offset, truncate

NOON = datetime(2024, 9, 17, 16, 6, tzinfo=UTC)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("size", "begin", "before", "after", "end", "name"),
    [
        (
            "hour",
            utc(2024, 9, 17, 16),
            utc(2024, 9, 17, 15),
            utc(2024, 9, 17, 17),
            utc(2024, 9, 17, 17),
            "2024-09-17T16",
        ),
        ("day", utc(2024, 9, 17), utc(2024, 9, 16), utc(2024, 9, 18), utc(2024, 9, 18), "2024-09-17"),
        ("month", utc(2024, 9, 1), utc(2024, 8, 1), utc(2024, 10, 1), utc(2024, 10, 1), "2024-09"),
        ("year", utc(2024, 1, 1), utc(2023, 1, 1), utc(2025, 1, 1), utc(2025, 1, 1), "2024"),
    ],
)
def test_sizes(size: str, begin: datetime, before: datetime, after: datetime, end: datetime, name: str) -> None:
    assert truncate(NOON, size) == begin
    assert (offset(NOON, size, -1), offset(NOON, size, 1)) == (before, after)
    assert (ceiling(NOON, size), ceiling(begin, size)) == (end, begin)
    assert label(begin, size) == name
    assert batch_id(begin, size) == name.replace("-", "")


def config(**more: Any) -> dict[str, Any]:
    return {"batch_size": "day", "begin": "2024-01-01", "lookback": 1, **more}


def starts(found: list[Any]) -> list[str]:
    return [batch.event_time_start.isoformat()[:13] for batch in found]


def test_the_first_run_goes_from_begin_until_now() -> None:
    found = batches(config(), "m", incremental=False, now=utc(2024, 1, 3, 5))
    assert starts(found) == ["2024-01-01T00", "2024-01-02T00", "2024-01-03T00"]
    assert found[-1].event_time_end == utc(2024, 1, 4)


@pytest.mark.parametrize(
    ("lookback", "now", "expected"),
    [
        (0, utc(2024, 1, 9, 5), ["2024-01-09"]),
        (1, utc(2024, 1, 9, 5), ["2024-01-08", "2024-01-09"]),
        (2, utc(2024, 1, 9, 5), ["2024-01-07", "2024-01-08", "2024-01-09"]),
        (1, utc(2024, 1, 9), ["2024-01-07", "2024-01-08"]),
    ],
)
def test_a_later_run_looks_back(lookback: int, now: datetime, expected: list[str]) -> None:
    found = batches(config(lookback=lookback), "m", incremental=True, now=now)
    assert [start[:10] for start in starts(found)] == expected


def test_the_command_line_goes_before() -> None:
    found = batches(
        config(batch_size="month"),
        "m",
        incremental=True,
        now=NOON,
        start=datetime(2023, 11, 15),
        end=datetime(2024, 1, 3),
    )
    assert [batch.id for batch in found] == ["202311", "202312", "202401"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"batch_size": None}, "batch_size"),
        ({"batch_size": "week"}, "'week'"),
        ({"begin": None}, "requires a 'begin'"),
        ({"begin": "soon"}, "'soon' is no date"),
        ({"begin": 7}, "7 is no date"),
    ],
)
def test_a_config_that_says_too_little(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ExecutionError, match=words):
        batches(config(**given), "m", incremental=False, now=NOON)


def test_moments() -> None:
    assert as_moment(date(2024, 1, 2)) == as_moment("2024-01-02") == as_moment(datetime(2024, 1, 2)) == utc(2024, 1, 2)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)),
    st.integers(1, 40),
    st.sampled_from(SIZES),
)
def test_batches_touch_each_other_and_cover_the_window(begin: datetime, count: int, size: str) -> None:
    end = offset(as_moment(begin), size, count)
    found = batches(config(batch_size=size), "m", incremental=False, now=NOON, start=begin, end=end)
    assert found[0].event_time_start <= begin.replace(tzinfo=UTC)
    assert found[-1].event_time_end == end
    assert all(one.event_time_end == two.event_time_start for one, two in pairwise(found))
    assert len({batch.id for batch in found}) == len(found)
