"""Sessions of PostgreSQL."""

from __future__ import annotations

import csv
import select
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg

from understudy.adapters.base import Listing
from understudy.adapters.catalog import Description
from understudy.adapters.postgres.catalog import describe_sql, described, details
from understudy.adapters.postgres.errors import opening, taking, translate, worth_retrying
from understudy.adapters.postgres.profile import Profile
from understudy.adapters.postgres.types import type_name
from understudy.core.relation import Relation, SchemaName
from understudy.core.statement import ColumnType, Load, Result, Script, Statement
from understudy.errors import Cancelled, ConnectionFailed, DatabaseError, ExecutionError, PermissionDenied
from understudy.sql.dialect import Dialect
from understudy.sql.postgres import Postgres

T = TypeVar("T")
DDL = Postgres()
UNANSWERED = frozenset({"drop", "rename"})
"""Purposes of statements whose answer nobody looks at."""
CANCEL_SECONDS = 5.0
CHUNK_ROWS = 2000
"""Rows of a seed that are sent at once."""
NULLS = frozenset({"", "null"})
"""Cells of a seed that are null (dbt 1.11: build_type_tester)."""
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class PostgresConnection:
    """A session with its transaction, opened anew where it was lost and nothing can be lost with it.

    The driver is in autocommit mode: what is sent between `begin` and `commit` is a transaction, anything else stands
    alone. With the profile's `autocommit: true` there are no transactions (dbt-postgres 1.10).
    """

    def __init__(
        self,
        profile: Profile,
        dialect: Dialect,
        session: psycopg.Connection[Any],
        give_back: Callable[[psycopg.Connection[Any]], None],
    ) -> None:
        """`give_back` takes the session in the end, if nothing but the catalog was asked in it."""
        self._give_back = give_back
        self._as_new = True
        self._closed = False
        self._profile = profile
        self._dialect = dialect
        self._cancelled = threading.Event()
        self._session = session
        self._waiting: list[str] = []
        """What goes with the next statement: nobody waits for its answer, and each journey to the server takes time."""
        self.in_transaction = False

    def execute(self, statement: Statement | Script) -> Result:
        """Send a statement, or several in one text; the last one's answer counts. Raises ExecutionError for Python.

        In a transaction, what only gives names and drops is sent with what follows, at the latest with its end.
        """
        if isinstance(statement, Script):
            raise ExecutionError("PostgreSQL runs no Python models")
        self._as_new = False
        if self.in_transaction and statement.purpose in UNANSWERED and not statement.fetch:
            self._waiting.append(statement.sql.rstrip().rstrip(";"))
            return Result()
        return self._answer(statement.sql, statement.fetch)

    def load(self, load: Load) -> Result:
        """Stream the file's rows through COPY; an empty cell and `null` are null, as in dbt's seeds."""
        self._as_new = False
        if self._waiting:
            self._answer("", False)
        with self._speaking(), self._live().cursor() as cursor:
            try:
                with open(load.path, encoding="utf-8-sig", newline="") as file:
                    reader = csv.reader(file, delimiter=load.delimiter)
                    next(reader, None)
                    with cursor.copy(DDL.copy_rows(load.relation, load.columns)) as copy:
                        for chunk in copy_lines(reader, len(load.columns)):
                            copy.write(chunk)
            except (OSError, UnicodeDecodeError, csv.Error) as error:
                raise DatabaseError(f"The file {load.path} cannot be loaded: {error}") from error
            return Result(message=cursor.statusmessage or "OK", code="COPY", rows_affected=cursor.rowcount)

    def relations(self, schemas: Iterable[SchemaName]) -> Listing:
        """One query for all schemas. Values are errors for another database, and for a schema that may not be used."""
        wanted = tuple(dict.fromkeys(schemas))
        own = [name for name in wanted if self._is_own(name.database)]
        names = sorted({spelling for name in own for spelling in spellings(name.schema)})
        try:
            rows = self._ask(DDL.list_relations(names)) if names else []
        except ExecutionError as error:
            refused = error if isinstance(error, DatabaseError) else DatabaseError(error.message)
            return dict.fromkeys(wanted, refused)
        found: dict[str, list[tuple[str, Any]]] = {}
        closed: set[str] = set()
        for schema, name, kind, usable in rows:
            found.setdefault(schema, []).extend([(name, kind)] if name is not None else [])
            if not usable:
                closed.add(schema)
        return {
            name: self._listed(name, found, closed) if self._is_own(name.database) else self._other_database(name)
            for name in wanted
        }

    def describe(self, schemas: Iterable[SchemaName]) -> Description:
        """All columns of all schemas: one query beside the listing. Values are errors as there."""
        listing = self.relations(schemas)
        names = sorted(
            {str(r.schema) for found in listing.values() if not isinstance(found, DatabaseError) for r in found}
        )
        try:
            known = details(self._ask(describe_sql(names)) if names else ())
        except ExecutionError as error:
            refused = error if isinstance(error, DatabaseError) else DatabaseError(error.message)
            return dict.fromkeys(listing, refused)
        return described(listing, known)

    def denied(self, relations: Iterable[Relation]) -> Mapping[Relation, PermissionDenied]:
        """Those of the relations that are there, and that this session may not select from; one query."""
        spelled = {
            self._dialect.key(relation)[1:]: relation for relation in relations if self._is_own(relation.database)
        }
        if not spelled:
            return {}
        pairs = [(str(schema), str(name)) for schema, name in spelled]
        return {
            spelled[schema, name]: PermissionDenied(
                f"permission denied for {spelled[schema, name].render()}",
                hint=f"Ask its owner to: grant select on {spelled[schema, name].render()} to {self._who()}",
            )
            for schema, name in self._ask(DDL.list_unreadable(pairs))
        }

    def columns(self, relation: Relation) -> Sequence[ColumnType]:
        """The columns with their full types; empty when the relation is missing."""
        return tuple(ColumnType(str(name), str(kind)) for name, kind in self._ask(DDL.describe(relation)))

    def schemas(self, database: str | None) -> Sequence[str]:
        """The names of all schemas, of this database."""
        if not self._is_own(database):
            raise self._other_database(SchemaName(database, "*"))
        return tuple(row[0] for row in self._ask("select nspname from pg_catalog.pg_namespace order by 1"))

    def begin(self) -> None:
        """Open a transaction, with the next statement. A session that was lost in the meantime is opened anew: nothing
        hangs on it yet.
        """
        self._as_new = False
        if not self.in_transaction and not self._profile.autocommit:
            if is_lost(self._session):
                self._session.close()
            self._live()
            self._waiting.append("begin")
            self.in_transaction = True

    def commit(self) -> None:
        """Commit. A transaction that a failed statement ended is refused by the server with a rollback: an error here."""
        if self.in_transaction:
            nothing = self._waiting == ["begin"]
            result = Result() if nothing else self._answer("commit", False)
            self._waiting.clear()
            self.in_transaction = False
            if result.message == "ROLLBACK":
                raise DatabaseError("The transaction was rolled back: one of its statements had failed")

    def rollback(self) -> None:
        """Undo the transaction; a lost session has undone it already."""
        self._cancelled.clear()
        if self.in_transaction:
            self.in_transaction = False
            begun = self._waiting[:1] != ["begin"]
            self._waiting.clear()
            if not begun:
                return
            try:
                self._session.execute("rollback")
            except psycopg.Error:
                self._session.close()  # whatever it was, the server undoes it when the session ends

    def cancel(self) -> None:
        """Ask the server to end the running statement; later ones are refused until `rollback`."""
        self._cancelled.set()
        if self._closed:
            return  # the session may be somebody else's by now
        try:
            self._session.cancel_safe(timeout=CANCEL_SECONDS)
        except psycopg.Error:
            return  # the session is gone, and its statement with it

    def close(self) -> None:
        """Leave the session, to others if it is as it was; else it ends, and the server undoes an open transaction."""
        self.in_transaction = False
        self._waiting.clear()
        again = self._as_new and not self._closed and not self._cancelled.is_set() and not self._session.closed
        self._closed = True
        if again:
            self._give_back(self._session)
        else:
            self._session.close()

    # -- how it speaks -----------------------------------------------------------------------------------------

    def _live(self) -> psycopg.Connection[Any]:
        """The session; a new one where it was found lost outside of a transaction."""
        if self._session.closed and not self.in_transaction:
            self._session = open_session(self._profile)
        return self._session

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """The driver's errors as ours; nothing is sent after a cancellation."""
        if self._cancelled.is_set():
            raise Cancelled("The statement was not sent: the run was cancelled")
        try:
            yield
        except psycopg.Error as error:
            raise translate(error, cancelled=self._cancelled.is_set()) from error

    def _answer(self, sql: str, fetch: bool) -> Result:
        with self._speaking(), self._live().cursor() as cursor:
            text = "; ".join([*self._waiting, sql] if sql else self._waiting)
            self._waiting.clear()
            cursor.execute(text.encode(), prepare=False)  # as bytes: text that comes at run time is what we send
            while cursor.nextset():
                continue
            message = cursor.statusmessage or "OK"
            columns = cursor.description or []
            names, types = tuple(column.name for column in columns), tuple(type_name(c.type_code) for c in columns)
            rows = cursor.fetchall() if fetch and columns else []
            code = " ".join(word for word in message.split() if not word.isdigit())
            return Result(names, types, rows, message, code, cursor.rowcount)  # -1: not counted, as dbt writes it down

    def _ask(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """Rows of the catalog: a query without effect, so it may be sent again by a new session."""
        return self._again_if_lost(lambda: self._answer(sql, True)).rows

    def _again_if_lost(self, speak: Callable[[], T]) -> T:
        """Do it; once more in a new session where the old one turns out to be lost, unless a transaction is open."""
        try:
            return speak()
        except ConnectionFailed:
            if self.in_transaction or not self._session.closed:
                raise
            return speak()

    # -- what it finds -----------------------------------------------------------------------------------------

    def _listed(
        self, name: SchemaName, found: Mapping[str, Sequence[tuple[str, Any]]], closed: set[str]
    ) -> Sequence[Relation] | DatabaseError:
        """The relations of one schema, under its own spelling and the folded one: their keys tell them apart."""
        if any(schema in closed for schema in spellings(name.schema)):
            return PermissionDenied(
                f"permission denied for schema {name.schema}",
                hint=f"Ask its owner to: grant usage on schema {name.schema} to {self._who()}",
            )
        return [
            self._dialect.relation(name.database, schema, identifier, type=kind)
            for schema in spellings(name.schema)
            for identifier, kind in found.get(schema, ())
        ]

    def _is_own(self, database: str | None) -> bool:
        return database is None or database.lower() == self._profile.database.lower()

    def _other_database(self, name: SchemaName) -> DatabaseError:
        return DatabaseError(
            f"PostgreSQL cannot read another database: '{name.database}' is asked for, "
            f"and the connection is to '{self._profile.database}'",
            hint="Keep both environments in one database, as schemas of it, or link the other one by foreign tables.",
        )

    def _who(self) -> str:
        return self._profile.role or self._profile.user


def open_session(profile: Profile) -> psycopg.Connection[Any]:
    """Connect, as often as the profile's `retries` allow, and take the role. Raises ConnectionFailed.

    The pauses are dbt's: 1, 4, 9 ... seconds (dbt-postgres: exponential_backoff).
    """
    where = f"{profile.user}@{profile.host}:{profile.port}/{profile.database}"
    attempt = 0
    while True:
        try:
            session = psycopg.Connection.connect(
                **profile.parameters(), client_encoding="utf8", autocommit=True, prepare_threshold=None
            )
            break
        except psycopg.Error as error:
            attempt += 1
            if attempt > profile.retries or not worth_retrying(error):
                raise opening(error, where) from error
        time.sleep(attempt * attempt)
    if (take := profile.set_role()) is not None:
        try:
            session.execute(take.encode())
        except psycopg.Error as error:
            session.close()
            raise taking(error, str(profile.role), where) from error
    return session


def is_lost(session: psycopg.Connection[Any]) -> bool:
    """Whether the server has ended an idle session. It is asked only where something waits in the socket, such as its
    last words.
    """
    if session.closed:
        return True
    try:
        if select.select([session.fileno()], [], [], 0)[0]:
            session.execute("select 1")
    except (psycopg.Error, OSError, ValueError):
        return True
    return session.closed


def spellings(schema: str) -> tuple[str, ...]:
    """The names that a schema may have: as it is written, and as it is without quotes."""
    return (schema,) if schema == schema.lower() else (schema, schema.lower())


def copy_lines(rows: Iterable[Sequence[str]], width: int) -> Iterator[str]:
    """Rows of texts in COPY's text format, some at once; short rows end in nulls, empty ones are left out."""
    lines: list[str] = []
    for row in rows:
        if not row:
            continue
        cells = ["\\N" if cell.strip().lower() in NULLS else cell.translate(ESCAPES) for cell in row]
        cells += ["\\N"] * (width - len(cells))
        lines.append("\t".join(cells) + "\n")
        if len(lines) == CHUNK_ROWS:
            yield "".join(lines)
            lines.clear()
    if lines:
        yield "".join(lines)
