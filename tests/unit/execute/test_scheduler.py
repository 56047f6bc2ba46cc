"""The order of steps, what is skipped, and how a run stops. No database: workers are functions."""

from __future__ import annotations

import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.errors import Cancelled
from understudy.execute import scheduler
from understudy.execute.plan import Bundle, Step
from understudy.execute.results import NodeResult
from understudy.execute.scheduler import FAIL_FAST, INTERRUPTED, Hooks, Tasks, run_steps
from understudy.execute.worker import skipped

Work = Callable[[Step, threading.Event], NodeResult]


class Stub:
    """A worker that does what a function says; `cancel` sets an event that the function may watch."""

    def __init__(self, work: Work, together: Callable[[Bundle], list[NodeResult]] = lambda bundle: []) -> None:
        self.work, self.together, self.cancelled = work, together, threading.Event()

    def run(self, step: Step) -> NodeResult:
        return self.work(step, self.cancelled)

    def run_together(self, bundle: Bundle) -> list[NodeResult]:
        return self.together(bundle)

    def cancel(self) -> None:
        self.cancelled.set()

    def close(self) -> None:
        pass


def go(steps: list[Step], work: Work, **options: object) -> tuple[list[NodeResult], list[str], list[str]]:
    """(results, started, finished)."""
    started: list[str] = []
    finished: list[str] = []
    hooks = Hooks(lambda s: started.append(s.unique_id), lambda r: finished.append(r.unique_id), skipped)
    chosen = {"threads": 1, "blocks": lambda result: result.status == "error", **options}
    results = run_steps(steps, lambda: Stub(work), hooks, **chosen)  # type: ignore[arg-type]
    return results, started, finished


def fine(step: Step, cancelled: threading.Event) -> NodeResult:
    return NodeResult(step.unique_id, "success")


def failing(*names: str) -> Work:
    return lambda step, cancelled: NodeResult(step.unique_id, "error" if step.unique_id in names else "success")


def test_nothing_to_do() -> None:
    assert go([], fine) == ([], [], [])


def test_the_longest_path_goes_first() -> None:
    steps = [Step("short", "model"), Step("long", "model", weight=2), Step("end", "model", ("long",))]
    assert go(steps, fine)[1] == ["long", "short", "end"]


def test_what_is_below_an_error_is_skipped_with_its_cause() -> None:
    steps = [Step("a", "model"), Step("b", "model", ("a",)), Step("c", "model", ("b",)), Step("d", "model")]
    results, started, _ = go(steps, failing("a"))

    found = {result.unique_id: result for result in results}
    assert started == ["a", "d"]
    assert {name: result.status for name, result in found.items()} == {
        "a": "error",
        "b": "skipped",
        "c": "skipped",
        "d": "success",
    }
    assert (found["c"].cause, found["c"].message) == ("a", None)


def test_a_long_chain_needs_no_recursion() -> None:
    steps = [Step("0", "model"), *(Step(str(i), "model", (str(i - 1),)) for i in range(1, 5000))]
    results, started, _ = go(steps, failing("0"))
    assert (len(started), len(results)) == (1, 5000)


def test_fail_fast_cancels_what_runs_and_skips_the_rest() -> None:
    begun = threading.Event()

    def work(step: Step, cancelled: threading.Event) -> NodeResult:
        if step.unique_id == "slow":
            begun.set()
            assert cancelled.wait(10)
            return NodeResult("slow", "error", error=Cancelled("Interrupted"))
        assert begun.wait(10)
        return NodeResult(step.unique_id, "fail")

    steps = [Step("slow", "model", weight=3), Step("bad", "test", weight=2), Step("late", "model")]
    results, started, _ = go(steps, work, threads=2, fail_fast=True)

    assert started == ["slow", "bad"]
    assert {r.unique_id: (r.status, r.message) for r in results} == {
        "bad": ("fail", None), "slow": ("skipped", FAIL_FAST), "late": ("skipped", FAIL_FAST)
    }  # fmt: skip


