"""Connections to DuckDB."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from typing import Any, TypeVar

from understudy.adapters.base import Listing
from understudy.adapters.catalog import Described, Description
from understudy.adapters.duckdb.binding import duckdb
from understudy.adapters.duckdb.catalog import describe_sql, described
from understudy.adapters.duckdb.errors import opening, translate
from understudy.adapters.duckdb.frames import whole
from understudy.adapters.duckdb.profile import (
    ONCE,
    Attempts,
    Profile,
    attach_sql,
    is_motherduck,
    literal,
    secrets_of,
)
from understudy.adapters.scripts import Interpreter, compute, unfit
from understudy.core.relation import Relation, SchemaName
from understudy.core.statement import ColumnType, Load, Result, Script, Statement
from understudy.errors import DatabaseError, DatabaseLocked, PermissionDenied, ProfileError
from understudy.sql.dialect import Dialect

T = TypeVar("T")

LOCK_WAIT = 2.0
"""Seconds to wait for a file that another process holds, unless the profile's `retries` say otherwise."""


class Instance:
    """DuckDB in this process, with the file of a profile; each connection is a cursor of it."""

    def __init__(
        self, profile: Profile, dialect: Dialect, project_root: str, siblings: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._profile = profile
        self._dialect = dialect
        self._project_root = project_root
        self._siblings = siblings
        self._lock = threading.Lock()
        self._instance: duckdb.DuckDBPyConnection | None = None

    def connect(self) -> DuckDBConnection:
        """A new cursor; the first one opens the file."""
        with self._lock:
            if self._instance is None:
                self._instance = self._open()
            cursor = self._instance.cursor()
        # Relative paths in SQL are the project's, wherever the command was started (dbt changes its directory instead).
        settings = {"file_search_path": self._project_root, **(self._profile.settings or {})}
        try:
            for name, value in settings.items():
                cursor.execute(f"SET {name} = {literal(value)}")
        except duckdb.Error as error:
            raise ProfileError(f"DuckDB refuses a setting of the profile: {error}") from error
        return DuckDBConnection(cursor, self._dialect, self.reach, self._profile.attempts)

    def reach(self, database: str) -> None:
        """Attach, read-only, the file of another target that has a database of this name, unless it is attached.

        Nothing when no target has one. Raises DatabaseLocked, ConnectionFailed, ProfileError for two files of that name.
        """
        paths = self._siblings.get(database.lower())
        if paths is None:
            return
        with self._lock:
            if self._instance is None:
                self._instance = self._open()
            cursor = self._instance.cursor()
            with closing(cursor):
                known = cursor.execute("select lower(database_name) from duckdb_databases()").fetchall()
                if (database.lower(),) in known:
                    return
                if len(paths) > 1:
                    raise ProfileError(
                        f"Two targets of the profile call their database '{database}': {', '.join(paths)}",
                        hint="Attach the one that is meant, with an alias, under 'attach' in profiles.yml.",
                    )
                entry = {"path": paths[0], "read_only": True}
                if not is_motherduck(paths[0]):  # whose names are its own
                    entry["alias"] = database
                sql = attach_sql(entry, self._project_root)
                self._patiently(lambda: cursor.execute(sql), paths[0])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._instance is not None:
                self._instance.close()
                self._instance = None

    def _open(self) -> duckdb.DuckDBPyConnection:
        instance = self._connect_patiently()
        what = ""
        try:
            for extension in self._profile.extensions:
                what = f"load the extension {extension!r}"
                _load_extension(instance, extension)
            for sql in secrets_of(self._profile):
                what = "create the profile's secrets"
                instance.execute(sql)
            for entry in self._profile.attach:
                what = f"attach '{entry.get('path')}'"
                instance.execute(attach_sql(entry, self._project_root))
        except duckdb.Error as error:
            instance.close()
            raise opening(error, what) from error
        except ProfileError:
            instance.close()
            raise
        return instance

    def _connect_patiently(self) -> duckdb.DuckDBPyConnection:
        """Open the file of the profile."""
        config: dict[str, Any] = dict(self._profile.config_options or {})
        if self._profile.motherduck_token and self._profile.is_motherduck:
            config["motherduck_token"] = self._profile.motherduck_token
        return self._patiently(lambda: duckdb.connect(self._profile.path, config=config), self._profile.path)

    def _patiently(self, action: Callable[[], T], path: str) -> T:
        """Do what opens a file; while another process holds that, again for as long as `retries` say."""
        attempts = self._profile.attempts.connect
        deadline = time.monotonic() + (LOCK_WAIT if attempts is None else 2.0**attempts - 1)
        pause = 0.1
        while True:
            try:
                return action()
            except (duckdb.Error, OSError) as error:
                ours = opening(error, f"open '{path}'")
                if not isinstance(ours, DatabaseLocked) or time.monotonic() + pause > deadline:
                    raise ours from error
            time.sleep(pause)
            pause = min(pause * 2, 1.0)


def _load_extension(instance: duckdb.DuckDBPyConnection, extension: str | Mapping[str, str]) -> None:
    """Load an extension; install it where that fails, so that an installed one needs no network."""
    name, repository = (
        (extension, None) if isinstance(extension, str) else (extension.get("name"), extension.get("repo"))
    )
    if not name:
        raise ProfileError(f"An entry of the profile's 'extensions' has no name: {extension!r}")
    try:
        instance.load_extension(name)
    except duckdb.Error:
        instance.execute(f"install {name}" + (f" from {repository}" if repository else ""))
        instance.load_extension(name)


@contextmanager
def _speaking() -> Iterator[None]:
    """The driver's errors as ours."""
    try:
        yield
    except (duckdb.Error, RuntimeError, OSError) as error:
        raise translate(error) from error


class DuckDBConnection:
    """A cursor of DuckDB with its transaction."""

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        dialect: Dialect,
        reach: Callable[[str], None] = lambda database: None,
        attempts: Attempts = ONCE,
    ) -> None:
        self._cursor = cursor
        self._dialect = dialect
        self._reach = reach
        self._attempts = attempts
        self._interpreter = Interpreter()
        self.in_transaction = False

    def execute(self, statement: Statement | Script) -> Result:
        """Send a statement, or several in one text; the last one's answer counts. Or run a Python model."""
        if isinstance(statement, Script):
            return self._run(statement)
        with _speaking():
            self._send(statement.sql)
            columns = self._cursor.description or []
            if statement.fetch:
                names, types = tuple(c[0] for c in columns), tuple(str(c[1]) for c in columns)
                return Result(names, types, self._cursor.fetchall())
            counted = len(columns) == 1 and columns[0][0] == "Count"
            row = self._cursor.fetchone() if counted else None
        return Result(rows_affected=row[0] if row else None)

    def _send(self, sql: str) -> None:
        """Execute; outside of a transaction again after an error of those that `retries` name (dbt-duckdb 1.11)."""
        for attempt in range(1, self._attempts.query + 1):
            try:
                self._cursor.execute(sql)
                return
            except duckdb.Error as error:
                # In a transaction the first error has ended it: what was done before would be lost without a word.
                named = type(error).__name__ in self._attempts.exceptions
                if self.in_transaction or not named or attempt == self._attempts.query:
                    raise
            time.sleep(float(2 ** (attempt - 1)))

    def load(self, load: Load) -> Result:
        """DuckDB reads the file itself."""
        return self.execute(
            Statement(
                self._dialect.ddl.copy_csv(load.relation, load.columns, load.path, load.delimiter), purpose="load"
            )
        )

    def _run(self, script: Script) -> Result:
        """A Python model works on this cursor, so that its table is a part of the node's transaction."""
        import_module("duckdb")  # which makes relations of a cursor's answers
        cursor = self._cursor
        with (
            self._interpreter.running(script, {}) as module,
            whole(compute(module, cursor, lambda name: cursor.sql(f"select * from {name}"))) as frame,
        ):
            cursor.execute("select 1").fetchall()  # a result that the model has left open would be in the way
            try:
                module.materialize(frame, cursor)
            except (duckdb.InvalidInputException, TypeError) as error:
                if "register" in str(error) or "not suitable" in str(error):
                    raise unfit(frame, "a relation of DuckDB, or a frame of pandas, polars or pyarrow") from error
                raise
        return Result()

    def relations(self, schemas: Iterable[SchemaName]) -> Listing:
        """One query for all of them. A database that is not attached is an error, for nobody can say what it holds."""
        wanted = tuple(dict.fromkeys(schemas))
        if not wanted:
            return {}
        closed: dict[str | None, DatabaseError] = {}
        for database in {name.database for name in wanted if name.database}:
            try:
                self._reach(database)
            except DatabaseError as error:
                closed[database] = error
        keys = self._keys(wanted)
        conditions = " or ".join(
            f"(lower(database_name) = {literal(database)} and lower(schema_name) = {literal(schema)})"
            for database, schema in dict.fromkeys(keys.values())
        )
        try:
            rows = self.execute(Statement(_list_sql(conditions), fetch=True, purpose="introspect")).rows
        except DatabaseError as error:
            return dict.fromkeys(wanted, error)
        attached = {row[0].lower() for row in rows if row[3] == "database"}
        found: dict[tuple[str, str], list[Relation]] = {key: [] for key in keys.values()}
        for database, schema, name, kind in rows:
            if kind != "database":
                relation = self._dialect.relation(database, schema, name, type=kind)
                found[(database.lower(), schema.lower())].append(relation)
        return {
            name: found[key] if key[0] in attached else closed.get(name.database) or _not_attached(name)
            for name, key in keys.items()
        }

    def describe(self, schemas: Iterable[SchemaName]) -> Description:
        """All columns of all schemas in one query. A database that is not attached holds nothing that could be shown."""
        wanted = tuple(dict.fromkeys(schemas))
        keys = self._keys(wanted)
        if not wanted:
            return {}
        try:
            sql = describe_sql(dict.fromkeys(keys.values()))
            rows = self.execute(Statement(sql, fetch=True, purpose="introspect")).rows
        except DatabaseError as error:
            return dict.fromkeys(wanted, error)
        found: dict[tuple[str, str], list[Described]] = {}
        for each in described(rows, self._dialect):
            key = ((each.relation.database or "").lower(), (each.relation.schema or "").lower())
            found.setdefault(key, []).append(each)
        return {name: found.get(key, []) for name, key in keys.items()}

    def denied(self, relations: Iterable[Relation]) -> Mapping[Relation, PermissionDenied]:
        """DuckDB has no rights."""
        return {}

    def columns(self, relation: Relation) -> Sequence[ColumnType]:
        """What `describe` says. In a transaction a missing relation ends the transaction: ask `relations` first."""
        try:
            rows = self._cursor.execute(self._dialect.ddl.describe(relation)).fetchall()
        except duckdb.CatalogException:
            return ()
        except (duckdb.Error, RuntimeError) as error:
            raise translate(error) from error
        return tuple(ColumnType(str(name), str(data_type)) for name, data_type in rows)

    def schemas(self, database: str | None) -> Sequence[str]:
        """The schemas of a database, the current one when none is named."""
        if database:
            self._reach(database)
        name = f"lower({literal(database)})" if database else "current_database()"
        sql = f"select schema_name from duckdb_schemas() where lower(database_name) = {name} order by 1"
        return tuple(row[0] for row in self.execute(Statement(sql, fetch=True, purpose="introspect")).rows)

    def begin(self) -> None:
        """Open a transaction."""
        if not self.in_transaction:
            with _speaking():
                self._send("begin")
            self.in_transaction = True

    def commit(self) -> None:
        """Commit the transaction; a conflict with another one shows here."""
        if self.in_transaction:
            self.in_transaction = False
            with _speaking():
                self._send("commit")

    def rollback(self) -> None:
        """Undo the transaction."""
        if self.in_transaction:
            self.in_transaction = False
            try:
                self._cursor.execute("rollback")
            except duckdb.Error:
                return  # a failed commit has ended it already

    def cancel(self) -> None:
        """Interrupt the running statement, or Python model."""
        self._cursor.interrupt()
        self._interpreter.cancel()

    def close(self) -> None:
        """Undo and leave."""
        self.rollback()
        self._cursor.close()

    def _keys(self, names: Iterable[SchemaName]) -> dict[SchemaName, tuple[str, str]]:
        """Schemas as DuckDB compares them, with the current database where none is named."""
        names = tuple(names)
        current = self._current_database() if any(name.database is None for name in names) else ""
        return {name: ((name.database or current).lower(), name.schema.lower()) for name in names}

    def _current_database(self) -> str:
        rows = self.execute(Statement("select current_database()", fetch=True, purpose="introspect")).rows
        return str(rows[0][0])


def _list_sql(conditions: str) -> str:
    return (
        "select database_name, schema_name, table_name, 'table' from duckdb_tables() "
        f"where not internal and ({conditions}) union all "
        f"select database_name, schema_name, view_name, 'view' from duckdb_views() where not internal and ({conditions}) "
        "union all select database_name, null, null, 'database' from duckdb_databases()"
    )


def _not_attached(name: SchemaName) -> DatabaseError:
    return DatabaseError(
        f"The database '{name.database}' is not attached, so its schema '{name.schema}' cannot be listed",
        hint="Name its file in profiles.yml: under 'attach', or as the 'path' of another target.",
    )
