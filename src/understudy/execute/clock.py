"""Measures the phases of one node."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

from understudy.execute.results import NodeResult, Timing


class Clock:
    """Measures the phases of one node."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.phases: list[Timing] = []

    def phase(self, name: str) -> _Phase:
        """A context whose time is noted, also when it fails."""
        return _Phase(self, name)

    def result(self, unique_id: str, status: Any, message: str | None = None, **more: Any) -> NodeResult:
        """A result with the times so far."""
        more.setdefault("thread_id", threading.current_thread().name)
        elapsed = time.perf_counter() - self.started
        return NodeResult(unique_id, status, message, timing=tuple(self.phases), execution_time=elapsed, **more)


class _Phase:
    def __init__(self, clock: Clock, name: str) -> None:
        self.clock, self.name = clock, name

    def __enter__(self) -> None:
        self.begin = _now()

    def __exit__(self, *error: object) -> None:
        self.clock.phases.append(Timing(self.name, self.begin, _now()))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
