"""The Spark of a test session: one Java process, its tables in a folder that goes with it."""

from __future__ import annotations

import atexit
import shutil
import socket
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from support.absent import absent

from understudy.core.project import Target
from understudy.errors import ProfileError

SETTINGS = {
    "spark.master": "local[2]",
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.catalogImplementation": "in-memory",  # the process' own; tests of Hive's metastore start a process
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",  # so that tests may write names as on other engines
}
ICEBERG = "snowpark_connect_deps_iceberg"
"""A package with the jar of Iceberg, for Spark 3.5; it has an environment of its own (requirements/iceberg.in)."""


def iceberg() -> Mapping[str, str]:
    """The settings of a Spark that has Iceberg, in this environment; none in another one.

    Its tables are known to Hive's metastore. The embedded one has no locks, and one process needs none.
    """
    found = find_spec(ICEBERG)
    if found is None or found.origin is None:
        return {}
    (jar,) = (Path(found.origin).parent / "jars").glob("iceberg-spark-runtime-*_2.12-*.jar")
    return {
        "spark.jars": str(jar),
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.spark_catalog": "org.apache.iceberg.spark.SparkSessionCatalog",
        "spark.sql.catalog.spark_catalog.type": "hive",
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.iceberg.engine.hive.lock-enabled": "false",
        "spark.hadoop.hive.metastore.disallow.incompatible.col.type.changes": "false",  # or no column could be dropped
        "spark.sql.catalog.spark_catalog.cache-enabled": "false",  # tests drop whole schemas behind its back
        "spark.hadoop.javax.jdo.option.ConnectionURL": "jdbc:derby:memory:metastore;create=true",
    }


@cache
def session() -> Any:
    """The Spark of this process, started when it is first asked for and stopped when the process ends.

    Without PySpark or a Java the test is skipped; in CI it fails.
    """
    try:
        import pyspark  # noqa: F401
    except ImportError as error:
        absent("Spark", error)
    from understudy.adapters.spark.profile import Profile
    from understudy.adapters.spark.session import open_spark

    folder = Path(tempfile.mkdtemp(prefix="understudy-spark-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings = {
        **SETTINGS,
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        **(iceberg() or connect()),
    }
    try:
        opened, _ = open_spark(Profile("session", server_side_parameters=settings), str(folder))
    except ProfileError as error:  # no Java
        absent("Spark", error)
    atexit.register(opened.stop)
    return opened


def connect() -> Mapping[str, str]:
    """The settings of a Spark that serves others, too; PySpark 3.5 brings no server."""
    return {
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.port": str(connect_port()),
    }


@cache
def connect_port() -> int:
    """A free port, under which the session serves Spark Connect, too: for tests of its client in another process."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def credentials(**fields: Any) -> dict[str, Any]:
    """A profile's fields for the session; `fields` are added, or take the place of others."""
    return {"method": "session", "host": "NA", "schema": "dev", "server_side_parameters": dict(SETTINGS), **fields}


def target(*, threads: int = 2, **fields: Any) -> Target:
    """A target for the session."""
    values = credentials(**fields)
    return Target("test", "dev", "spark", None, values["schema"], threads, values)


def sql(text: str) -> list[tuple[Any, ...]]:
    """Send a statement past the code under test; its rows."""
    return [tuple(row) for row in session().sql(text).collect()]


def emptied() -> None:
    """Drop all schemas but the one that Spark needs, and what is in that one."""
    for (name,) in sql("show schemas"):
        if name != "default":
            sql(f"drop schema `{name}` cascade")
    for _, name, temporary in sql("show tables in default"):
        if not temporary:
            kind = "view" if any(row[1] == name for row in sql("show views in default")) else "table"
            sql(f"drop {kind} default.`{name}`")
