"""Every exception of the driver has one of ours, and keeps its words."""

from __future__ import annotations

import duckdb
import pytest

from understudy.adapters.duckdb.errors import opening, translate
from understudy.errors import (
    Cancelled,
    ConnectionFailed,
    ContractError,
    DatabaseError,
    DatabaseLocked,
    ExecutionError,
    PermissionDenied,
)

OURS = {
    "InterruptException": Cancelled,
    "PermissionException": PermissionDenied,
    "ConnectionException": ConnectionFailed,
    "HTTPException": ConnectionFailed,
    "FatalException": ConnectionFailed,
}
THEIRS = sorted(
    name for name, value in vars(duckdb).items() if isinstance(value, type) and issubclass(value, duckdb.Error)
)


def test_the_driver_has_exceptions() -> None:
    assert set(OURS) < set(THEIRS)
    assert len(THEIRS) > 20


@pytest.mark.parametrize("name", THEIRS)
def test_every_exception_of_the_driver(name: str) -> None:
    error = translate(getattr(duckdb, name)("some words"))
    assert type(error) is OURS.get(name, DatabaseError)
    assert error.message == "some words"


@pytest.mark.parametrize(
    ("error", "expected", "words"),
    [
        (
            duckdb.IOException(
                'IO Error: Could not set lock on file "/a.duckdb": Conflicting lock is held in python (PID 7). See'
            ),
            DatabaseLocked,
            "process 7",
        ),
        (
            duckdb.IOException('IO Error: Could not set lock on file "/a.duckdb": Resource unavailable'),
            DatabaseLocked,
            "another",
        ),
        (
            duckdb.InvalidInputException(
                'Cannot execute statement of type "CREATE" on database "p" which is attached in read-only mode!'
            ),
            PermissionDenied,
            "read-only",
        ),
        (duckdb.IOException('Cannot open file "a": Permission denied'), PermissionDenied, "denied"),
        (duckdb.IOException("disk full"), DatabaseError, "disk full"),
        (duckdb.TransactionException("Catalog write-write conflict"), DatabaseError, "same relation"),
        (RuntimeError("odd"), DatabaseError, "odd"),
        (ContractError("mine"), ContractError, "mine"),
        (ValueError(), DatabaseError, "ValueError"),
    ],
)
def test_words_decide_where_the_class_does_not(error: Exception, expected: type[ExecutionError], words: str) -> None:
    found = translate(error)
    assert type(found) is expected
    assert words in str(found)


def test_what_cannot_be_opened_is_a_connection_that_failed() -> None:
    assert type(opening(duckdb.IOException("no such file"), "a.duckdb")) is ConnectionFailed
    assert type(opening(duckdb.IOException('Could not set lock on file "a"'), "a.duckdb")) is DatabaseLocked


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select * from missing", DatabaseError),
        ("select missing from range(1)", DatabaseError),
        ("selec 1", DatabaseError),
        ("select cast('x' as int)", DatabaseError),
        ("create table t (a int not null); insert into t values (null)", DatabaseError),
        ("install no_such_extension from 'nowhere/at/all'", DatabaseError),
    ],
)
def test_errors_of_real_statements(sql: str, expected: type[ExecutionError]) -> None:
    with pytest.raises(duckdb.Error) as caught:
        duckdb.connect().execute(sql)
    assert isinstance(translate(caught.value), expected)
