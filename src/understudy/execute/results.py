"""What came of one node, with dbt's statuses and messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from understudy.core.batch import Batch
from understudy.core.nodes import Resource

Status = Literal["success", "pass", "warn", "fail", "error", "partial success", "skipped", "no-op"]

FAILED: frozenset[str] = frozenset({"error", "fail", "partial success"})
"""Statuses that end a run with --fail-fast."""
BLOCKING: frozenset[str] = frozenset({"error", "partial success"})
"""Statuses that keep what is below from running."""


class Timing(msgspec.Struct, frozen=True):
    """A phase of a node (`compile`, `execute`); times are ISO 8601, UTC."""

    name: str
    started_at: str
    completed_at: str


class BatchResult(msgspec.Struct, frozen=True):
    """What came of one batch of a microbatch model. `label` names it in files: `2024-01-31`."""

    batch: Batch
    label: str
    status: Literal["success", "error", "skipped"]
    message: str | None = None
    seconds: float = 0.0
    compiled_code: str | None = None
    run_sql: str | None = None
    error: BaseException | None = None


Moments = tuple[datetime, datetime]


class NodeResult(msgspec.Struct, frozen=True):
    """One line of `run_results.json`, and what the console tells beside it.

    `execution_time` is in seconds. `failures` counts the rows of a test. `ctes` are the ephemeral models in the compiled
    code, (unique_id, SQL) each. `run_sql` is the main statement as it was sent.
    `batches` are those of a microbatch model, `earlier` the windows that a run before this retry has built.
    `cause` names the node because of which this one was skipped; `error` is what went wrong.
    """

    unique_id: str
    status: Status
    message: str | None = None
    failures: int | None = None
    adapter_response: Mapping[str, Any] = msgspec.field(default_factory=dict)
    timing: tuple[Timing, ...] = ()
    thread_id: str = ""
    execution_time: float = 0.0
    compiled_code: str | None = None
    ctes: tuple[tuple[str, str], ...] = ()
    relation_name: str | None = None
    run_sql: str | None = None
    cause: str | None = None
    error: BaseException | None = None
    batches: tuple[BatchResult, ...] = ()
    earlier: tuple[Moments, ...] = ()

    @property
    def batch_results(self) -> dict[str, list[list[str]]] | None:
        """`batch_results` of `run_results.json`; None for what is not built in batches."""
        if not self.batches and not self.earlier:
            return None
        done = sorted(_moments(each.batch) for each in self.batches if each.status == "success")
        failed = sorted(_moments(each.batch) for each in self.batches if each.status != "success")
        return {"successful": _texts([*done, *self.earlier]), "failed": _texts(failed)}


class NodeOutcome(msgspec.Struct, frozen=True):
    """A result with its node, as programs see it: the result's fields are its own."""

    result: NodeResult
    node: Resource | None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.result, name)


class RunResults(msgspec.Struct, frozen=True):
    """What came of all nodes of a command. `elapsed_time` is in seconds."""

    results: tuple[NodeOutcome, ...]
    elapsed_time: float

    def __iter__(self) -> Iterator[NodeOutcome]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __getitem__(self, index: int) -> NodeOutcome:
        return self.results[index]


def with_nodes(results: Iterable[NodeResult], find: Callable[[str], Resource | None], seconds: float) -> RunResults:
    """Results, each with its node, unit test or whatever it is of."""
    return RunResults(tuple(NodeOutcome(each, find(each.unique_id)) for each in results), seconds)


def _moments(batch: Batch) -> Moments:
    return batch.event_time_start, batch.event_time_end


def _texts(windows: Iterable[Moments]) -> list[list[str]]:
    return [[start.isoformat(), end.isoformat()] for start, end in windows]
