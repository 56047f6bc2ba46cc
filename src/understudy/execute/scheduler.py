"""Steps over threads: a step starts when those before it are done, the longest path first.

The scheduler knows no database. Workers are threads that take one step at a time; everything else (what is ready, what is
skipped, events) is decided in the thread that called, so nothing here needs a lock.
"""

from __future__ import annotations

import heapq
import queue
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import msgspec

from understudy.errors import Cancelled
from understudy.execute.plan import Bundle, Step
from understudy.execute.results import FAILED, NodeResult

FAIL_FAST = "Skipping due to fail_fast"
PATIENCE = 0.2
"""Seconds to wait before looking whether somebody wants the run to stop."""
INTERRUPTED = "Skipping due to an interrupt"


class Worker(Protocol):
    """What one thread uses."""

    def run(self, step: Step) -> NodeResult:
        """Run a step to its end; every error is part of the result."""

    def run_together(self, bundle: Bundle) -> list[NodeResult]:
        """Settle what can be settled of several steps at once; the others are run singly afterwards. Raises nothing."""

    def cancel(self) -> None:
        """Interrupt the step that runs; later ones must not begin. Called from another thread."""

    def close(self) -> None:
        """The thread ends."""


Unit = Step | Bundle
"""What is started at once, on one thread."""
Task = Callable[[Any], None]
"""A part of a step that any worker may do: it is called with the worker of the thread that has time, and raises nothing."""
Tasks = queue.SimpleQueue["Step | Bundle | Task | None"]


class Hooks(msgspec.Struct, frozen=True):
    """What the scheduler tells while it works. `skipped` makes the result of a step that does not run:
    (step, the step because of which, message)."""

    started: Callable[[Step], None]
    finished: Callable[[NodeResult], None]
    skipped: Callable[[Step, str | None, str | None], NodeResult]


def run_steps(
    steps: Sequence[Step],
    worker: Callable[[], Worker],
    hooks: Hooks,
    *,
    threads: int,
    blocks: Callable[[NodeResult], bool],
    fail_fast: bool = False,
    tasks: Tasks | None = None,
) -> list[NodeResult]:
    """Run all steps; the results stand in the order in which steps ended.

    A worker may put parts of its step into `tasks`: threads that have nothing else to do take them.

    `blocks` says whether a result keeps the steps below from running; so does every skip. With `fail_fast` the first failure
    cancels what runs and skips the rest. KeyboardInterrupt does the same, and is not raised again: steps that did not end
    carry a Cancelled error.
    """
    found = queue.SimpleQueue() if tasks is None else tasks
    return _Run(steps, worker, hooks, max(1, threads), blocks, fail_fast, found).go()


