"""The private PostgreSQL server of a test session, and databases on it."""

from __future__ import annotations

import atexit
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from support.absent import absent

from understudy.core.project import Target

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "private_postgres.py"


def private_postgres() -> ModuleType:
    """scripts/private_postgres.py, which the demo uses, too."""
    if "private_postgres" not in sys.modules:
        spec = importlib.util.spec_from_file_location("private_postgres", SCRIPT)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules["private_postgres"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["private_postgres"]


@cache
def server() -> Any:
    """The server of this process, started when it is first asked for and stopped when the process ends.

    Where there is none to start, the test is skipped; in CI it fails (NoServer).
    """
    stack = ExitStack()
    atexit.register(stack.close)
    try:
        return stack.enter_context(private_postgres().server())
    except private_postgres().NoServer as error:
        absent("PostgreSQL", error)


def credentials(server: Any, **fields: Any) -> dict[str, Any]:
    """A profile's fields for the server; `fields` are added, or take the place of others."""
    return {
        "host": server.host, "port": server.port, "user": server.user, "password": server.password,
        "database": server.database, "schema": "dev", "retries": 0, **fields,
    }  # fmt: skip


def target(server: Any, *, threads: int = 4, **fields: Any) -> Target:
    """A target for the server."""
    values = credentials(server, **fields)
    return Target("test", "dev", "postgres", values["database"], values["schema"], threads, values)


def sql(server: Any, text: str, **fields: Any) -> list[tuple[Any, ...]]:
    """Send statements past the code under test; the rows of the last one."""
    import psycopg

    given: Mapping[str, Any] = credentials(server, **fields)
    with psycopg.connect(
        host=given["host"], port=given["port"], user=given["user"], password=given["password"],
        dbname=given["database"], autocommit=True,
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute(text.encode())
        while cursor.nextset():
            continue
        return cursor.fetchall() if cursor.description else []


@contextmanager
def database(server: Any, name: str) -> Iterator[str]:
    """An empty database, dropped in the end with whoever is connected to it."""
    sql(server, f'create database "{name}" template template0')
    try:
        yield name
    finally:
        sql(server, f'drop database "{name}" with (force)')


EMPTY = """
select coalesce(string_agg(format('drop schema %I cascade', nspname), '; '), 'select 1') from pg_namespace
where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')
"""


def emptied(server: Any, name: str) -> str:
    """A database without schemas of anybody's: made when it is first asked for, emptied later (which is faster)."""
    if not sql(server, f"select 1 from pg_database where datname = '{name}'"):
        sql(server, f'create database "{name}" template template0')
    ((statements,),) = sql(server, EMPTY, database=name)
    sql(server, statements, database=name)
    return name
