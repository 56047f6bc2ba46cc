"""What is known about relations, without asking twice; over a connection that counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from understudy.adapters.base import Listing
from understudy.core.relation import Relation, SchemaName
from understudy.core.statement import ColumnType, Load, Result, Statement
from understudy.errors import Cancelled, DatabaseError
from understudy.execute.database import LiveDatabase, RelationCache
from understudy.sql.dialect import dialect

DEV = SchemaName("db", "dev")
A = Relation("db", "dev", "a", "table")


class Counting:
    """A connection that lists one table and remembers what it was asked."""

    in_transaction = False

    def __init__(self, error: DatabaseError | None = None) -> None:
        self.asked: list[str] = []
        self.error = error

    def execute(self, statement: Statement) -> Result:
        self.asked.append(statement.sql)
        return Result()

    def load(self, load: Load) -> Result:
        self.asked.append(load.path)
        return Result(rows_affected=3)

    def relations(self, schemas: Iterable[SchemaName]) -> Listing:
        self.asked.append("list")
        return {name: self.error or [A] for name in schemas}

    def columns(self, relation: Relation) -> Sequence[ColumnType]:
        self.asked.append("columns")
        return (ColumnType("x", "int"),)

    def schemas(self, database: str | None) -> Sequence[str]:
        return ["dev"]

    def begin(self) -> None:
        self.asked.append("BEGIN")

    def commit(self) -> None:
        self.asked.append("COMMIT")

    def rollback(self) -> None:
        self.asked.append("ROLLBACK")

    def cancel(self) -> None:
        self.asked.append("CANCEL")

    def close(self) -> None:
        self.asked.append("CLOSE")


@pytest.fixture
def connection() -> Counting:
    return Counting()


@pytest.fixture
def database(connection: Counting) -> LiveDatabase:
    return LiveDatabase(lambda: connection, RelationCache(dialect("duckdb")), dialect("duckdb"))


def test_a_schema_is_listed_once(database: LiveDatabase, connection: Counting) -> None:
    assert database.relation("db", "dev", "a") == A
    assert database.relation("DB", "Dev", "A") == A
    assert database.relation("db", "dev", "b") is None
    assert database.relations(DEV) == [A]
    assert connection.asked == ["list"]


def test_what_was_listed_before_is_not_asked_again(connection: Counting) -> None:
    cache = RelationCache(dialect("duckdb"))
    cache.fill({DEV: [A]})
    assert LiveDatabase(lambda: connection, cache, dialect("duckdb")).relation("db", "dev", "a") == A
    assert connection.asked == []


def test_the_cache_follows_what_is_done(database: LiveDatabase) -> None:
    database.relations(DEV)
    b = A.with_identifier("b")
    database.added(b)
    assert database.relation("db", "dev", "b") == b
    database.renamed(b, A.with_identifier("c"))
    assert (database.relation("db", "dev", "b"), database.relation("db", "dev", "c")) == (None, A.with_identifier("c"))
    database.dropped(A)
    assert database.relation("db", "dev", "a") is None


def test_notes_about_schemas_that_were_not_listed_are_left_to_the_listing(database: LiveDatabase) -> None:
    database.dropped(A)
    assert database.relation("db", "dev", "a") == A


def test_a_schema_that_may_not_be_listed_is_an_error_each_time() -> None:
    broken = Counting(DatabaseError("no"))
    database = LiveDatabase(lambda: broken, RelationCache(dialect("duckdb")), dialect("duckdb"))
    for _ in range(2):
        with pytest.raises(DatabaseError, match="no"):
            database.relation("db", "dev", "a")
    assert broken.asked == ["list"]
    database.added(A)


def test_columns_of_what_is_missing_are_not_asked_for(database: LiveDatabase, connection: Counting) -> None:
    assert database.columns(A.with_identifier("missing")) == ()
    assert database.columns(A) == (ColumnType("x", "int"),)
    assert database.columns(Relation(None, None, "temporary")) == (ColumnType("x", "int"),)
    assert connection.asked == ["list", "columns", "columns"]


def test_requests_go_their_ways(database: LiveDatabase, connection: Counting) -> None:
    for purpose in ("begin", "commit", "rollback", "main"):
        database.execute(Statement("sql", purpose=purpose))
    assert database.execute(Load(A, "s.csv", ("x",))).rows_affected == 3
    assert connection.asked == ["BEGIN", "COMMIT", "ROLLBACK", "sql", "s.csv"]


def test_nothing_is_sent_after_a_cancel(database: LiveDatabase, connection: Counting) -> None:
    database.cancel()
    with pytest.raises(Cancelled):
        database.execute(Statement("sql"))
    assert connection.asked == []
    database.schemas(None)
    database.cancel()
    assert connection.asked == ["CANCEL"]


def test_nothing_is_opened_that_is_not_used() -> None:
    def refuse() -> Counting:
        raise AssertionError

    database = LiveDatabase(refuse, RelationCache(dialect("duckdb")), dialect("duckdb"))
    database.rollback()
    database.close()
    database.cancel()
