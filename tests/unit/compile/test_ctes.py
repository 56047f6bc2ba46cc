"""CTEs of ephemeral models are put in front of a query with dbt's own text."""

from __future__ import annotations

import pytest

from understudy.compile.ctes import Cte, cte, inject, merged

ONE = [cte("model.p.e", "__dbt__cte__e", "select 1")]
TWO = [*ONE, cte("model.p.f", "__dbt__cte__f", "\nselect 2\n")]
E, F = " __dbt__cte__e as (\nselect 1\n)", " __dbt__cte__f as (\n\nselect 2\n\n)"


# What dbt 1.11.16's inject_ctes_into_sql answers to the same questions.
@pytest.mark.parametrize(
    ("sql", "ctes", "answer"),
    [
        ("select * from x", [], "select * from x"),
        ("select * from x", ONE, f"with{E} select * from x"),
        ("\n  select * from x", TWO, f"\n  with{E}, {F} select * from x"),
        ("-- c\nselect 1", ONE, f"with{E} -- c\nselect 1"),
        ("with a as (select 1) select * from a", ONE, f"with {E}, a as (select 1) select * from a"),
        ("/* c */ WITH\n   a as (select 1)\nselect * from a", TWO, f"/* c */ WITH\n   {E}, {F}, a as (select 1)\nselect * from a"),
        ("with recursive a as (select 1) select 1", ONE, f"with recursive {E}, a as (select 1) select 1"),
        ("-- x\n\nwith\n\n\na as (select 1) select 1", ONE, f"-- x\n\nwith\n\n\n{E}, a as (select 1) select 1"),
        ("select with_tax from x", ONE, f"with{E} select with_tax from x"),
        ("select 1 as n from (with a as (select 1) select * from a)", ONE,
            f"with{E} select 1 as n from (with a as (select 1) select * from a)"),
    ],
)  # fmt: skip
def test_ctes_come_first(sql: str, ctes: list[Cte], answer: str) -> None:
    assert inject(sql, ctes) == answer


def test_each_cte_stands_once_where_it_was_first_needed() -> None:
    a, b, c = (Cte(name, name) for name in "abc")
    assert merged([[a, b], [b], [c, a]]) == (a, b, c)
