"""What every engine offers. Optional powers are capabilities, not methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from understudy.core.relation import Relation, SchemaName
from understudy.core.statement import ColumnType, Load, Result, Script, Statement
from understudy.errors import DatabaseError, PermissionDenied
from understudy.sql.dialect import Dialect


class Capabilities(msgspec.Struct, frozen=True):
    """What an engine can do.

    `transactions`: several statements, DDL among them, are done whole or not at all. `swap_in_place`: a relation can be
    dropped and another renamed to its name in one transaction. `cross_database`: a query may read other databases.
    `grants`: relations have rights, and a session may lack them. `concurrent_batches`: batches of one table can be built at
    once. `fused_tests`: the conformance suite has shown that tests asked by one query give what they give one by one.
    `lasting_views`: a view upon a relation of another database works in every later session.
    `python`: Python models run in the session.
    """

    transactions: bool = True
    cross_database: bool = True
    cancel: bool = True
    temporary_tables: bool = True
    grants: bool = False
    concurrent_batches: bool = False
    fused_tests: bool = True
    lasting_views: bool = True
    python: bool = False


Listing = Mapping[SchemaName, Sequence[Relation] | DatabaseError]
"""The relations of each schema that was asked for, with their types; the error of one that may not be listed."""


class Connection(Protocol):
    """One session of an engine, used by one thread at a time; only `cancel` may be called from another."""

    def execute(self, statement: Statement | Script) -> Result:
        """Send a statement, or run a Python model in the session, which is asked only of engines with the capability `python`.

        Raises DatabaseError or one below it; Cancelled when interrupted; ExecutionError for what a script does.
        """

    def load(self, load: Load) -> Result:
        """Copy a file's rows into a table; the result counts them. Raises DatabaseError."""

    def relations(self, schemas: Iterable[SchemaName]) -> Listing:
        """List schemas, in one query per database at most. A schema that is missing is empty; errors are values."""

    def denied(self, relations: Iterable[Relation]) -> Mapping[Relation, PermissionDenied]:
        """Those of the relations that are there and may not be read; asked only of engines with `grants`."""

    def columns(self, relation: Relation) -> Sequence[ColumnType]:
        """The columns in order; empty when the relation is missing. Raises DatabaseError."""

    def schemas(self, database: str | None) -> Sequence[str]:
        """The names of a database's schemas. Raises DatabaseError."""

    def begin(self) -> None:
        """Open a transaction; nothing when one is open."""

    def commit(self) -> None:
        """Commit the open transaction, if there is one. Raises DatabaseError."""

    def rollback(self) -> None:
        """Undo the open transaction, if there is one; never raises for one that the engine has ended already."""

    @property
    def in_transaction(self) -> bool:
        """Whether `begin` was called without an end."""

    def cancel(self) -> None:
        """Interrupt what the connection does now. Callable from any thread."""

    def close(self) -> None:
        """End the session; an open transaction is undone."""


class Adapter(Protocol):
    """An engine, reached by one profile."""

    @property
    def dialect(self) -> Dialect:
        """Its language."""

    @property
    def capabilities(self) -> Capabilities:
        """Its powers."""

    def prepare(self) -> None:
        """A session will be needed soon: begin to open it, in a thread, where that helps and leaves no trace if nobody takes
        it. Raises nothing; what is wrong is told by `connect`.
        """

    def connect(self) -> Connection:
        """A new session. Raises ConnectionFailed, PermissionDenied, DatabaseLocked, ProfileError."""

    def close(self) -> None:
        """Release everything."""
