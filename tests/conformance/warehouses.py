"""The engines that the suite runs on, each a real one. A fourth engine is one more class here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from support import postgres as server
from support import spark as local


class Warehouse(Protocol):
    """One engine with an empty database."""

    name: str
    slow: str
    """A query that takes longer than a test would wait."""
    config: Mapping[str, Any]
    """Of all nodes of a project."""

    def target(self, schema: str) -> Mapping[str, Any]:
        """The output of a profile that builds into a schema."""

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows, past the code under test."""

    def kinds(self, schema: str) -> dict[str, str]:
        """The relations of a schema: name -> `table` or `view`."""

    def table(self, schema: str, name: str) -> str:
        """A relation's name as SQL."""

    def columns(self, schema: str, name: str) -> list[str]:
        """The names of a relation's columns."""

    def reader(self, *schemas: str) -> Mapping[str, Any]:
        """Fields of a profile: somebody who builds in schemas of his own, and may read all that is in `schemas` now.

        Raises NotImplementedError on an engine without roles.
        """

    def end_sessions(self) -> int:
        """End all sessions that run a statement, as an administrator would; their number.

        Raises NotImplementedError on an engine without sessions.
        """


class DuckDB:
    """A file of its own for each test."""

    name = "duckdb"
    slow = "select count(*) as id from range(10000000) a, range(10000000) b"
    config: Mapping[str, Any] = {}

    def __init__(self, folder: Path) -> None:
        self.path = folder / "shop.duckdb"

    def target(self, schema: str) -> Mapping[str, Any]:
        return {"type": "duckdb", "path": str(self.path), "schema": schema}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        import duckdb

        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(sql).fetchall()

    def kinds(self, schema: str) -> dict[str, str]:
        words = "case table_type when 'VIEW' then 'view' else 'table' end"
        return dict(
            self.query(f"select table_name, {words} from information_schema.tables where table_schema = '{schema}'")
        )

    def table(self, schema: str, name: str) -> str:
        quoted = name.replace('"', '""')
        return f'"{schema}"."{quoted}"'

    def columns(self, schema: str, name: str) -> list[str]:
        where = f"table_schema = '{schema}' and table_name = '{name}'"
        return [row[0] for row in self.query(f"select column_name from information_schema.columns where {where}")]

    def reader(self, *schemas: str) -> Mapping[str, Any]:
        raise NotImplementedError

    def end_sessions(self) -> int:
        raise NotImplementedError


@contextmanager
def duckdb(folder: Path) -> Iterator[Warehouse]:
    """DuckDB needs no server."""
    yield DuckDB(folder)


class Postgres:
    """A database on the server of the process, emptied before each test."""

    name = "postgres"
    slow = "select 1 as id from pg_sleep(60)"
    config: Mapping[str, Any] = {}

    def __init__(self, database: str) -> None:
        self.database = database

    def target(self, schema: str) -> Mapping[str, Any]:
        return {"type": "postgres", **server.credentials(server.server(), database=self.database, schema=schema)}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return server.sql(server.server(), sql, database=self.database)

    def kinds(self, schema: str) -> dict[str, str]:
        kind = "case relkind when 'v' then 'view' when 'm' then 'materialized_view' else 'table' end"
        where = f"n.nspname = '{schema}' and relkind in ('r', 'p', 'v', 'm')"
        return dict(
            self.query(
                f"select relname, {kind} from pg_class c join pg_namespace n on n.oid = relnamespace where {where}"
            )
        )

    def table(self, schema: str, name: str) -> str:
        quoted = name.replace('"', '""')
        return f'"{schema}"."{quoted}"'

    def columns(self, schema: str, name: str) -> list[str]:
        where = f"table_schema = '{schema}' and table_name = '{name}'"
        return [row[0] for row in self.query(f"select column_name from information_schema.columns where {where}")]

    def reader(self, *schemas: str) -> Mapping[str, Any]:
        grants = "".join(
            f'grant usage on schema "{schema}" to shop_reader; grant select on all tables in schema "{schema}" to shop_reader;'
            for schema in schemas
        )
        self.query(
            "do $$ begin if not exists (select from pg_roles where rolname = 'shop_reader') then "
            "create role shop_reader login password 'shop_reader'; end if; end $$;"
            f'drop owned by shop_reader; grant create on database "{self.database}" to shop_reader; {grants}'
        )
        return {"user": "shop_reader", "password": "shop_reader"}

    def end_sessions(self) -> int:
        ended = self.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
            "and pid <> pg_backend_pid() and state = 'active' and query like '%pg_sleep%'"
        )
        return len(ended)


@contextmanager
def postgres(folder: Path) -> Iterator[Warehouse]:
    """A private server, from the machine's binaries or from a wheel."""
    yield Postgres(server.emptied(server.server(), "shop"))


class Spark:
    """The Spark of the process, emptied before each test. A process that a test starts has tables of its own."""

    name = "spark"
    slow = "select count(*) as id from range(10000000) a cross join range(10000000) b"
    config: Mapping[str, Any] = {}

    def target(self, schema: str) -> Mapping[str, Any]:
        return {"type": "spark", **local.credentials(schema=schema)}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return local.sql(sql)

    def kinds(self, schema: str) -> dict[str, str]:
        if (schema.lower(),) not in self.query("show schemas"):
            return {}
        views = {row[1] for row in self.query(f"show views in `{schema}`")}
        tables = self.query(f"show tables in `{schema}`")
        return {name: "view" if name in views else "table" for _, name, temporary in tables if not temporary}

    def table(self, schema: str, name: str) -> str:
        quoted = name.replace("`", "``")
        return f"`{schema}`.`{quoted}`"

    def columns(self, schema: str, name: str) -> list[str]:
        return [row[0] for row in self.query(f"describe table {self.table(schema, name)}")]

    def reader(self, *schemas: str) -> Mapping[str, Any]:
        raise NotImplementedError

    def end_sessions(self) -> int:
        raise NotImplementedError


@contextmanager
def spark(folder: Path) -> Iterator[Warehouse]:
    """Spark in local mode, on the machine's Java or one from a wheel."""
    local.session()
    local.emptied()
    yield Spark()


class Iceberg(Spark):
    """Spark with tables of a format that can be changed. It is Spark 3.5, the newest that a wheel brings Iceberg for."""

    name = "iceberg"
    config: Mapping[str, Any] = {"+file_format": "iceberg"}


@contextmanager
def iceberg(folder: Path) -> Iterator[Warehouse]:
    """The same in the environment that has Iceberg."""
    local.session()
    local.emptied()
    yield Iceberg()


ENGINES: Mapping[str, Callable[[Path], AbstractContextManager[Warehouse]]] = {
    "duckdb": duckdb,
    "postgres": postgres,
    "spark": spark,
    "iceberg": iceberg,
}
"""Name -> a context that gives a warehouse; the argument is the test's folder."""

CHANGED_BY_FORMAT = frozenset({"test_incremental", "test_relations"})
"""The modules of the suite that run on Iceberg: those of how tables are made, replaced and changed."""

HERE = ("iceberg",) if find_spec(local.ICEBERG) else ("duckdb", "postgres", "spark")
"""The engines of this environment: two versions of Spark do not go into one."""