def test_an_interrupt_keeps_what_is_done() -> None:
    def work(step: Step, cancelled: threading.Event) -> NodeResult:
        if step.unique_id == "first":
            return NodeResult("first", "success")
        signal.raise_signal(
            signal.SIGINT
        ) if threading.current_thread() is threading.main_thread() else signal.pthread_kill(
            threading.main_thread().ident or 0, signal.SIGINT
        )
        assert cancelled.wait(10)
        return NodeResult(step.unique_id, "error", error=Cancelled("Interrupted"))

    steps = [
        Step("first", "model", weight=3),
        Step("second", "model", ("first",), 2),
        Step("third", "model", ("second",)),
    ]
    results, _, finished = go(steps, work)

    assert [(r.unique_id, r.status, r.message) for r in results] == [
        ("first", "success", None), ("second", "skipped", INTERRUPTED), ("third", "skipped", INTERRUPTED)
    ]  # fmt: skip
    assert isinstance(results[1].error, Cancelled)
    assert finished == ["first", "second", "third"]


def test_cancel_is_repeated_for_a_statement_that_slipped_past_it() -> None:
    calls = []

    class Deaf(Stub):
        def cancel(self) -> None:
            calls.append(1)
            if len(calls) > 4:
                super().cancel()

    def work(step: Step, cancelled: threading.Event) -> NodeResult:
        if step.unique_id == "bad":
            return NodeResult("bad", "fail")
        assert cancelled.wait(10)
        return NodeResult(step.unique_id, "error", error=Cancelled("Interrupted"))

    hooks = Hooks(lambda step: None, lambda result: None, skipped)
    steps = [Step("slow", "model"), Step("bad", "test")]
    results = run_steps(steps, lambda: Deaf(work), hooks, threads=2, blocks=lambda r: False, fail_fast=True)
    assert len(results) == 2


@pytest.mark.parametrize("threads", [1, 2, 8, 100])
def test_threads_are_used_and_not_exceeded(threads: int) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def work(step: Step, cancelled: threading.Event) -> NodeResult:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1
        return NodeResult(step.unique_id, "success", thread_id=threading.current_thread().name)

    results, _, _ = go([Step(str(i), "model") for i in range(16)], work, threads=threads)
    assert most[0] <= threads
    assert (most[0] > 1) is (threads > 1)
    assert len({result.thread_id for result in results}) <= threads


@settings(max_examples=60)
@given(st.data())
def test_every_step_ends_once_after_those_before_it(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 12))
    needs = [tuple(str(j) for j in range(i) if data.draw(st.booleans())) for i in range(size)]
    bad = data.draw(st.sets(st.sampled_from([str(i) for i in range(size)])))
    steps = [Step(str(i), "model", needs[i]) for i in range(size)]

    results, started, finished = go(steps, failing(*bad), threads=data.draw(st.integers(1, 3)))

    assert sorted(finished) == sorted(str(i) for i in range(size))
    places = {name: place for place, name in enumerate(finished)}
    assert all(places[need] < places[step.unique_id] for step in steps for need in step.needs)
    status = {result.unique_id: result.status for result in results}
    for step in steps:
        blocked = any(status[need] in ("error", "skipped") for need in step.needs)
        assert (status[step.unique_id] == "skipped") is blocked
        assert (step.unique_id in started) is not blocked


def test_a_worker_that_breaks_is_the_steps_error() -> None:
    def work(step: Step, cancelled: threading.Event) -> NodeResult:
        if step.unique_id == "broken":
            raise SystemExit(3)
        return NodeResult(step.unique_id, "success")

    results, _, _ = go([Step("broken", "model"), Step("below", "model", ("broken",)), Step("other", "model")], work)
    assert {result.unique_id: (result.status, result.message) for result in results} == {
        "broken": ("error", "SystemExit: 3"), "below": ("skipped", None), "other": ("success", None)
    }  # fmt: skip


def test_parts_of_a_step_go_to_whoever_has_time() -> None:
    tasks: Tasks = queue.SimpleQueue()
    seen: set[str] = set()
    done = threading.Barrier(3)

    def part(worker: object) -> None:
        seen.add(threading.current_thread().name)
        done.wait(10)

    def work(step: Step, cancelled: threading.Event) -> NodeResult:
        tasks.put(part)
        tasks.put(part)
        done.wait(10)
        return NodeResult(step.unique_id, "success")

    results, _, _ = go([Step("a", "model")], work, threads=3, tasks=tasks)
    assert [result.status for result in results] == ["success"]
    assert len(seen) == 2


