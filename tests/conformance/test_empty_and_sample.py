"""Runs that read nothing, or a window of time, of what they refer to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from conformance.shop import Shop

ROWS = """
{{{{ config(materialized='table', event_time='at_time') }}}}
select 1 as id, cast('2020-01-01 08:00:00' as timestamp) as at_time union all
select 2, cast('2020-02-01 08:00:00' as timestamp) union all
select 3, cast('{now}' as timestamp)
"""
SOURCES = "sources: [{name: raw, schema: dev, tables: [{name: events, config: {event_time: at_time}}, {name: other}]}]"


@pytest.fixture
def filled(shop: Shop) -> Shop:
    """Two tables of events, and what reads them."""
    rows = ROWS.format(now=(datetime.now(UTC) - timedelta(hours=5)).strftime("%Y-%m-%d %H:%M:%S"))
    shop.models(events=rows, other="{{ config(materialized='table') }} select * from {{ ref('events') }}").ok("run")
    return shop.write({"models/s.yml": SOURCES}).models(
        middle="{{ config(materialized='ephemeral') }} select * from {{ ref('events') }}",
        by_ref="select id from {{ ref('events') }}",
        by_cte="select id from {{ ref('middle') }}",
        by_source="select s.id from {{ source('raw', 'events') }} as s",
        joined="select e.id from {{ ref('events') }} as e join {{ ref('other') }} as o on e.id = o.id",
        untimed="select id from {{ source('raw', 'other') }}",
    )


READERS = ("by_ref", "by_cte", "by_source", "joined", "untimed")


def ids(shop: Shop) -> dict[str, list[int]]:
    return {name: [row[0] for row in shop.rows(name)] for name in READERS}


class TestEmpty:
    """`--empty`: the schema without the cost."""

    @pytest.mark.never(
        "postgres", raises=AssertionError, reason="a subquery has one name, and dbt gives it one already"
    )
    def test_nothing_is_read(self, filled: Shop) -> None:
        filled.ok("run", "--empty", "-s", *READERS)
        assert ids(filled) == {name: [] for name in READERS}

    def test_a_build_has_no_rows(self, filled: Shop) -> None:
        filled.ok("build", "--empty", "-s", "by_ref", "other")
        assert (filled.rows("by_ref"), filled.rows("other")) == ([], [])
        assert len(filled.rows("events")) == 3


class TestSample:
    """`--sample`: of what has an event time, a window."""

    @pytest.mark.parametrize(
        ("sample", "expected"),
        [
            ("1 day", [3]),
            ("2 months", [3]),
            ("{start: 2020-01-01, end: 2020-01-31}", [1]),
            ("{start: '2020-01-01', end: '2020-03-01'}", [1, 2]),
        ],
    )
    def test_rows(self, filled: Shop, sample: str, expected: list[int]) -> None:
        filled.ok("run", "--sample", sample, "-s", "by_ref", "by_cte", "untimed")
        assert [row[0] for row in filled.rows("by_ref")] == expected
        assert [row[0] for row in filled.rows("by_cte")] == expected
        assert len(filled.rows("untimed")) == 3

    @pytest.mark.parametrize(
        "sample", ["soon", "3 weeks", "{start: 2020-01-01}", "{start: 2021-01-01, end: 2020-01-01}"]
    )
    def test_what_makes_no_sense(self, filled: Shop, sample: str) -> None:
        ran = filled.run("run", "--sample", sample)
        assert ran.exit_code == 2
        assert "--sample" in ran.err
