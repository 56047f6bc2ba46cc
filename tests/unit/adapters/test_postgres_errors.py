"""Each of PostgreSQL's errors becomes one of ours."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors as theirs

from understudy.adapters.postgres.errors import CLASSES, HINTS, opening, translate, worth_retrying
from understudy.errors import Cancelled, ConnectionFailed, DatabaseError, PermissionDenied

EXPECTED: list[tuple[type[psycopg.Error], type[DatabaseError]]] = [
    (theirs.ConnectionException, ConnectionFailed),
    (theirs.ConnectionFailure, ConnectionFailed),
    (theirs.ProtocolViolation, ConnectionFailed),
    (theirs.InvalidPassword, ConnectionFailed),
    (theirs.InvalidAuthorizationSpecification, ConnectionFailed),
    (theirs.InsufficientPrivilege, PermissionDenied),
    (theirs.TooManyConnections, ConnectionFailed),
    (theirs.AdminShutdown, ConnectionFailed),
    (theirs.CrashShutdown, ConnectionFailed),
    (theirs.CannotConnectNow, ConnectionFailed),
    (theirs.DatabaseDropped, ConnectionFailed),
    (theirs.IdleSessionTimeout, ConnectionFailed),
    (theirs.IdleInTransactionSessionTimeout, ConnectionFailed),
    (theirs.IoError, DatabaseError),
    (theirs.UndefinedTable, DatabaseError),
    (theirs.SyntaxError, DatabaseError),
    (theirs.DivisionByZero, DatabaseError),
    (theirs.UniqueViolation, DatabaseError),
    (theirs.DependentObjectsStillExist, DatabaseError),
    (theirs.DiskFull, DatabaseError),
    (theirs.LockNotAvailable, DatabaseError),
    (theirs.DeadlockDetected, DatabaseError),
    (theirs.SerializationFailure, DatabaseError),
    (theirs.InFailedSqlTransaction, DatabaseError),
    (theirs.QueryCanceled, DatabaseError),
    (psycopg.OperationalError, ConnectionFailed),
    (psycopg.InterfaceError, ConnectionFailed),
    (psycopg.DataError, DatabaseError),
    (psycopg.ProgrammingError, DatabaseError),
    (psycopg.NotSupportedError, DatabaseError),
    (psycopg.InternalError, DatabaseError),
    (psycopg.IntegrityError, DatabaseError),
]


@pytest.mark.parametrize(("driver", "ours"), EXPECTED, ids=lambda value: value.__name__)
def test_the_class_of_an_error(driver: type[psycopg.Error], ours: type[DatabaseError]) -> None:
    error = translate(driver("the server's words"))
    assert type(error) is ours
    assert error.message == "the server's words"


def test_every_mapped_state_is_tried() -> None:
    states = {driver.sqlstate for driver, _ in EXPECTED if driver.sqlstate}
    for key in CLASSES:
        assert not key or any(state.startswith(key) for state in states), key


def test_hints_are_for_states_that_there_are() -> None:
    for state in HINTS:
        assert translate(theirs.lookup(state)("x")).hint == HINTS[state]


def test_only_our_own_cancellation_is_one() -> None:
    assert type(translate(theirs.QueryCanceled("user request"), cancelled=True)) is Cancelled
    assert type(translate(theirs.QueryCanceled("statement timeout"))) is DatabaseError
    assert type(translate(theirs.UndefinedTable("x"), cancelled=True)) is DatabaseError


def test_ours_stay_as_they_are() -> None:
    ours = PermissionDenied("x")
    assert translate(ours) is ours


def test_a_reference_to_another_database_has_a_hint() -> None:
    error = translate(theirs.FeatureNotSupported('cross-database references are not implemented: "a.b.c"'))
    assert error.hint == "PostgreSQL cannot read another database than the one it is connected to."


def test_an_error_without_words_says_its_kind() -> None:
    assert translate(psycopg.OperationalError("")).message == "OperationalError"
    assert "OperationalError" in opening(psycopg.OperationalError(), "ada@db:5432/shop").message


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("connection refused", True),
        ("timeout expired", True),
        ("FATAL:  the database system is starting up", True),
        ("FATAL:  sorry, too many clients already", True),
        ('FATAL:  password authentication failed for user "ada"', False),
        ('FATAL:  database "shop" does not exist', False),
    ],
)
def test_connecting_again_makes_sense(text: str, again: bool) -> None:
    assert worth_retrying(psycopg.OperationalError(text)) is again


def test_a_wrong_password_has_a_hint() -> None:
    error = opening(psycopg.OperationalError('FATAL:  password authentication failed for user "ada"'), "ada@db")
    assert error.hint == "Check 'user' and 'password' of the profile."
