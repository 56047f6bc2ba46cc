"""The law of tests that are asked together: a number is zero exactly when the test's own query has no rows."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.sql.fused import fuse, recognise
from understudy.stdlib import tests as macros

VALUES = st.one_of(st.none(), st.integers(-2, 3))
ROWS = st.lists(st.tuples(VALUES, VALUES), max_size=6)
PARENTS = st.lists(VALUES, max_size=5)
COLUMN = st.sampled_from(["a", "b", "a + b", "coalesce(a, b)", "nullif(a, 0)", '"a"'])
OPERAND = st.sampled_from(["a", "b", "1", "(a + b)", "null", "(select max(id) from parents)"])


class Context:
    """As much of a macro's context as the four tests use."""

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return False  # should_store_failures


@st.composite
def queries(draw: st.DrawFn) -> str:
    column, context = draw(COLUMN), Context()
    kind = draw(st.sampled_from(["unique", "not_null", "accepted_values", "relationships", "condition"]))
    model = draw(st.sampled_from(["t", "(select * from t where a > 0) dbt_subquery"]))
    if kind == "condition":
        conditions = st.tuples(OPERAND, st.sampled_from(["=", "<", ">=", "<>", "is distinct from"]), OPERAND)
        parts = draw(st.lists(conditions.map(" ".join), min_size=1, max_size=3))
        return f"select *\nfrom {model}\nwhere " + f" {draw(st.sampled_from(['and', 'or']))} ".join(parts)
    macro = getattr(macros, f"default__test_{kind}")
    arguments: dict[str, Any] = {
        "accepted_values": {"values": draw(st.lists(st.integers(-2, 3), min_size=1, max_size=3)), "quote": False},
        "relationships": {"to": "parents", "field": draw(st.sampled_from(["id", "id + 1"]))},
    }.get(kind, {})
    return str(macro(context, model, column, **arguments))


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@given(rows=ROWS, parents=PARENTS, asked=st.lists(queries(), min_size=1, max_size=5))
def test_zero_means_no_rows(
    database: duckdb.DuckDBPyConnection, rows: list[tuple[Any, Any]], parents: list[Any], asked: list[str]
) -> None:
    database.execute("create or replace table t (a integer, b integer); create or replace table parents (id integer)")
    for row in rows:
        database.execute("insert into t values (?, ?)", row)
    for parent in parents:
        database.execute("insert into parents values (?)", [parent])
    by_relation: dict[str, list[tuple[str, Any]]] = {}
    for query in asked:
        check = recognise(query)
        if check is not None:  # `a` is distinct from `b`: the word `from` is not followed, which is no harm
            by_relation.setdefault(check.relation, []).append((query, check))
    for group in by_relation.values():
        counts = database.execute(fuse([check for _, check in group])).fetchall()[0]
        for (query, _), count in zip(group, counts, strict=True):
            failures = len(database.execute(query).fetchall())
            assert (count == 0) == (failures == 0), query