def bundled(*names: str, needs: tuple[str, ...] = ()) -> list[Step]:
    return [Step(name, "test", needs, bundle="b") for name in names]


def run_bundled(steps: list[Step], together: Callable[[Bundle], list[NodeResult]], work: Work = fine) -> Any:
    """(results by name, what was run singly, the bundles that were asked)."""
    singly: list[str] = []
    asked: list[tuple[str, ...]] = []

    def one(step: Step, cancelled: threading.Event) -> NodeResult:
        singly.append(step.unique_id)
        return work(step, cancelled)

    def several(bundle: Bundle) -> list[NodeResult]:
        asked.append(tuple(step.unique_id for step in bundle.steps))
        return together(bundle)

    hooks = Hooks(lambda step: None, lambda result: None, skipped)
    results = run_steps(
        steps, lambda: Stub(one, several), hooks, threads=2, blocks=lambda result: result.status == "error"
    )
    return {result.unique_id: result.status for result in results}, sorted(singly), asked


def test_a_bundle_is_asked_at_once_and_the_rest_of_it_singly() -> None:
    steps = [Step("a", "model"), *bundled("x", "y", "z", needs=("a",)), Step("c", "model", ("y", "z"))]
    results, singly, asked = run_bundled(steps, lambda bundle: [NodeResult("y", "pass")])
    assert results == {"a": "success", "x": "success", "y": "pass", "z": "success", "c": "success"}
    assert (singly, asked) == (["a", "c", "x", "z"], [("x", "y", "z")])


def test_a_bundle_below_an_error_is_skipped() -> None:
    results, singly, asked = run_bundled(
        [Step("a", "model"), *bundled("x", "y", needs=("a",))], lambda bundle: [], failing("a")
    )
    assert results == {"a": "error", "x": "skipped", "y": "skipped"}
    assert (singly, asked) == (["a"], [])


def test_a_bundle_of_one_is_a_step() -> None:
    assert run_bundled(bundled("x"), lambda bundle: [])[1:] == (["x"], [])


def test_a_worker_that_breaks_over_a_bundle_leaves_its_steps_to_themselves() -> None:
    def broken(bundle: Bundle) -> list[NodeResult]:
        raise MemoryError

    results, singly, _ = run_bundled(bundled("x", "y"), broken)
    assert (results, singly) == ({"x": "success", "y": "success"}, ["x", "y"])


OUTSIDE = frozenset({"go", "_rounds", "_cancel", "_thread"})
"""Where a first interrupt is no matter of rounds."""


def interrupted(line: int) -> tuple[dict[str, str], list[str], bool]:
    """A run whose scheduler is interrupted at the n-th of its lines: (statuses, what was told, whether there was such a line)."""
    passed, rounds = 0, 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal passed, rounds
        if frame.f_code.co_filename != scheduler.__file__:
            return None
        if frame.f_code.co_name == "_rounds" and event in ("call", "return"):
            rounds += 1 if event == "call" else -1
        if event == "line" and rounds and frame.f_code.co_name not in OUTSIDE:
            passed += 1
            if passed == line:
                raise KeyboardInterrupt
        return trace

    def work(step: Step, cancelled: threading.Event) -> NodeResult:
        if cancelled.is_set():
            return NodeResult(step.unique_id, "error", error=Cancelled("Interrupted"))
        return fine(step, cancelled)

    steps = [
        Step("a", "model"),
        Step("b", "model", ("a",)),
        *bundled("x", "y", needs=("a",)),
        Step("c", "model", ("x", "b")),
    ]
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        results, _, told = go(steps, work, threads=2)
    finally:
        sys.settrace(before)
    return {result.unique_id: result.status for result in results}, told, passed >= line


def test_an_interrupt_at_any_line_loses_nothing() -> None:
    line = 0
    while True:
        line += 1
        statuses, told, reached = interrupted(line)
        assert set(statuses) == {"a", "b", "x", "y", "c"}, line
        assert set(told) == set(statuses), line
        assert set(statuses.values()) <= {"success", "skipped"}, line
        if not reached:
            assert line > 100
            return
