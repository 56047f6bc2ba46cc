"""Microbatch models on a real DuckDB: who builds which batch, what a failure leaves, what a retry does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from support.engine import PROJECT, Engine, model

from understudy.core.nodes import Model
from understudy.core.statement import Statement
from understudy.execute.results import NodeResult
from understudy.execute.worker import Again

SQL = "select timestamp '{{ model.batch.event_time_start.replace(tzinfo=none) }}' as at_time, '{{ model.batch.id }}' as batch"
WINDOW = {"event_time_start": datetime(2024, 1, 1), "event_time_end": datetime(2024, 1, 9)}
DAYS = [f"2024010{day}" for day in range(1, 9)]


def batched(sql: str = SQL, **more: Any) -> Model:
    config = {
        "incremental_strategy": "microbatch", "event_time": "at_time", "batch_size": "day", "begin": "2024-01-01", **more
    }  # fmt: skip
    return model("a", sql, "incremental", **config)


def run(engine: Engine, node: Model, **options: Any) -> NodeResult:
    return engine.run(node, **{"threads": 4, **WINDOW, **options})[0]


def built(engine: Engine) -> list[str]:
    return [row[0] for row in engine.query("select batch from dev.a order by 1")]


@pytest.fixture
def engine() -> Engine:
    return Engine()


def test_all_batches_with_any_number_of_threads(engine: Engine) -> None:
    for threads in (1, 2, 4):
        result = run(engine, batched(), threads=threads)
        assert (result.status, result.message, built(engine)) == ("success", "SUCCESS", DAYS)


def test_the_first_makes_the_table_and_the_last_comes_last(engine: Engine) -> None:
    result = run(engine, batched(concurrent_batches=True))
    assert [each.label for each in result.batches] == [f"2024-01-0{day}" for day in range(1, 9)]
    mains = [request.sql for request in engine.sent if isinstance(request, Statement) and request.purpose == "main"]
    assert "create table" in mains[0]
    assert "20240101" in mains[0]
    assert "2024-01-08" in mains[-1]


def test_a_model_that_reads_itself_goes_in_order(engine: Engine) -> None:
    sql = SQL + " {% if is_incremental() %}, (select count(*) from {{ this }}) as n {% else %}, 0 as n {% endif %}"
    run(engine, batched(sql))
    assert engine.query("select n from dev.a order by batch") == [(n,) for n in range(8)]


def test_hooks_run_once(engine: Engine) -> None:
    hooks: dict[str, Any] = {
        "pre-hook": [{"sql": "create table dev.log as select 'before' as w", "transaction": True}],
        "post-hook": [{"sql": "insert into dev.log select 'after'", "transaction": True}],
    }
    assert run(engine, batched(**hooks)).status == "success"
    assert engine.query("select w from dev.log order by 1") == [("after",), ("before",)]


def test_one_that_fails_leaves_the_others(engine: Engine) -> None:
    sql = SQL.replace(
        "'{{ model.batch.id }}'",
        "case when '{{ model.batch.id }}' = '20240104' then error('no') else '{{ model.batch.id }}' end",
    )
    result = run(engine, batched(sql), event_time_end=datetime(2024, 1, 6))
    assert (result.status, result.message) == ("partial success", "PARTIAL SUCCESS (4/5)")
    assert result.batch_results == {
        "successful": [[f"2024-01-0{d}T00:00:00+00:00", f"2024-01-0{d + 1}T00:00:00+00:00"] for d in (1, 2, 3, 5)],
        "failed": [["2024-01-04T00:00:00+00:00", "2024-01-05T00:00:00+00:00"]],
    }
    assert "20240104" not in built(engine)


def test_a_retry_builds_what_failed(engine: Engine) -> None:
    run(engine, batched(), event_time_end=datetime(2024, 1, 3))
    window = (datetime(2024, 1, 5, tzinfo=UTC), datetime(2024, 1, 6, tzinfo=UTC))
    before = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC))
    result = run(engine, batched(), again={f"model.{PROJECT}.a": Again((window,), (before,))})
    assert result.status == "success"
    assert built(engine) == ["20240101", "20240102", "20240105"]
    assert result.batch_results is not None
    assert len(result.batch_results["successful"]) == 2


def test_a_strategy_of_the_projects_own_gets_no_batches(engine: Engine) -> None:
    engine.macros["get_incremental_microbatch_sql"] = """
        {% macro get_incremental_microbatch_sql(arg_dict) %}
            insert into {{ arg_dict['target_relation'] }} select * from {{ arg_dict['temp_relation'] }}
        {% endmacro %}"""
    node = batched("select timestamp '2024-01-01' as at_time, 'all' as batch")
    assert run(engine, node).batches == ()
    assert run(engine, node).batches == ()
    assert built(engine) == ["all", "all"]
    assert len(run(engine, node, batch_own_strategies=True).batches) == 8


def test_without_a_begin(engine: Engine) -> None:
    result = run(engine, batched(begin=None), event_time_start=None, event_time_end=None)
    assert result.status == "error"
    assert "requires a 'begin'" in (result.message or "")
