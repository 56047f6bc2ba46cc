"""`dbt.datediff()` and its kin give SQL that PostgreSQL runs, with the answers that other engines give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from typing import Any

import pytest
from support import postgres
from support.engine import model
from support.postgres_engine import PostgresEngine

DATABASE = "function_tests"


@pytest.fixture(scope="module")
def engine() -> Iterator[PostgresEngine]:
    with postgres.database(postgres.server(), DATABASE):
        engine = PostgresEngine(postgres.server(), DATABASE)
        with closing(engine.adapter):
            yield engine


def value(engine: PostgresEngine, expression: str) -> Any:
    """What an expression in Jinja comes to."""
    sql = engine.renderer().session(model("a"), None, database=None).render("select {{ " + expression + " }}")
    return engine.query(sql)[0][0]


FIRST, SECOND = "'2026-01-30 23:59:59.5'::timestamp", "'2027-03-01 00:00:01'::timestamp"


@pytest.mark.parametrize(
    ("part", "boundaries"),
    [
        ("year", 1), ("quarter", 4), ("month", 14), ("week", 57), ("day", 395), ("hour", 395 * 24 - 23),
        ("minute", (395 * 24 - 23) * 60 - 59), ("second", ((395 * 24 - 23) * 60 - 59) * 60 - 58),
        ("millisecond", ((395 * 24 - 23) * 60 - 59) * 60_000 - 58_500),
        ("microsecond", ((395 * 24 - 23) * 60 - 59) * 60_000_000 - 58_500_000),
    ],
)  # fmt: skip
def test_datediff_counts_boundaries(engine: PostgresEngine, part: str, boundaries: int) -> None:
    assert value(engine, f'dbt.datediff("{FIRST}", "{SECOND}", "{part}")') == boundaries
    assert value(engine, f'dbt.datediff("{SECOND}", "{FIRST}", "{part}")') == -boundaries


def test_datediff_knows_no_other_parts(engine: PostgresEngine) -> None:
    with pytest.raises(Exception, match="does not know the part 'fortnight'"):
        value(engine, 'dbt.datediff("a", "b", "fortnight")')


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("dbt.dateadd('month', '-1 + 2', \"'2026-01-31'::timestamp\")", datetime(2026, 2, 28)),
        ("dbt.dateadd('day', 3, \"'2026-01-31'::date\")", datetime(2026, 2, 3)),
        ("dbt.date_trunc('month', \"'2026-02-14'::timestamp\")", datetime(2026, 2, 1)),
        ("dbt.last_day(\"'2026-02-14'::timestamp\", 'month')", date(2026, 2, 28)),
        ("dbt.last_day(\"'2026-02-14'::timestamp\", 'quarter')", date(2026, 3, 31)),
        ("dbt.date(2026, 2, 3)", date(2026, 2, 3)),
        ("dbt.split_part(\"'a,b,c'\", \"','\", 2)", "b"),
        ("dbt.split_part(\"'a,b,c'\", \"','\", -1)", "c"),
        ("dbt.concat([\"'a'\", \"'b'\"])", "ab"),
        ("dbt.hash(\"'a'\")", "0cc175b9c0f1b6a831c399e269772661"),
        ("dbt.right(\"'abc'\", 2)", "bc"),
        ("dbt.position(\"'b'\", \"'abc'\")", 2),
        ("dbt.replace(\"'abc'\", \"'b'\", \"'x'\")", "axc"),
        ("dbt.length(\"'abc'\")", 3),
        ("dbt.string_literal('it')", "it"),
        ("dbt.escape_single_quotes(\"1 + 1\")", 2),
        ("dbt.cast_bool_to_text('true')", "true"),
        ("dbt.safe_cast(\"'5'\", dbt.type_int())", 5),
        ("dbt.cast(\"'5.25'\", dbt.type_numeric())", 5.25),
        ("dbt.cast(\"'x'\", dbt.type_string())", "x"),
        ("dbt.cast(\"'9000000000'\", dbt.type_bigint())", 9_000_000_000),
        ("dbt.cast(\"'2026-01-02 03:04:05'\", dbt.type_timestamp())", datetime(2026, 1, 2, 3, 4, 5)),
        ("dbt.array_construct([1, 2])", [1, 2]),
        ("dbt.array_append(dbt.array_construct([1]), 2)", [1, 2]),
        ("dbt.array_concat(dbt.array_construct([1]), dbt.array_construct([2]))", [1, 2]),
        ("dbt.equals(1, 1)", True),
        ("snapshot_string_as_time('2026-01-02 03:04:05')", datetime(2026, 1, 2, 3, 4, 5)),
    ],
)  # fmt: skip
def test_values(engine: PostgresEngine, expression: str, expected: Any) -> None:
    assert value(engine, expression) == expected


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("dbt.current_timestamp()", "timestamp with time zone"),
        ("dbt.snapshot_get_time()", "timestamp without time zone"),
        ("dbt.current_timestamp_backcompat()", "timestamp without time zone"),
        ("dbt.current_timestamp_in_utc_backcompat()", "timestamp without time zone"),
        ("dbt.cast('1', dbt.type_float())", "double precision"),
    ],
)
def test_types(engine: PostgresEngine, expression: str, kind: str) -> None:
    assert value(engine, f"'pg_typeof(' ~ {expression} ~ ')::text'") == kind


NUMBERS = "from (values (3), (1), (2)) as t(n)"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("dbt.listagg('n::text', \"'-'\", 'order by n')", "1-2-3"),
        ("dbt.listagg('n::text', \"'-'\", 'order by n desc', 2)", "3-2"),
        ("dbt.any_value('n')", 1),
        ("dbt.bool_or('n > 2')", True),
    ],
)
def test_aggregates(engine: PostgresEngine, expression: str, expected: Any) -> None:
    assert value(engine, f"{expression} ~ ' {NUMBERS}'") == expected


def test_a_spine_of_dates(engine: PostgresEngine) -> None:
    spine = "dbt.date_spine('day', \"'2026-02-27'::date\", \"'2026-03-02'::date\")"
    result = engine.one(model("spine", "{{ " + spine + " }}"))
    assert result.status == "success", result.message
    assert [row[0].day for row in engine.query("select date_day::date from dev.spine order by 1")] == [27, 28, 1]
