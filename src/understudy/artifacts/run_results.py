"""`run_results.json`, schema v6: what a run did to each node; and reading it for `result:` selection and `retry`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from understudy.artifacts import atomic
from understudy.artifacts.metadata import Metadata, scrubber
from understudy.errors import Place, StateError

READABLE = ("/run-results/v4.json", "/run-results/v5.json", "/run-results/v6.json")


class Timing(msgspec.Struct):
    """One step of a node (`compile`, `execute`); times as artifacts have them."""

    name: str
    started_at: str | None = None
    completed_at: str | None = None


class RunResult(msgspec.Struct, kw_only=True):
    """What became of one node."""

    status: str
    timing: list[Timing] = []
    thread_id: str = ""
    execution_time: float = 0.0
    adapter_response: dict[str, Any] = {}
    message: str | None = None
    failures: int | None = None
    unique_id: str
    compiled: bool | None = None
    compiled_code: str | None = None
    relation_name: str | None = None
    batch_results: dict[str, Any] | None = None


class RunResults(msgspec.Struct, kw_only=True):
    """The file."""

    metadata: Metadata
    results: list[RunResult]
    elapsed_time: float = 0.0
    args: dict[str, Any] = {}


class PriorResult(msgspec.Struct, frozen=True):
    """What selection, `retry` and estimates need of an older result."""

    unique_id: str
    status: str
    execution_time: float = 0.0
    adapter_response: dict[str, Any] = {}
    batch_results: dict[str, list[list[str]]] | None = None
    timing: list[Timing] = []

    @property
    def completed_at(self) -> str | None:
        """When it was done, ISO 8601; None for what did not succeed."""
        return self.timing[-1].completed_at if self.timing and self.status == "success" else None

    @property
    def rows(self) -> int | None:
        """How many rows were written, where the engine said so."""
        found = self.adapter_response.get("rows_affected")
        return found if isinstance(found, int) and found >= 0 else None


class PriorResults(msgspec.Struct, frozen=True):
    """An older `run_results.json` (v4 to v6)."""

    metadata: _Head
    results: list[PriorResult]
    args: dict[str, Any] = {}

    def statuses(self) -> dict[str, str]:
        """unique_id -> status."""
        return {result.unique_id: result.status for result in self.results}

    @classmethod
    def of(cls, schema: str, invocation_id: str, results: list[PriorResult], args: dict[str, Any]) -> PriorResults:
        """Results that stood elsewhere than in `run_results.json`."""
        return cls(_Head(schema, invocation_id=invocation_id), results, args)


class _Head(msgspec.Struct, frozen=True):
    dbt_schema_version: str = ""
    generated_at: str | None = None
    invocation_id: str | None = None


def write_run_results(results: RunResults, path: str | os.PathLike[str], *, secrets: Iterable[str] = ()) -> None:
    """Write the file whole; secret values are hidden in arguments and messages. Raises ArtifactError."""
    scrub = scrubber(secrets)
    for result in results.results:
        result.message = scrub(result.message)
    results.args = scrub(visible(results.args))
    atomic.write(path, (msgspec.json.encode(results), b"\n"))


def visible(args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an invocation in JSON's types; what has none is written as text."""
    builtins: dict[str, Any] = msgspec.to_builtins(dict(args), enc_hook=str, str_keys=True)
    return builtins


def decode_results(data: bytes, *, origin: str, flag: str = "--state") -> PriorResults:
    """An older `run_results.json`. Raises StateError when it is damaged or of another version."""
    place, hint = Place(path=origin), f"Take run_results.json from a finished run again ({flag} names its folder)."
    try:
        results = msgspec.json.decode(data, type=PriorResults)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StateError(f"run_results.json cannot be read: {error}", place=place, hint=hint) from error
    if not results.metadata.dbt_schema_version.endswith(READABLE):
        found = results.metadata.dbt_schema_version or "none"
        raise StateError(f"run_results.json has schema version {found!r}; v4 to v6 can be read", place=place, hint=hint)
    return results
