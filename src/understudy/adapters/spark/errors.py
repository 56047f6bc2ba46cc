"""Spark's errors as ours, by error class and SQLSTATE. Spark's words are the message; the driver's error is the cause."""

from __future__ import annotations

import re
from typing import Any

from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
from pyspark.errors import PySparkException

from understudy.errors import (
    Cancelled,
    ConnectionFailed,
    DatabaseError,
    DatabaseLocked,
    ExecutionError,
    PermissionDenied,
)

MISSING = frozenset({"TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "NO_SUCH_DATABASE_EXCEPTION"})
"""Error classes of what is not there: no error for somebody who asks what there is."""

CLASSES: dict[str, type[ExecutionError]] = {
    "INSUFFICIENT_PERMISSIONS": PermissionDenied,
    "INSUFFICIENT_TABLE_PROPERTY": DatabaseError,
    "OPERATION_CANCELED": Cancelled,
    "SESSION_CLOSED": ConnectionFailed,
    "INVALID_HANDLE": ConnectionFailed,
    "JAVA_GATEWAY_EXITED": ConnectionFailed,
    "CONNECT_URL_NOT_SET": ConnectionFailed,
    "42501": PermissionDenied,
    "08000": ConnectionFailed,
    "HY008": Cancelled,
}
"""Error class, its first part, or SQLSTATE -> ours; what is not here, and not told apart by its words, is a DatabaseError."""

WORDS: tuple[tuple[re.Pattern[str], type[ExecutionError]], ...] = (
    (re.compile(r"cancell?ed (?:part of cancelled job group|because)|Job \d+ cancelled|OPERATION_CANCELED"), Cancelled),
    (re.compile(r"Another instance of Derby may have already booted the database"), DatabaseLocked),
    (
        re.compile(r"stopped SparkContext|SparkContext was shut ?down|Answer from Java side is empty", re.I),
        ConnectionFailed,
    ),
    (re.compile(r"StatusCode\.(?:UNAVAILABLE|UNAUTHENTICATED)|failed to connect to all addresses"), ConnectionFailed),
    (re.compile(r"Could not connect to meta store|MetaException\(message:Could not connect"), ConnectionFailed),
    (re.compile(r"StatusCode\.PERMISSION_DENIED|AccessControlException|Permission denied"), PermissionDenied),
)
"""Told apart by their words: errors of Hadoop, Hive and gRPC have no class of Spark's."""

HINTS = {
    "DATA_SOURCE_NOT_FOUND": "Add the format's package to the session (server_side_parameters: spark.jars.packages).",
    "TABLE_OR_VIEW_NOT_FOUND": None,
    "LOCATION_ALREADY_EXISTS": "A killed run left files there, and Spark builds no table where files are: remove the folder.",
    "UNSUPPORTED_FEATURE.TABLE_OPERATION": "The table's format, or its catalog, has no such statement.",
    "UNSUPPORTED_OVERWRITE.TABLE": "Spark replaces all rows of no table that the query reads: set partition_by, or use append.",
    "INVALID_SCHEMA_OR_RELATION_NAME": "Give the node another alias, or the schema another name.",
}
DERBY = "One process at a time uses Derby's files: end the other one, or use a metastore server (hive.metastore.uris)."

JAVA_CLASS = re.compile(r"^(?:[\w$]+\.)+[\w$]*(?:Exception|Error): ")
PLAN = re.compile(r";?\n+'?[A-Z]\w*(?: \[|\n\+- | ).*", re.DOTALL)
PLAN_ALONE = re.compile(r";\n'?[A-Z][^\n]*\n\+- .*", re.DOTALL)
"""The plan as PySpark 3 adds it, to a message that has no state."""
BRACKETED = re.compile(r"\[([A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)*)\]")
DRIVER_ERRORS: tuple[type[Exception], ...] = (PySparkException, Py4JError, RuntimeError, ValueError, OSError, EOFError)
"""What PySpark raises: its errors have no common base."""
LOST = (Py4JNetworkError, ConnectionError, EOFError)


def translate(error: BaseException, *, cancelled: bool = False) -> ExecutionError:
    """Our error for one of the driver's; `cancelled` says whether we asked for the cancellation."""
    if isinstance(error, ExecutionError):
        return error
    text, name, state = _words(error), error_class(error), _ask(error, "getSqlState")
    if isinstance(error, LOST):
        return ConnectionFailed(text or "Spark ended the connection")
    ours = _by_class(name, state) or next((found for words, found in WORDS if words.search(str(error))), None)
    if ours is Cancelled:
        return Cancelled("The statement was cancelled") if cancelled else DatabaseError(text)
    if ours is DatabaseLocked:
        return DatabaseLocked("Another process holds Spark's metastore", hint=DERBY)
    if ours is None and type(error) is Py4JError:
        ours = ConnectionFailed  # the Java process does not answer as it should
    return (ours or DatabaseError)(text, hint=HINTS.get(name or ""))


def error_class(error: BaseException) -> str | None:
    """Spark's name of an error: `TABLE_OR_VIEW_NOT_FOUND`; None where it has none."""
    method = "getCondition" if hasattr(error, "getCondition") else "getErrorClass"  # the latter on PySpark 3
    name = _ask(error, method)
    if name is None and (found := BRACKETED.search(_words(error)[:200])) is not None:
        name = found[1]
    return name


def is_missing(error: BaseException) -> bool:
    """Whether the error says that a relation, or a schema, is not there."""
    return (error_class(error) or "").partition(".")[0] in MISSING


def _by_class(name: str | None, state: str | None) -> type[ExecutionError] | None:
    keys = (name or "", (name or "").partition(".")[0], state or "")
    return next((CLASSES[key] for key in keys if key in CLASSES), None)


def _words(error: BaseException) -> str:
    """What Spark says, without the plan of the query, Java's stack, the names of Java's classes and gRPC's own words."""
    text = (_ask(error, "details") or str(error)).strip()
    if isinstance(error, Py4JJavaError):
        text = str(error.java_exception.toString()).strip()
    elif isinstance(error, Py4JError):
        text = text.partition("\n\tat ")[0]
    text = text.partition("\n\nJVM stacktrace")[0]
    while (match := JAVA_CLASS.match(text)) is not None:
        text = text[match.end() :]
    if "SQLSTATE" in text or isinstance(error, PySparkException):
        head, mark, rest = text.partition("SQLSTATE: ")
        text = head + mark + PLAN.sub("", rest) if mark else PLAN_ALONE.sub("", text)
    return text.strip() or type(error).__name__


def _ask(error: Any, method: str) -> str | None:
    """What an error says of itself; None where it cannot (the Java side is gone, or an older PySpark)."""
    ask = getattr(error, method, None)
    if ask is None:
        return None
    try:
        answer = ask()
    except (Py4JError, PySparkException, TypeError):
        return None
    return str(answer) if answer else None
