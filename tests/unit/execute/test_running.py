"""Whole runs over several nodes: order, skips, hooks of the run, threads, interruption."""

from __future__ import annotations

import signal
import threading
import time
from itertools import pairwise
from typing import Any

import pytest
from support.engine import PROJECT, Engine, check, model

from understudy.core.nodes import Operation
from understudy.errors import Cancelled, DatabaseError
from understudy.execute.events import NodeFinished, NodeStarted
from understudy.execute.results import NodeResult

SLOW = "select count(*) as n from range(1000000) a, range(1000000) b where a.range * b.range % 7 = 3"


@pytest.fixture
def engine() -> Engine:
    return Engine()


def statuses(results: list[NodeResult]) -> dict[str, str]:
    return {result.unique_id.split(".")[-1]: result.status for result in results}


def operation(kind: str, sql: str, index: int = 1) -> Operation:
    base: dict[str, Any] = {
        "database": "memory", "schema": "dev", "name": f"{PROJECT}-{kind}-{index - 1}", "package_name": PROJECT, "path": "h",
        "original_file_path": "./dbt_project.yml", "unique_id": f"operation.{PROJECT}.{kind}-{index}", "fqn": [], "alias": "h",
        "checksum": {"name": "none", "checksum": ""}, "config": {"materialized": "view"}, "tags": [kind],
    }  # fmt: skip
    return Operation(**base, raw_code=sql, index=index)


def test_parents_come_first_and_events_tell_of_it(engine: Engine) -> None:
    nodes = [
        model("c", "select * from dev.b", needs=("b",)),
        model("b", "select * from dev.a", needs=("a",)),
        model("a"),
    ]
    assert statuses(engine.run(*nodes)) == {"a": "success", "b": "success", "c": "success"}
    assert [(type(event), event.index, event.total) for event in engine.events] == [
        (kind, index, 3) for index in (1, 2, 3) for kind in (NodeStarted, NodeFinished)
    ]


def nodes_with_a_failing_test(sql: str) -> list[Any]:
    return [model("a"), check("t", sql, ("a",)), model("b", needs=("a",)), model("c", needs=("b",)), model("d")]


@pytest.mark.parametrize(
    ("command", "sql", "expected"),
    [
        ("build", "select 1", {"t": "fail", "b": "skipped", "c": "skipped", "d": "success"}),
        ("build", "select nothing", {"t": "error", "b": "skipped", "c": "skipped", "d": "success"}),
        ("build", "select 1 where false", {"t": "pass", "b": "success", "c": "success", "d": "success"}),
        ("run", "select 1", {"t": "fail", "b": "success", "c": "success", "d": "success"}),
    ],
)
def test_a_failed_test_skips_what_is_below_its_node_in_build(
    engine: Engine, command: str, sql: str, expected: dict[str, str]
) -> None:
    results = engine.run(*nodes_with_a_failing_test(sql), command=command)
    assert statuses(results) == {"a": "success", **expected}
    skips = [result for result in results if result.status == "skipped"]
    assert {(r.cause, r.message, r.failures) for r in skips} <= {(f"test.{PROJECT}.t", None, None)}


def test_a_test_that_warns_skips_nothing(engine: Engine) -> None:
    nodes = [model("a"), check("t", "select 1", ("a",), severity="warn"), model("b", needs=("a",))]
    assert statuses(engine.run(*nodes)) == {"a": "success", "t": "warn", "b": "success"}


def test_fail_fast(engine: Engine) -> None:
    nodes = [model("a", "select nothing"), model("slow", SLOW), model("b"), model("c")]
    began = time.monotonic()
    results = engine.run(*nodes, threads=2, fail_fast=True)
    assert time.monotonic() - began < 20
    assert statuses(results) == {"a": "error", "slow": "skipped", "b": "skipped", "c": "skipped"}
    assert {result.message for result in results if result.status == "skipped"} == {"Skipping due to fail_fast"}
    assert engine.kinds() == {}


