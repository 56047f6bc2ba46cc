"""What a run tells while it goes on; always from the thread that called `run`."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.execute.results import NodeResult


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """A node begins; `index` counts from 1 among `total`."""

    unique_id: str
    index: int
    total: int


@dataclass(frozen=True, slots=True)
class NodeFinished:
    """A node ended, or was skipped."""

    result: NodeResult
    index: int
    total: int


NodeEvent = NodeStarted | NodeFinished
