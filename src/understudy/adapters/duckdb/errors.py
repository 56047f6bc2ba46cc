"""DuckDB's errors as ours. The driver's words are the message; the driver's error is the cause."""

from __future__ import annotations

import re

from understudy.adapters.duckdb.binding import duckdb
from understudy.errors import (
    Cancelled,
    ConnectionFailed,
    DatabaseError,
    DatabaseLocked,
    ExecutionError,
    PermissionDenied,
)

LOCKED = re.compile(r"Could not set lock on file \"(?P<path>[^\"]+)\"(?:.*\(PID (?P<pid>\d+)\))?", re.DOTALL)
READ_ONLY = re.compile(r"read[- ]only mode(?!: database does not exist)", re.IGNORECASE)
REFUSED = re.compile(r"Permission denied|Operation not permitted", re.IGNORECASE)

SHOWN = 80
"""How many letters of another process's command line are shown."""

CLASSES: tuple[tuple[type[Exception], type[ExecutionError]], ...] = (
    (duckdb.InterruptException, Cancelled),
    (duckdb.PermissionException, PermissionDenied),
    (duckdb.ConnectionException, ConnectionFailed),
    (duckdb.HTTPException, ConnectionFailed),
    (duckdb.FatalException, ConnectionFailed),
)
"""The driver's class -> ours; what is not here, and not told apart by its words, is a DatabaseError."""


def translate(error: Exception) -> ExecutionError:
    """Our error for one of the driver's; one that is ours already stays as it is."""
    if isinstance(error, ExecutionError):
        return error
    text = str(error).strip()
    locked = LOCKED.search(text)
    if locked is not None:
        return _locked(locked)
    if READ_ONLY.search(text):
        return PermissionDenied(text, hint="The database is opened read-only: build into another one.")
    if isinstance(error, duckdb.IOException) and REFUSED.search(text):
        return PermissionDenied(text)
    for theirs, ours in CLASSES:
        if isinstance(error, theirs):
            return ours(text)
    hint = None
    if isinstance(error, duckdb.TransactionException) and "onflict" in text:
        hint = "Another thread changed the same relation: do two models, or a hook, write to it?"
    return DatabaseError(text or type(error).__name__, hint=hint)


def opening(error: Exception, what: str) -> ExecutionError:
    """Our error for a database that could not be made ready; `what` says at which step."""
    ours = translate(error)
    if type(ours) is DatabaseError:
        hint = (
            "Without a network: put the extension's file where DuckDB looks for it."
            if DOWNLOAD.search(ours.message)
            else None
        )
        return ConnectionFailed(f"DuckDB cannot {what}: {ours.message}", hint=hint)
    return ours


DOWNLOAD = re.compile(r"Failed to download extension")


def _locked(match: re.Match[str]) -> DatabaseLocked:
    pid = match["pid"]
    command = command_of(pid) if pid else ""
    who = f"the process {pid}{f' ({command})' if command else ''}" if pid else "another process"
    return DatabaseLocked(
        f"'{match['path']}' is held by {who}; DuckDB lets one process at a time write to a file",
        hint="End that process (a notebook, a shell, another run), or build into another file.",
    )


def command_of(pid: str) -> str:
    """The command line of a process, its first words; empty where the system does not tell."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read(400).split(b"\0")
    except OSError:
        return ""
    text = " ".join(b" ".join(words).decode(errors="replace").split())
    return text if len(text) <= SHOWN else text[:SHOWN] + " ..."
