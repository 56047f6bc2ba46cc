"""The engine as templates and materializations see it: one connection, and what is known about relations."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from understudy.adapters.base import Connection, Listing
from understudy.core.relation import Relation, SchemaName
from understudy.core.statement import ColumnType, Load, Request, Result, Script, Statement
from understudy.errors import Cancelled, ConnectionFailed, DatabaseError
from understudy.sql.comment import Comment
from understudy.sql.dialect import Dialect, Key

IDLE = 30.0
"""Seconds after which a connection is tried before it is used."""
ENDS = ("begin", "commit", "rollback")
ASKS = re.compile(
    r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(?:select|with|values|from|table|show|describe|explain)\b", re.I | re.DOTALL
)
"""A statement that leaves the session as it is."""
Observer = Callable[[Request], None]
"""Told of every statement before it is sent."""


class RelationCache:
    """Which relations exist, schema by schema; shared by all threads of a run, listed once per schema."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._lock = threading.Lock()
        self._schemas: dict[Key, dict[str | None, Relation] | DatabaseError] = {}

    def fill(self, listing: Listing) -> None:
        """Take in what somebody has listed already."""
        with self._lock:
            for name, relations in listing.items():
                self._note(name, relations)

    def relations(self, name: SchemaName, connect: Callable[[], Connection]) -> list[Relation]:
        """The relations of a schema; the first question lists it. Raises DatabaseError when it may not be listed."""
        known = self._schema(name, connect)
        with self._lock:
            return list(known.values())

    def find(self, relation: Relation, connect: Callable[[], Connection]) -> Relation | None:
        """The relation with its type, or None."""
        return self._schema(relation.schema_name, connect).get(self._dialect.key(relation)[2])

    def added(self, relation: Relation) -> None:
        """It exists now."""
        with self._lock:
            known = self._schemas.get(self._key(relation.schema_name))
            if isinstance(known, dict):
                known[self._dialect.key(relation)[2]] = relation

    def dropped(self, relation: Relation) -> None:
        """It is gone; without an identifier, all of its schema is."""
        with self._lock:
            known = self._schemas.get(self._key(relation.schema_name))
            if not isinstance(known, dict):
                return
            if relation.identifier is None:
                known.clear()
            else:
                known.pop(self._dialect.key(relation)[2], None)

    def _schema(self, name: SchemaName, connect: Callable[[], Connection]) -> dict[str | None, Relation]:
        key = self._key(name)
        with self._lock:
            if key not in self._schemas:
                self._note(name, connect().relations([name])[name])
            known = self._schemas[key]
            if isinstance(known, DatabaseError):
                raise known
            return known

    def _note(self, name: SchemaName, relations: Sequence[Relation] | DatabaseError) -> None:
        self._schemas[self._key(name)] = (
            relations
            if isinstance(relations, DatabaseError)
            else {self._dialect.key(relation)[2]: relation for relation in relations}
        )

    def _key(self, name: SchemaName) -> Key:
        return self._dialect.key(self._dialect.relation(name.database, name.schema, None))


