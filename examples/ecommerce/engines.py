#!/usr/bin/env python3
"""What the demo must know of each engine, and the way of its raw data into PostgreSQL and Spark.

python engines.py postgres raw_data    # load the CSV files of a folder; the server is the one of PGHOST, PGUSER ...
python engines.py spark raw_data       # into the Spark of this folder
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generate_data import TABLES

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Engine:
    """One engine, as the demo sees it.

    `server` is a context that gives variables for all commands; `scale` is how much data it gets unless told otherwise;
    `name_of` is a regular expression of a relation in compiled SQL, for grep.
    """

    name: str
    scale: float
    name_of: str
    server: Callable[[], Any]
    load: Callable[[Path], None] | None = None
    lasts: bool = True
    note: str = ""

    @property
    def profile(self) -> Path | None:
        """The profile that takes the place of the project's own, which is DuckDB's."""
        return HERE / "profiles" / f"{self.name}.yml" if self.load else None


@contextmanager
def nothing() -> Iterator[Mapping[str, str]]:
    """An engine that is a library."""
    yield {}


@contextmanager
def private_postgres() -> Iterator[Mapping[str, str]]:
    """A server of one's own (scripts/private_postgres.py); the server of PGHOST where that is set."""
    if os.environ.get("PGHOST"):
        yield {}
        return
    sys.path.append(str(HERE.parents[1] / "scripts"))
    try:
        from private_postgres import NoServer, server
    except ImportError:
        raise SystemExit("There is no server: set PGHOST, PGUSER and PGPASSWORD to one that you have") from None
    try:
        with server() as own:
            yield own.environment
    except NoServer as error:
        raise SystemExit(f"There is no server: {error}; or set PGHOST, PGUSER and PGPASSWORD") from error


def load_postgres(folder: Path) -> None:
    """Replace the tables of schema `raw` by the CSV files, in one transaction."""
    import psycopg

    with psycopg.connect() as connection, connection.cursor() as cursor:  # libpq reads PGHOST and the others
        cursor.execute("drop schema if exists raw cascade")
        cursor.execute("create schema raw")
        for name, columns in TABLES.items():
            cursor.execute(f"create table raw.{name} ({', '.join(' '.join(column) for column in columns)})".encode())
            with cursor.copy(f"copy raw.{name} from stdin (format csv, header true)".encode()) as copy:
                copy.write((folder / f"{name}.csv").read_bytes())


def load_spark(folder: Path) -> None:
    """Replace the tables of schema `raw` by the CSV files."""
    from understudy.adapters.registry import open_adapter
    from understudy.core.project import Target
    from understudy.core.statement import Statement

    fields = {
        "method": "session", "schema": "raw", "host": "NA",
        "server_side_parameters": {"spark.master": "local[2]", "spark.sql.session.timeZone": "UTC"},
    }  # fmt: skip
    adapter = open_adapter(Target("ecommerce", "raw", "spark", None, "raw", 1, fields), os.getcwd())
    connection = adapter.connect()
    kinds = {"varchar": "string", "integer": "int"}
    try:
        connection.execute(Statement("create schema if not exists raw"))
        for name, columns in TABLES.items():
            schema = ", ".join(f"{column} {kinds.get(kind, kind)}" for column, kind in columns)
            path = (folder / f"{name}.csv").resolve().as_uri()
            source = f"create temporary view csv_{name} ({schema}) using csv options (path '{path}', header 'true')"
            for sql in (
                source, f"drop table if exists raw.{name}", f"create table raw.{name} as select * from csv_{name}"
            ):  # fmt: skip
                connection.execute(Statement(sql))
    finally:
        connection.close()
        adapter.close()


ENGINES = {
    engine.name: engine
    for engine in (
        Engine("duckdb", 1.0, r'"warehouse"[^ ]+', nothing),
        Engine(
            "postgres", 1.0, r'"(dev|prod)"\.[^ ]+', private_postgres, load_postgres, lasts=False,
            note="on a private server, which ends with the demo",
        ),
        Engine("spark", 0.02, r"(dev|prod)\.[^ ]+", nothing, load_spark, note="each command starts a Spark of its own"),
    )
}  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Load the demo's CSV files into an engine.")
    parser.add_argument("engine", choices=[engine.name for engine in ENGINES.values() if engine.load])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(argv)
    load = ENGINES[options.engine].load
    assert load is not None
    load(options.folder)
    print(f"{len(TABLES)} tables of {options.folder} are in schema raw of {options.engine}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