def test_an_interrupt_cancels_what_runs_and_keeps_what_is_done(engine: Engine) -> None:
    nodes = [model("a"), model("slow", SLOW, needs=("a",)), model("b", needs=("slow",))]
    timer = threading.Timer(0.5, signal.pthread_kill, (threading.main_thread().ident or 0, signal.SIGINT))
    timer.start()
    results = engine.run(*nodes)
    assert statuses(results) == {"a": "success", "slow": "skipped", "b": "skipped"}
    assert all(isinstance(result.error, Cancelled) for result in results[1:])
    assert engine.kinds() == {"a": "table"}


def test_eight_threads(engine: Engine) -> None:
    layers = [
        [model(f"m{layer}_{i}", f"select {i} as n", "table" if i % 2 else "view") for i in range(12)]
        for layer in range(5)
    ]
    for upper, lower in pairwise(layers):
        for i, node in enumerate(lower):
            node.depends_on.nodes = [upper[i].unique_id, upper[(i + 1) % 12].unique_id]
            node.raw_code = f"select count(*) as n from dev.{upper[i].name}, dev.{upper[(i + 1) % 12].name}"
    nodes = [node for layer in layers for node in layer]
    for _ in range(3):
        results = engine.run(*nodes, threads=8)
        assert set(statuses(results).values()) == {"success"}, [r.message for r in results if r.status != "success"]
    assert len(engine.kinds()) == 60


def test_ephemeral_models_are_no_steps(engine: Engine) -> None:
    nodes = [model("a"), model("e", "select nothing", "ephemeral", needs=("a",)), model("b", needs=("e",))]
    assert statuses(engine.run(*nodes)) == {"a": "success", "b": "success"}


def test_only_the_needed_schemas_are_created_and_once(engine: Engine) -> None:
    nodes = [
        model("a"),
        model("b", schema="Other"),
        model("c", schema="other"),
        check("t", "select 1 where false", ("a",)),
    ]
    engine.run(*nodes)
    assert engine.purposes().count("schema") == 2
    engine.run(*nodes)
    assert engine.purposes().count("schema") == 0


def test_a_schema_that_cannot_be_created_is_an_error_before_anything_runs(engine: Engine) -> None:
    node = model("a")
    node.database = "nowhere"
    with pytest.raises(DatabaseError):
        engine.run(node)


def test_hooks_of_the_run(engine: Engine) -> None:
    nodes = [
        operation("on-run-start", "create table if not exists log as select 'start' as what"),
        operation("on-run-start", "insert into log values ('second')", 2),
        operation(
            "on-run-end",
            "{% for r in results %}insert into log values ('{{ r.node.name }} {{ r.status }} {{ schemas | join(',') }} "
            "{{ database_schemas[0][0] }}');{% endfor %}",
        ),
        model("a"),
    ]
    results = engine.run(*nodes)
    assert [(r.message, r.status) for r in results] == [
        ("shop.on-run-start.0 passed", "success"),
        ("shop.on-run-start.1 passed", "success"),
        ("OK", "success"),
        ("shop.on-run-end.0 passed", "success"),
    ]
    assert {r.thread_id for r in results} == {"main", "Thread-1"}
    assert engine.query("select what from log") == [("start",), ("second",), ("a success dev memory",)]


def test_a_failed_hook_of_the_run(engine: Engine) -> None:
    nodes = [operation("on-run-start", "select nothing"), operation("on-run-start", "select 1", 2), model("a")]
    results = engine.run(*nodes)
    assert [result.status for result in results] == ["error", "skipped", "success"]
    assert str(results[0].message).startswith("shop.on-run-start.0 failed, error:\n ")
    assert (results[1].message, results[1].failures) == ("shop.on-run-start.1 skipped", 1)
    assert [(type(event), event.index, event.total) for event in engine.events[:3]] == [
        (NodeStarted, 1, 2), (NodeFinished, 1, 2), (NodeFinished, 2, 2)
    ]  # fmt: skip


def test_nothing_selected_runs_no_hook(engine: Engine) -> None:
    assert engine.run(operation("on-run-start", "select nothing")) == []


def test_a_bug_is_the_nodes_error(engine: Engine) -> None:
    node = model("a")
    node.config["pre-hook"] = [{"no sql": 1}]
    result = engine.one(node)
    assert (result.status, type(result.error)) == ("error", KeyError)