class LiveDatabase:
    """`template.scope.Database` over a connection that is opened when it is first needed.

    Used by one thread; only `cancel` may be called from another: it interrupts the running statement, and every later one
    raises Cancelled.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        cache: RelationCache,
        dialect: Dialect,
        observe: Observer | None = None,
    ) -> None:
        self._connect = connect
        self._cache = cache
        self._dialect = dialect
        self._observe = observe
        self._connection: Connection | None = None
        self._cancelled = threading.Event()
        self.begins = False
        """Whether statements that belong into a transaction open one."""
        self._used = 0.0
        self.changed = False
        """Whether the node's own statements may have changed the session."""
        self.comment: Comment | None = None
        """What every statement carries."""

    def _connected(self) -> Connection:
        """The connection; anew where it was idle for long and the server has ended it meanwhile. Raises DatabaseError."""
        connection = self._connection
        if connection is not None and not connection.in_transaction and time.monotonic() - self._used > IDLE:
            try:
                connection.execute(Statement("select 1", fetch=True, purpose="introspect"))
            except ConnectionFailed:
                self.close()
        if self._connection is None:
            self._connection = self._connect()
        self._used = time.monotonic()
        return self._connection

    def execute(self, request: Request) -> Result:
        """Send a statement, with its comment (`begin`, `commit` and `rollback` by their purpose), load a file, or run a
        Python model. Raises ExecutionError, Cancelled.
        """
        try:
            return self._send(request)
        finally:
            self._used = time.monotonic()

    def _send(self, request: Request) -> Result:
        if self._cancelled.is_set() and request.purpose != "restore":
            raise Cancelled("Interrupted")
        ends = request.purpose in ENDS
        if isinstance(request, Statement) and self.comment is not None and not ends:
            request = replace(request, sql=self.comment.on(request.sql))
        if self._observe is not None:
            self._observe(request)
        connection = self._connected()
        self.changed = self.changed or changes_session(request)
        if self.begins and not ends and getattr(request, "in_transaction", True):
            connection.begin()
        if isinstance(request, Load):
            return connection.load(request)
        match request.purpose:
            case "begin":
                connection.begin()
            case "commit":
                connection.commit()
            case "rollback":
                connection.rollback()
            case _:
                return connection.execute(request)
        return Result()

    def relation(self, database: str | None, schema: str, identifier: str) -> Relation | None:
        """The relation with its type, or None. Raises DatabaseError when its schema may not be listed."""
        return self._cache.find(self._dialect.relation(database, schema, identifier), self._connected)

    def relations(self, schema: SchemaName) -> Sequence[Relation]:
        """All relations of a schema. Raises DatabaseError."""
        return self._cache.relations(schema, self._connected)

    def columns(self, relation: Relation) -> Sequence[ColumnType]:
        """The columns; empty when the relation is missing (which is asked of the cache: on some engines a failed look
        ends the transaction)."""
        if relation.schema is not None and self._cache.find(relation, self._connected) is None:
            return ()
        return self._connected().columns(relation)

    def schemas(self, database: str | None) -> Sequence[str]:
        """The names of the schemas."""
        return self._connected().schemas(database)

    def added(self, relation: Relation) -> None:
        """Note a new relation."""
        self._cache.added(relation)

    def dropped(self, relation: Relation) -> None:
        """Note that a relation is gone."""
        self._cache.dropped(relation)

    def renamed(self, old: Relation, new: Relation) -> None:
        """Note another name."""
        self._cache.dropped(old)
        self._cache.added(new)

    def rollback(self) -> None:
        """Undo an open transaction, if there is one."""
        if self._connection is not None:
            self._connection.rollback()

    def leave(self) -> None:
        """A node is done: a session that its own statements may have changed is ended, as dbt ends that of every node."""
        if self.changed:
            self.close()

    def cancel(self) -> None:
        """Interrupt; callable from any thread."""
        self._cancelled.set()
        if self._connection is not None:
            self._connection.cancel()

    def close(self) -> None:
        """Close the connection."""
        self.changed = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def anew(database: LiveDatabase) -> LiveDatabase:
    """The same database by another connection, which no cancellation has reached."""
    return LiveDatabase(database._connect, database._cache, database._dialect, database._observe)


def changes_session(request: Request) -> bool:
    """Whether temporary tables, settings and the like of the user may be left behind: after hooks, statements of templates
    and Python models. Our own statements leave nothing."""
    if isinstance(request, Script):
        return True
    if not isinstance(request, Statement) or request.purpose not in ("hook", "statement", "introspect"):
        return False
    return not ASKS.match(request.sql)


@contextmanager
def beginning(database: LiveDatabase, transactions: bool) -> Iterator[None]:
    """Statements that belong into a transaction open one; what is not committed at the end is undone."""
    database.begins = transactions
    try:
        yield
    finally:
        database.begins = False
        database.rollback()
