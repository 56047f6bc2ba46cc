"""`dbt.dateadd()` and the others, on a real Spark: what comes out, not how it is written."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from support import spark
from support.engine import model

from understudy.core.project import Package, Settings
from understudy.errors import ExecutionError
from understudy.sql.dialect import dialect
from understudy.stdlib.registry import BUILTINS
from understudy.template.macros import MacroIndex
from understudy.template.renderer import Renderer

ROOT = Package("shop", "")
SETTINGS = Settings(ROOT, (ROOT,), spark.target(), {}, {}, lambda name: None, invocation_id="run-1")
RENDERER = Renderer(SETTINGS, MacroIndex({}, BUILTINS, "shop", ["shop"], [], "spark"), dialect("spark"))


def value(call: str) -> Any:
    """What the engine answers to a macro's text."""
    said = RENDERER.session(model("a"), None, database=None).render(f"{{{{ {call} }}}}")
    rows = spark.sql(f"select {said}")
    return rows[0][0]


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("""dbt.dateadd('day', 1, "'2024-02-28'")""", moment("2024-02-29")),
        ("""dbt.dateadd('week', -1, "'2024-02-28 10:00:00'")""", moment("2024-02-21T10:00")),
        ("""dbt.dateadd('month', 1, "date'2024-01-31'")""", moment("2024-02-29")),
        ("""dbt.dateadd('quarter', 1, "date'2024-01-31'")""", moment("2024-04-30")),
        ("""dbt.dateadd('year', '1 + 1', "date'2024-02-29'")""", moment("2026-02-28")),
        ("""dbt.dateadd('hour', 25, "timestamp'2024-02-28 10:30:00'")""", moment("2024-02-29T11:30")),
        ("""dbt.dateadd('microsecond', 5, "'2024-02-28'")""", moment("2024-02-28T00:00:00.000005")),
        ("""dbt.datediff("'2023-12-31'", "'2024-01-01'", 'year')""", 1),
        ("""dbt.datediff("'2023-12-31'", "'2024-01-01'", 'quarter')""", 1),
        ("""dbt.datediff("'2024-01-31'", "'2024-02-01'", 'month')""", 1),
        ("""dbt.datediff("'2024-02-01'", "'2024-01-31'", 'month')""", -1),
        ("""dbt.datediff("'2024-01-06'", "'2024-01-07'", 'week')""", 1),
        ("""dbt.datediff("'2024-01-07'", "'2024-01-13'", 'week')""", 0),
        ("""dbt.datediff("'2024-01-07'", "'1969-12-28'", 'week')""", -2819),
        ("""dbt.datediff("'2024-01-07 23:00:00'", "'2024-01-08 01:00:00'", 'day')""", 1),
        ("""dbt.datediff("'2024-01-07 10:59:59'", "'2024-01-07 11:00:00'", 'hour')""", 1),
        ("""dbt.datediff("'2024-01-07 10:59:59'", "'2024-01-07 11:00:00'", 'minute')""", 1),
        ("""dbt.datediff("'2024-01-07 10:00:00'", "'2024-01-07 11:00:01'", 'second')""", 3601),
        ("""dbt.datediff("'2024-01-07 10:00:00'", "'2024-01-07 10:00:00.25'", 'millisecond')""", 250),
        ("""dbt.datediff("'2024-01-07 10:00:00'", "'2024-01-07 10:00:00.25'", 'microsecond')""", 250_000),
        ("""dbt.date_trunc('month', "date'2024-02-28'")""", moment("2024-02-01")),
        ("""dbt.last_day("date'2024-02-03'", 'month')""", datetime.date(2024, 2, 29)),
        ("""dbt.last_day("date'2024-02-03'", 'quarter')""", datetime.date(2024, 3, 31)),
        ("dbt.date(2024, 2, 3)", datetime.date(2024, 2, 3)),
        ("dbt.concat([\"'a'\", \"'b'\", '1'])", "ab1"),
        ("dbt.split_part(\"'a.b|c'\", \"'|'\", 2)", "c"),
        ("dbt.split_part(\"'a.b.c'\", \"'.'\", -1)", "c"),
        ("dbt.position(\"'b'\", \"'abc'\")", 2),
        ("dbt.right(\"'abc'\", 2)", "bc"),
        ("dbt.length(\"'abc'\")", 3),
        ("dbt.replace(\"'abc'\", \"'b'\", \"'x'\")", "axc"),
        ("dbt.hash(\"'x'\")", "9dd4e461268c8034f5c8564e155c67a6"),
        ("dbt.safe_cast(\"'x'\", dbt.type_int())", None),
        ("dbt.cast(\"'7'\", dbt.type_bigint())", 7),
        ("dbt.cast_bool_to_text('true')", "true"),
        ('dbt.string_literal(dbt.escape_single_quotes("it\'s"))', "it's"),
        ("dbt.array_append(dbt.array_construct([1, 2]), 3)", [1, 2, 3]),
        ("dbt.array_concat('array(1)', 'array(2)')", [1, 2]),
        ("dbt.array_construct([], dbt.type_string())", []),
        ("dbt.any_value('1')", 1),
        ("dbt.bool_or('true')", True),
        ("dbt.equals('1', '1')", True),
        ("dbt.current_timestamp() ~ ' is not null'", True),
    ],
)
def test_value(call: str, expected: Any) -> None:
    assert value(call) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("dbt.listagg('x', \"', '\")", "b, a, c"),
        ("dbt.listagg('x', \"'-'\", limit_num=2)", "b-a"),
        ("dbt.listagg('x', \"'-'\", 'order by x desc')", "c-b-a"),
    ],
)
def test_listagg(call: str, expected: str) -> None:
    said = RENDERER.session(model("a"), None, database=None).render(f"{{{{ {call} }}}}")
    assert spark.sql(f"select {said} from values ('b'), ('a'), ('c') as v(x)") == [(expected,)]


@pytest.mark.parametrize("name", ["string", "timestamp", "float", "numeric", "bigint", "int", "boolean"])
def test_types_are_there(name: str) -> None:
    assert value(f"dbt.cast('null', dbt.type_{name}())") is None


def test_a_spine_of_dates() -> None:
    said = RENDERER.session(model("a"), None, database=None).render(
        """{{ dbt.date_spine('day', "date'2024-01-01'", "date'2024-01-01'") }}"""
    )
    assert spark.sql(said) == [(moment("2024-01-01"),)]


def test_a_series() -> None:
    said = RENDERER.session(model("a"), None, database=None).render("{{ dbt.generate_series(5) }}")
    assert [int(row[0]) for row in spark.sql(said)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "call", ["dbt.dateadd('fortnight', 1, 'x')", "dbt.datediff('x', 'y', 'era')", "dbt.listagg('x', \"','\", 'order by x', 2)"]
)  # fmt: skip
def test_what_is_not_there(call: str) -> None:
    with pytest.raises(ExecutionError, match="Spark's"):
        value(call)
