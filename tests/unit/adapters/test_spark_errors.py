"""Each of Spark's errors becomes one of ours; those that can be had are provoked on a real Spark."""

from __future__ import annotations

import re
from typing import Any

import pytest
from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
from pyspark.errors import PySparkException
from support import spark

from understudy.adapters.spark.errors import CLASSES, HINTS, WORDS, error_class, is_missing, translate
from understudy.errors import (
    Cancelled,
    ConnectionFailed,
    DatabaseError,
    DatabaseLocked,
    ExecutionError,
    PermissionDenied,
)


class Theirs(Exception):
    """An error that says a class and a SQLSTATE of itself, as PySpark's do."""

    def __init__(self, text: str, condition: str | None = None, state: str | None = None) -> None:
        super().__init__(text)
        self.condition, self.state = condition, state

    def getCondition(self) -> str | None:
        return self.condition

    def getSqlState(self) -> str | None:
        return self.state


BY_CLASS: list[tuple[str | None, str | None, type[ExecutionError]]] = [
    ("INSUFFICIENT_PERMISSIONS", None, PermissionDenied),
    ("INSUFFICIENT_TABLE_PROPERTY.MISSING_KEY", None, DatabaseError),
    ("OPERATION_CANCELED", "HY008", Cancelled),
    ("SESSION_CLOSED", None, ConnectionFailed),
    ("INVALID_HANDLE.SESSION_NOT_FOUND", None, ConnectionFailed),
    ("JAVA_GATEWAY_EXITED", None, ConnectionFailed),
    ("CONNECT_URL_NOT_SET", None, ConnectionFailed),
    (None, "42501", PermissionDenied),
    (None, "08000", ConnectionFailed),
    (None, "HY008", Cancelled),
    ("DIVIDE_BY_ZERO", "22012", DatabaseError),
]


@pytest.mark.parametrize(("condition", "state", "ours"), BY_CLASS)
def test_by_class_and_state(condition: str | None, state: str | None, ours: type[ExecutionError]) -> None:
    error = translate(Theirs("Spark's words", condition, state), cancelled=True)
    assert type(error) is ours
    if ours is not Cancelled:
        assert error.message == "Spark's words"


def test_every_mapped_class_is_tried() -> None:
    tried = {part for condition, state, _ in BY_CLASS for part in (*(condition or "").split(".")[:1], condition, state)}
    assert set(CLASSES) <= tried


BY_WORDS: list[tuple[str, type[ExecutionError]]] = [
    ("Job 3 cancelled part of cancelled job group understudy-1", Cancelled),
    ("ERROR XSDB6: Another instance of Derby may have already booted the database /x/metastore_db.", DatabaseLocked),
    ("IllegalStateException: Cannot call methods on a stopped SparkContext.", ConnectionFailed),
    (
        "<_InactiveRpcError: status = StatusCode.UNAVAILABLE, details = failed to connect to all addresses",
        ConnectionFailed,
    ),
    ("MetaException(message:Could not connect to meta store using any of the URIs provided.", ConnectionFailed),
    ("org.apache.hadoop.security.AccessControlException: user=ada, access=WRITE", PermissionDenied),
]


@pytest.mark.parametrize(("text", "ours"), BY_WORDS)
def test_by_words(text: str, ours: type[ExecutionError]) -> None:
    assert type(translate(Theirs(text), cancelled=True)) is ours


def test_every_pattern_is_tried() -> None:
    for words, ours in WORDS:
        assert any(words.search(text) and expected is ours for text, expected in BY_WORDS), words.pattern


@pytest.mark.parametrize(
    "lost",
    [
        Py4JNetworkError("Answer from Java side is empty"),
        Py4JError("An error occurred while calling o1.sql"),
        ConnectionRefusedError("[Errno 111] Connection refused"),
        EOFError(),
    ],
)
def test_a_lost_java(lost: Exception) -> None:
    assert type(translate(lost)) is ConnectionFailed


def test_a_cancellation_that_is_not_ours_is_an_error() -> None:
    error = translate(Theirs("cancelled part of cancelled job group x"))
    assert type(error) is DatabaseError


def test_ours_stay_as_they_are() -> None:
    ours = Cancelled("x")
    assert translate(ours) is ours


PROVOKED: list[tuple[str, str, str]] = [
    ("select * from nothing.here", "TABLE_OR_VIEW_NOT_FOUND", "`nothing`.`here` cannot be found"),
    ("show tables in nothing", "SCHEMA_NOT_FOUND", "`nothing` cannot be found"),
    ("selec 1", "PARSE_SYNTAX_ERROR", "Syntax error at or near 'selec'"),
    ("select 1 / 0", "DIVIDE_BY_ZERO", "Division by zero"),
    ("select cast('x' as int)", "CAST_INVALID_INPUT", "cannot be cast"),
    ("select nothing", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "`nothing`"),
    ("create table default.`a b` (id int)", "INVALID_SCHEMA_OR_RELATION_NAME", "not a valid name"),
    ("create table default.d using delta as select 1 as id", "DATA_SOURCE_NOT_FOUND", "delta"),
    ("select raise_error('my own words')", "USER_RAISED_EXCEPTION", "my own words"),
]


@pytest.mark.parametrize(("sql", "name", "words"), PROVOKED)
def test_a_real_error(sql: str, name: str, words: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - PySpark's errors have no common base
        spark.sql(sql)
    theirs: Any = caught.value
    ours = translate(theirs)
    assert type(ours) is DatabaseError
    assert error_class(theirs) == name
    assert words in ours.message
    assert ours.hint == HINTS.get(name)
    assert not re.search(r"\n\tat |'Project|\+- |JVM stacktrace|org\.apache", ours.message)
    assert is_missing(theirs) is (name in ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND"))


def test_an_error_of_java_alone() -> None:
    with pytest.raises(Py4JJavaError) as caught:
        spark.session().sparkContext._jvm.java.util.ArrayList().get(3)
    ours = translate(caught.value)
    assert (type(ours), ours.message) == (DatabaseError, "Index 3 out of bounds for length 0")


def test_the_words_of_a_server_that_is_not_there() -> None:
    class Unavailable(Exception):
        """As gRPC raises it."""

        def details(self) -> str:
            return "failed to connect to all addresses"

    assert translate(Unavailable("<_InactiveRpcError of RPC ...>")).message == "failed to connect to all addresses"


def test_the_plan_of_an_older_spark_is_left_out() -> None:
    text = "[TABLE_OR_VIEW_NOT_FOUND] The table `dev`.`sn` cannot be found.\nIf you did not qualify it, verify it.; line 1 pos 14;"
    error = PySparkException(
        f"{text}\n'GlobalLimit 5\n+- 'LocalLimit 5\n   +- 'UnresolvedRelation [dev, sn], [], false\n"
    )
    assert translate(error).message == text.removesuffix(";")
