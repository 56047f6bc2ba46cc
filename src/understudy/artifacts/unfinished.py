"""`unfinished_run.jsonl`: what a run has done so far, for `retry` after a run that was killed.

It stands in the target directory while the run goes on, and goes when `run_results.json` is written. The first line says
what the run is about, each of the others what came of one node. It is the one file that grows; it is read up to its last
whole line. What was finished and not yet told when a run was killed is run again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from understudy.artifacts import atomic
from understudy.artifacts.metadata import scrubber
from understudy.artifacts.run_results import PriorResult, PriorResults, visible
from understudy.errors import ArtifactError, Place, StateError

FILE = "unfinished_run.jsonl"
CUT_SHORT = "skipped"
"""The status of what the run had not finished."""


class Head(msgspec.Struct, frozen=True):
    """What the run is about. `schema` is that of run_results.json, whose fields these are."""

    schema: str
    invocation_id: str
    args: dict[str, Any]
    nodes: list[str]


class Journal:
    """The file while it grows. Raises nothing: a run does not fail because of it."""

    def __init__(self, target_dir: str, head: Head, secrets: Iterable[str] = ()) -> None:
        self._path = os.path.join(target_dir, FILE)
        scrub = scrubber(secrets)
        args = scrub(visible(head.args))
        self._file: int | None = None
        try:
            first = msgspec.json.encode(msgspec.structs.replace(head, args=args)) + b"\n"
            atomic.write(self._path, first, durable=False)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        except (OSError, ArtifactError):
            return

    def done(self, result: PriorResult) -> None:
        """A node is finished."""
        if self._file is not None:
            try:
                os.write(self._file, msgspec.json.encode(result) + b"\n")
            except OSError:
                self.close()

    def close(self) -> None:
        """The process no longer writes to it; the file stays."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def remove(target_dir: str) -> None:
    """The run is over, or another one has taken its place."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(target_dir, FILE))


def read_unfinished(folder: str) -> PriorResults | None:
    """The run that was cut short in a target directory, as its results: what it had not finished is skipped.

    None where there is none, or not even its first line. Raises StateError where the file cannot be read.
    """
    path = os.path.join(folder, FILE)
    try:
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")[:-1]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"The unfinished run cannot be read: {error.strerror}", place=Place(path)) from error
    if not lines:
        return None
    try:
        head = msgspec.json.decode(lines[0], type=Head)
        done: Mapping[str, PriorResult] = {
            each.unique_id: each for each in (msgspec.json.decode(line, type=PriorResult) for line in lines[1:])
        }
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        hint = "Remove the file to retry the last run that ended."
        raise StateError(f"The unfinished run cannot be read: {error}", place=Place(path), hint=hint) from error
    rest = (PriorResult(unique_id=each, status=CUT_SHORT) for each in head.nodes if each not in done)
    return PriorResults.of(head.schema, head.invocation_id, [*done.values(), *rest], head.args)
