"""A microbatch model, batch by batch: the first alone, the last alone, those between by all threads that have time.

dbt 1.11: MicrobatchModelRunner. Each batch has a transaction of its own, so that a failed one leaves the others standing.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from typing import Any

from understudy.core.batch import Batch
from understudy.core.config import refreshes
from understudy.core.nodes import Node
from understudy.errors import Cancelled
from understudy.execute.build import BOTH
from understudy.execute.clock import Clock
from understudy.execute.microbatch import batch_id, batches, is_microbatch, label
from understudy.execute.plan import Bundle, Step
from understudy.execute.results import BatchResult, NodeResult
from understudy.execute.together import run_together
from understudy.execute.worker import NodeWorker, error_text

THIS = re.compile(r"\{[{%](?:(?!%\}|\}\}).)*\bthis\b", re.DOTALL)
"""A template that asks for the model's own table: then a batch may need those before it. Too often is no harm."""


class StepWorker(NodeWorker):
    """One thread's work: nodes whole, or in batches."""

    def run(self, step: Step) -> NodeResult:
        """Compile and execute a node; whatever goes wrong is the node's error."""
        node = self.compiler.manifest.nodes.get(step.unique_id)
        try:
            if node is not None and is_microbatch(node.config) and self._in_batches(node):
                return run_batches(self, node)
            return super().run(step)
        finally:
            self.database.leave()

    def run_together(self, bundle: Bundle) -> list[NodeResult]:
        """Settle tests of one relation by one query."""
        return run_together(self, bundle)

    def _in_batches(self, node: Node) -> bool:
        """Whether batches are ours to make: not where the strategy is the project's own, unless a flag says so (dbt 1.11:
        use_microbatch_batches).
        """
        session = self.compiler.session(node.unique_id, self.database)
        return self.options.batch_own_strategies or not session.overridden("get_incremental_microbatch_sql")


def run_batches(worker: NodeWorker, node: Node) -> NodeResult:
    """All batches of a model; whatever goes wrong with one is its result, and the model's."""
    clock = Clock()
    try:
        run = _Batches(worker, node)
    except Exception as error:  # noqa: BLE001 - every error of a node is its result
        worker.undo()
        return clock.result(
            node.unique_id, "error", error_text(error, node), error=error, relation_name=node.relation_name
        )
    with clock.phase("execute"):
        run.go()
    return run.result(clock)


class _Batches:
    def __init__(self, worker: NodeWorker, node: Node) -> None:
        self.worker, self.node, self.size = worker, node, str(node.config.get("batch_size"))
        options = worker.options
        self.again = options.again.get(node.unique_id)
        existing = worker.find(worker.compiler.relation(node.unique_id))
        anew = refreshes(node.config, options.full_refresh)
        self.incremental = existing is not None and existing.type == "table" and not anew
        self.batches = self._planned()
        self.results: dict[int, BatchResult] = {}
        self.todo: deque[int] = deque()
        self.changed = threading.Condition()
        self.busy = 0

    def _planned(self) -> list[Batch]:
        options = self.worker.options
        if self.again is not None:
            return [Batch(batch_id(start, self.size), start, end) for start, end in self.again.failed]
        return batches(
            self.node.config,
            self.node.name,
            incremental=self.incremental,
            now=options.now,
            start=options.event_time_start,
            end=options.event_time_end,
        )

    def go(self) -> None:
        """The first batch makes the table where there is none; when it fails, nothing else is tried."""
        if not self.batches:
            return
        last = len(self.batches) - 1
        self.one(self.worker, 0)
        if self.results[0].status == "success":
            self.todo.extend(range(1, last))
            if self._in_parallel():
                for _ in range(self.worker.options.threads - 1):
                    self.worker.work.share(self._help)
            while self._next(self.worker):
                pass
            with self.changed:
                self.changed.wait_for(lambda: not self.busy)
            if last and not self.worker.cancelled:
                self.one(self.worker, last)
        for number, batch in enumerate(self.batches):
            if number not in self.results:
                self.results[number] = BatchResult(batch, self.label(batch), "skipped")

    def _in_parallel(self) -> bool:
        wanted = self.node.config.get("concurrent_batches")
        if not self.worker.adapter.capabilities.concurrent_batches:
            return False
        return not THIS.search(self.node.raw_code) if wanted is None else bool(wanted)

    def _help(self, worker: NodeWorker) -> None:
        """Another thread takes one batch, and comes back for more after whatever else is waiting."""
        if self._next(worker) and self.todo:
            worker.work.share(self._help)

    def _next(self, worker: NodeWorker) -> bool:
        """Run one of the batches that are left; whether there was one."""
        with self.changed:
            if not self.todo or worker.cancelled:
                return False
            number = self.todo.popleft()
            self.busy += 1
        try:
            self.one(worker, number)
        finally:
            with self.changed:
                self.busy -= 1
                self.changed.notify_all()
        return True

    def one(self, worker: NodeWorker, number: int) -> None:
        """Compile and build one batch on a worker's connection; every error is its result."""
        batch, node, begun = self.batches[number], self.node, time.perf_counter()
        known: dict[str, Any] = {}
        status, message = "success", None
        try:
            worker.prepare(node)
            sql = worker.compiler.compile(node.unique_id, worker.database, batch=batch).sql
            known["compiled_code"] = sql
            hooks = (
                BOTH
                - ({"pre-hook"} if number else set())
                - ({"post-hook"} if number < len(self.batches) - 1 else set())
            )
            extends = number > 0 or self.incremental
            outcome = worker.materialize(worker.build(node, sql, batch=batch, hooks=hooks, extends=extends))
            known["run_sql"], message = outcome.sql, outcome.result.message
        except Exception as error:  # noqa: BLE001 - every error of a batch is its result
            worker.undo()
            status, message, known["error"] = "error", error_text(error, node), error
        finally:
            worker.database.leave()
        seconds = time.perf_counter() - begun
        self.results[number] = BatchResult(batch, self.label(batch), status, message, seconds, **known)  # type: ignore[arg-type]

    def label(self, batch: Batch) -> str:
        """The batch's name."""
        return label(batch.event_time_start, self.size)

    def result(self, clock: Clock) -> NodeResult:
        """The model's result, from those of its batches (dbt 1.11: merge_batch_results)."""
        found = tuple(self.results[number] for number in sorted(self.results))
        done = sum(each.status == "success" for each in found)
        errors = [each.error for each in found if each.error is not None]
        status, message = "partial success", f"PARTIAL SUCCESS ({done}/{len(found)})"
        if done == len(found):
            status, message = "success", "SUCCESS"
        elif not done:
            status, message = "error", "ERROR"
        error = next((each for each in errors if isinstance(each, Cancelled)), errors[0] if errors else None)
        earlier = self.again.successful if self.again is not None else ()
        return clock.result(
            self.node.unique_id, status, message, failures=0, relation_name=self.node.relation_name, batches=found,
            earlier=earlier, error=error,
        )  # fmt: skip
