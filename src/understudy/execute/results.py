"""What came of one node, with dbt's statuses and messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["success", "pass", "warn", "fail", "error", "skipped", "no-op"]

FAILED: frozenset[str] = frozenset({"error", "fail"})
"""Statuses that end a run with --fail-fast."""


@dataclass(frozen=True, slots=True)
class Timing:
    """A phase of a node (`compile`, `execute`); times are ISO 8601, UTC."""

    name: str
    started_at: str
    completed_at: str


@dataclass(frozen=True, slots=True)
class NodeResult:
    """One line of `run_results.json`, and what the console tells beside it.

    `execution_time` is in seconds. `failures` counts the rows of a test. `ctes` are the ephemeral models in the compiled
    code, (unique_id, SQL) each. `run_sql` is the main statement as it was sent.
    `cause` names the node because of which this one was skipped; `error` is what went wrong.
    """

    unique_id: str
    status: Status
    message: str | None = None
    failures: int | None = None
    adapter_response: Mapping[str, Any] = field(default_factory=dict)
    timing: tuple[Timing, ...] = ()
    thread_id: str = ""
    execution_time: float = 0.0
    compiled_code: str | None = None
    ctes: tuple[tuple[str, str], ...] = ()
    relation_name: str | None = None
    run_sql: str | None = None
    cause: str | None = None
    error: BaseException | None = None
