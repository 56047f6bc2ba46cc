"""What each engine's entry in `profiles.yml` means: required fields, other spellings, the database that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from understudy.errors import ProfileError, did_you_mean


class Engine(msgspec.Struct, frozen=True):
    """The fields of one engine."""

    required: tuple[str, ...]
    aliases: Mapping[str, str]
    defaults: Mapping[str, Any]


ENGINES: Mapping[str, Engine] = {
    "duckdb": Engine(
        required=(),
        aliases={},
        defaults={"schema": "main", "path": ":memory:", "external_root": ".", "disable_transactions": False},
    ),
    "postgres": Engine(
        required=("host", "user", "port", "password", "database", "schema"),
        aliases={"dbname": "database", "pass": "password"},
        defaults={"connect_timeout": 10, "keepalives_idle": 0, "application_name": "dbt", "autocommit": False, "retries": 1},
    ),
    "spark": Engine(
        required=("method", "schema"),
        aliases={},
        defaults={"host": None, "database": None, "connect_retries": 0, "connect_timeout": 10},
    ),
}  # fmt: skip


def read_fields(type_: Any, fields: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields with their proper names, defaults and the database. Raises ProfileError; `where` names the target."""
    if not isinstance(type_, str):
        raise ProfileError(f"{where} has no 'type'", hint=f"Write one of: {', '.join(ENGINES)}")
    engine = ENGINES.get(type_)
    if engine is None:
        hint = did_you_mean(type_, ENGINES) or f"Known engines: {', '.join(ENGINES)}"
        raise ProfileError(f"{where} asks for the engine '{type_}', which is unknown", hint=hint)
    result = dict(engine.defaults)
    for name, value in fields.items():
        proper = engine.aliases.get(name, name)
        if proper in fields and proper != name:
            raise ProfileError(f"{where} has both '{name}' and '{proper}', which mean the same")
        result[proper] = value
    missing = [name for name in engine.required if result.get(name) in (None, "")]
    if missing:
        raise ProfileError(f"{where} lacks {', '.join(repr(name) for name in missing)}")
    if type_ == "duckdb":
        result["database"] = duckdb_database(result, where)
    if type_ == "spark":
        check_spark_database(result, where)
        result["database"] = None
    if not isinstance(result.get("schema"), str):
        raise ProfileError(f"The 'schema' of {where} must be text, not {result.get('schema')!r}")
    return result


def duckdb_database(fields: Mapping[str, Any], where: str) -> str:
    """DuckDB names a database after its file; another name is allowed only for an attached one (dbt-duckdb 1.11)."""
    derived = path_database(fields.get("path"))
    given = fields.get("database")
    attached = [entry.get("alias") for entry in fields.get("attach") or [] if isinstance(entry, dict)]
    if given is None or given == derived or given in attached or fields.get("remote"):
        return given or derived
    raise ProfileError(
        f"{where} has the database '{given}', but DuckDB names the database of its path '{derived}'",
        hint=f"Leave 'database' out, or write '{derived}'",
    )


def check_spark_database(fields: Mapping[str, Any], where: str) -> None:
    """There is none above a schema: another one than the schema itself is a mistake (dbt-spark 1.11)."""
    given, schema = fields.get("database"), fields.get("schema")
    if given not in (None, schema):
        raise ProfileError(
            f"{where} has the database '{given}', but a schema is a database on Spark",
            hint=f"Leave 'database' out; the schema is '{schema}'",
        )


def path_database(path: Any) -> str:
    """The name that DuckDB gives to the database in a file: the first part of the file's name."""
    if path is None or path == ":memory:":
        return "memory"
    if not any(mark in str(path) for mark in ":?#;"):  # a plain path, as most are
        return str(path).rsplit("/", 1)[-1].lstrip(".").split(".")[0]
    from urllib.parse import urlparse

    parsed = urlparse(str(path))
    file = parsed.path.rsplit("/", 1)[-1]
    if parsed.scheme in ("md", "motherduck"):
        return file.rsplit(".", 1)[0] or "my_db"
    if parsed.scheme.lower() == "ducklake":
        return urlparse(file.rsplit(".", 1)[0]).path
    return file.lstrip(".").split(".")[0]