class _Run:
    def __init__(
        self,
        steps: Sequence[Step],
        worker: Callable[[], Worker],
        hooks: Hooks,
        threads: int,
        blocks: Callable[[NodeResult], bool],
        fail_fast: bool,
        tasks: Tasks,
    ) -> None:
        self.steps = {step.unique_id: step for step in steps}
        self.places = {step.unique_id: place for place, step in enumerate(steps)}
        self.hooks, self.blocks, self.fail_fast, self.threads, self.make = hooks, blocks, fail_fast, threads, worker
        self.open = {step.unique_id: sum(need in self.steps for need in step.needs) for step in steps}
        self.children: dict[str, list[str]] = {unique_id: [] for unique_id in self.steps}
        for step in steps:
            for need in step.needs:
                if need in self.children:
                    self.children[need].append(step.unique_id)
        self.ready: list[tuple[float, int, Unit]] = []
        self.sizes = Counter(step.bundle for step in steps if step.bundle is not None)
        self.gathered: dict[str, list[Step]] = {}
        self.causes: dict[str, str] = {}
        self.running: dict[str, Unit] = {}
        self.busy: Counter[Unit] = Counter()
        """How many steps of each unit that was started have not ended; a thread is kept for each unit."""
        self.untold: deque[Callable[[], None]] = deque()
        """What is to be told, in order, as soon as the threads have their work."""
        self.results: dict[str, NodeResult] = {}
        self.stop: str | None = None
        self.tasks = tasks
        self.done: deque[NodeResult] = deque()
        self.bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        """Rung when there are results; a stroke that is lost, or one too many, is no harm."""
        self.workers: list[Worker] = []
        self.starting: Unit | None = None

    def go(self) -> list[NodeResult]:
        """The whole run."""
        if not self.steps:
            return []
        for unique_id, count in self.open.items():
            if not count:
                self._make_ready(unique_id)
        pool = [self._thread(number) for number in range(self.threads)]
        try:
            while self._rounds():
                self._cancel(INTERRUPTED)
        finally:
            for _ in pool:
                self.tasks.put(None)
            for thread in pool:
                thread.join()
        for unique_id, step in self.steps.items():
            if unique_id not in self.results:
                self._finish(self.hooks.skipped(step, None, self.stop))
        self._tell()
        return list(self.results.values())

    def _rounds(self) -> bool:
        """Go on until nothing is left, or somebody wants to stop, the first time: whether that was it.

        An interrupt may come between any two lines. So whatever is taken up stands somewhere until it is done, and every
        part of a round may be done twice.
        """
        try:
            while self.ready or self.running or self.untold:
                self._round()
        except KeyboardInterrupt:
            if self.stop == INTERRUPTED:
                raise
            return True
        return False

    def _round(self) -> None:
        """Start what can start, tell what came of others while the threads work, then wait for one to end."""
        self._launch()
        while self.ready and len(self.busy) < self.threads and self.stop is None:
            self._start(heapq.heappop(self.ready)[2])
        self._tell()
        if not self.running:
            self.ready.clear()
            return
        self._wait()
        while self.done:
            self._settle(self.done[0])
            self.done.popleft()

    def _wait(self) -> None:
        """Until there is a result, or for a while. While the run is being stopped, statements that slipped past the
        interrupt get another.

        Nothing waits without end here: a signal that comes the moment before a thread begins to wait does not wake it.
        """
        if self.done:
            return
        try:
            self.bell.get(timeout=PATIENCE)
        except queue.Empty:
            if self.stop is not None:
                self._cancel(self.stop)

    def _start(self, unit: Unit) -> None:
        steps = unit.steps if isinstance(unit, Bundle) else (unit,)
        self.starting = unit
        self.busy[unit] = len(steps)
        for step in steps:
            self.running[step.unique_id] = unit
            self.untold.append(partial(self.hooks.started, step))
        self._launch()

    def _launch(self) -> None:
        """Give the threads what was started, also where an interrupt came in between (twice then, but to be cancelled)."""
        if self.starting is not None:
            self.tasks.put(self.starting)
            self.starting = None

    def _tell(self) -> None:
        while self.untold:
            self.untold[0]()  # an interrupt here tells it twice rather than never
            self.untold.popleft()

    def _cancel(self, reason: str) -> None:
        self.stop = reason
        for worker in self.workers:
            worker.cancel()

    def _settle(self, result: NodeResult) -> None:
        unit = self.running.pop(result.unique_id, None)
        if unit is not None:
            self.busy[unit] -= 1
            if not self.busy[unit]:
                del self.busy[unit]
        if isinstance(result.error, Cancelled) and self.stop is not None and not result.batches:
            result = self.hooks.skipped(self.steps[result.unique_id], None, self.stop)
        self._finish(result)
        if self.fail_fast and result.status in FAILED and self.stop is None:
            self._cancel(FAIL_FAST)

    def _finish(self, result: NodeResult) -> None:
        """Note a result; steps below that can no more run are skipped, without recursion."""
        ended = [result]
        while ended:
            result = ended.pop()
            if result.unique_id in self.results:
                continue
            self.untold.append(partial(self.hooks.finished, result))
            self.results[result.unique_id] = result
            blocked = result.status == "skipped" or self.blocks(result)
            for child in self.children[result.unique_id]:
                self.open[child] -= 1
                if blocked:
                    self.causes.setdefault(child, result.cause or result.unique_id)
                if self.open[child]:
                    continue
                if child in self.causes:
                    ended.append(self.hooks.skipped(self.steps[child], self.causes[child], self.stop))
                else:
                    self._make_ready(child)

    def _make_ready(self, unique_id: str) -> None:
        """Queue a step; those of a bundle, which become ready by the same result, when all of them are."""
        step = self.steps[unique_id]
        unit: Unit = step
        if step.bundle is not None and self.sizes[step.bundle] > 1:
            together = self.gathered.setdefault(step.bundle, [])
            together.append(step)
            if len(together) < self.sizes[step.bundle]:
                return
            unit = Bundle(tuple(together))
        heapq.heappush(self.ready, (-step.weight, self.places[unique_id], unit))

    def _thread(self, number: int) -> threading.Thread:
        worker = self.make()
        self.workers.append(worker)
        thread = threading.Thread(target=self._work, args=(worker,), name=f"Thread-{number + 1}", daemon=True)
        thread.start()
        return thread

    def _work(self, worker: Worker) -> None:
        try:
            while (task := self.tasks.get()) is not None:
                if isinstance(task, Step):
                    self._hand_in([_result(worker, task)])
                elif isinstance(task, Bundle):
                    self._together(worker, task)
                else:
                    task(worker)
        finally:
            worker.close()

    def _hand_in(self, results: Sequence[NodeResult]) -> None:
        self.done.extend(results)
        self.bell.put(None)

    def _together(self, worker: Worker, bundle: Bundle) -> None:
        """Steps that were not settled together are given to whichever thread has time."""
        try:
            settled = {result.unique_id: result for result in worker.run_together(bundle)}
        except BaseException:  # noqa: BLE001 - as for a step; each of them says then what is wrong
            settled = {}
        for step in bundle.steps:
            if step.unique_id not in settled:
                self.tasks.put(step)
        if settled:
            self._hand_in([settled[step.unique_id] for step in bundle.steps if step.unique_id in settled])


def _result(worker: Worker, step: Step) -> NodeResult:
    """What the worker says; when it breaks instead (out of memory, `sys.exit` in a driver), that is the step's error."""
    try:
        return worker.run(step)
    except BaseException as error:  # noqa: BLE001 - else nobody would hear of the step again
        message = f"{type(error).__name__}: {error}"
        name = threading.current_thread().name
        return NodeResult(step.unique_id, "error", message, thread_id=name, error=error)
