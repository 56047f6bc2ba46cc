"""PostgreSQL's errors as ours, by SQLSTATE. The server's words are the message; the driver's error is the cause."""

from __future__ import annotations

import re

import psycopg

from understudy.errors import Cancelled, ConnectionFailed, DatabaseError, ExecutionError, PermissionDenied

CLASSES: dict[str, type[DatabaseError]] = {
    "08": ConnectionFailed,  # connection exception
    "28": ConnectionFailed,  # invalid authorization
    "42501": PermissionDenied,
    "53300": ConnectionFailed,  # too many connections
    "57P01": ConnectionFailed,  # the administrator ended the session
    "57P02": ConnectionFailed,  # the server crashed
    "57P03": ConnectionFailed,  # the server is starting
    "57P04": ConnectionFailed,  # the database is gone
    "57P05": ConnectionFailed,  # idle for too long
    "25P03": ConnectionFailed,  # idle in a transaction for too long
    "": DatabaseError,
}
"""SQLSTATE, or a class of them -> ours; the longest that fits. What is not here is a DatabaseError."""

CANCELLED = "57014"
CROSS_DATABASE = re.compile(r"cross-database references are not implemented", re.IGNORECASE)
HINTS = {
    "25P02": "An earlier statement of this transaction failed, and its error was not told.",
    "40001": "Another transaction changed the same rows: run the node again.",
    "40P01": "Two transactions waited for each other: does a hook, or another run, write to the same relations?",
    "42501": "Ask the owner for the right, or name a role that has it in the profile ('role').",
    "53300": "Use fewer threads, or end other sessions.",
    "55P03": "Another session holds a lock for longer than lock_timeout allows.",
    "57014": "The server ended the statement: statement_timeout, or an administrator.",
    "57P01": "An administrator ended the session, or the server went down.",
}
"""What a person can do, by SQLSTATE."""

RETRIED = re.compile(r"starting up|shutting down|recovery|too many clients|connection slots", re.IGNORECASE)
REFUSED = "FATAL:"
"""The server answered, and said no: asking again gives the same answer, unless it is busy."""


def translate(error: Exception, *, cancelled: bool = False) -> ExecutionError:
    """Our error for one of the driver's; `cancelled` says whether we asked for the cancellation."""
    if isinstance(error, ExecutionError):
        return error
    text = str(error).strip() or type(error).__name__
    state = getattr(error, "sqlstate", None) or ""
    if cancelled and state == CANCELLED:
        return Cancelled("The statement was cancelled")
    if CROSS_DATABASE.search(text):
        return DatabaseError(text, hint="PostgreSQL cannot read another database than the one it is connected to.")
    if not state and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return ConnectionFailed(text)
    ours = next(CLASSES[key] for key in (state, state[:2], "") if key in CLASSES)
    return ours(text, hint=HINTS.get(state))


def opening(error: psycopg.Error, where: str) -> ConnectionFailed:
    """Our error for a server that could not be reached; `where` names it without the password."""
    text = str(error).strip().removeprefix("connection failed: ") or type(error).__name__
    hint = "Check 'user' and 'password' of the profile." if "authentication failed" in text else None
    return ConnectionFailed(f"PostgreSQL cannot be reached as {where}: {text}", hint=hint)


def taking(error: psycopg.Error, role: str, where: str) -> ConnectionFailed:
    """Our error for a role that the user may not take, or that there is none of."""
    hint = "Check 'role' of the profile; who is not a member of it needs: grant <role> to <user>."
    return ConnectionFailed(f"PostgreSQL cannot take the role '{role}' as {where}: {str(error).strip()}", hint=hint)


def worth_retrying(error: psycopg.Error) -> bool:
    """Whether a second attempt to connect may succeed: nobody answered, or the server was busy."""
    text = str(error)
    return REFUSED not in text or bool(RETRIED.search(text))
