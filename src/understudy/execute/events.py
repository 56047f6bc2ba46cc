"""What a run tells while it goes on; always from the thread that called `run`."""

from __future__ import annotations

import msgspec

from understudy.execute.results import NodeResult


class NodeStarted(msgspec.Struct, frozen=True):
    """A node begins; `index` counts from 1 among `total`."""

    unique_id: str
    index: int
    total: int


class NodeFinished(msgspec.Struct, frozen=True):
    """A node ended, or was skipped."""

    result: NodeResult
    index: int
    total: int


NodeEvent = NodeStarted | NodeFinished
