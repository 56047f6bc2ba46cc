"""`sources.json`, schema v3: how fresh sources were; and reading it for `source_status:` selection."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from understudy.artifacts import atomic
from understudy.artifacts.metadata import Metadata
from understudy.artifacts.run_results import Timing
from understudy.errors import Place, StateError

READABLE = ("/sources/v1.json", "/sources/v2.json", "/sources/v3.json")


class SourceFreshness(msgspec.Struct, kw_only=True):
    """What was found for one source; times as artifacts have them, ages in seconds."""

    unique_id: str
    max_loaded_at: str
    snapshotted_at: str
    max_loaded_at_time_ago_in_s: float
    status: str
    criteria: dict[str, Any]
    adapter_response: dict[str, Any] = {}
    timing: list[Timing] = []
    thread_id: str = ""
    execution_time: float = 0.0


class SourceError(msgspec.Struct, kw_only=True):
    """A source that could not be asked."""

    unique_id: str
    error: str | None = None
    status: str = "runtime error"


class Sources(msgspec.Struct, kw_only=True):
    """The file."""

    metadata: Metadata
    results: list[SourceFreshness | SourceError]
    elapsed_time: float = 0.0


class _Head(msgspec.Struct, frozen=True):
    dbt_schema_version: str = ""


class _PriorSource(msgspec.Struct, frozen=True):
    unique_id: str
    max_loaded_at: str | None = None


class _PriorSources(msgspec.Struct, frozen=True):
    metadata: _Head
    results: list[_PriorSource]


def write_sources(sources: Sources, path: str | os.PathLike[str]) -> None:
    """Write the file whole. Raises ArtifactError."""
    atomic.write(path, (msgspec.json.encode(sources), b"\n"))


def decode_sources(data: bytes, *, origin: str, flag: str = "--state") -> dict[str, str | None]:
    """unique_id -> `max_loaded_at` (None: it could not be asked). Raises StateError when the file is damaged."""
    place, hint = (
        Place(path=origin),
        f"Run `understudy source freshness` again ({flag} names the folder of sources.json).",
    )
    try:
        sources = msgspec.json.decode(data, type=_PriorSources)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StateError(f"sources.json cannot be read: {error}", place=place, hint=hint) from error
    if not sources.metadata.dbt_schema_version.endswith(READABLE):
        found = sources.metadata.dbt_schema_version or "none"
        raise StateError(f"sources.json has schema version {found!r}; v1 to v3 can be read", place=place, hint=hint)
    return {source.unique_id: source.max_loaded_at for source in sources.results}
