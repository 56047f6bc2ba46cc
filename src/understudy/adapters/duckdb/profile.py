"""The fields of dbt-duckdb's profile, and the statements that they mean (dbt-duckdb 1.11: credentials, secrets)."""

from __future__ import annotations

import os.path
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlparse

import msgspec

from understudy.core.relation import quote
from understudy.errors import ProfileError, did_you_mean

UNSUPPORTED = {
    "plugins": "dbt-duckdb's plugins are Python classes of dbt",
    "remote": "Buena Vista servers are spoken to by dbt-duckdb only",
    "flights": "MotherDuck Flights are run by dbt-duckdb only",
    "filesystems": "fsspec filesystems are registered by dbt-duckdb only; DuckDB's own httpfs serves most of them",
    "module_paths": "it serves dbt-duckdb's plugins",
}
IGNORED = frozenset({"type", "threads", "schema", "database", "keep_open", "external_root", "is_ducklake", "target"})
MOTHERDUCK = ("md", "motherduck")


class Attempts(msgspec.Struct, frozen=True):
    """The profile's `retries`: how often a file is opened (None: for a short while), and a statement sent that fails so."""

    connect: int | None = None
    query: int = 1
    exceptions: tuple[str, ...] = ("IOException",)


ONCE = Attempts()


class Profile(msgspec.Struct, frozen=True):
    """How to open DuckDB. `path` is absolute, or no file's (`:memory:`, `md:...`)."""

    path: str = ":memory:"
    config_options: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] | None = None
    extensions: Sequence[str | Mapping[str, str]] = ()
    secrets: Sequence[Mapping[str, Any]] = ()
    attach: Sequence[Mapping[str, Any]] = ()
    disable_transactions: bool = False
    retries: Mapping[str, Any] | None = None
    use_credential_provider: str | None = None
    motherduck_token: str | None = None

    @property
    def is_motherduck(self) -> bool:
        """Whether the main database lives at MotherDuck."""
        return is_motherduck(self.path)

    @property
    def attempts(self) -> Attempts:
        """What `retries` say."""
        given = self.retries or {}
        connect, query = given.get("connect_attempts"), given.get("query_attempts")
        named = given.get("retryable_exceptions", ONCE.exceptions)
        return Attempts(connect and int(connect), int(query or 1), tuple(map(str, named)))


def is_motherduck(path: str) -> bool:
    """Whether a path names a database at MotherDuck."""
    return urlparse(path).scheme in MOTHERDUCK


def read_profile(credentials: Mapping[str, Any], project_root: str) -> Profile:
    """The profile of a target's credentials. Raises ProfileError for unknown and unsupported fields, with the nearest."""
    known = frozenset(Profile.__struct_fields__)
    values: dict[str, Any] = {}
    for name, value in credentials.items():
        if name in UNSUPPORTED:
            if value:
                raise ProfileError(f"The profile's field '{name}' is not supported: {UNSUPPORTED[name]}")
        elif name in known:
            if value is not None:
                values[name] = value
        elif name not in IGNORED:
            raise ProfileError(
                f"A profile of type duckdb has no field '{name}'", hint=did_you_mean(name, {*known, *IGNORED})
            )
    for name in ("extensions", "secrets", "attach"):
        if isinstance(values.get(name, ()), str) or not isinstance(values.get(name, ()), Sequence):
            raise ProfileError(f"The profile's field '{name}' must be a list, got {values[name]!r}")
    for name in ("settings", "config_options", "retries"):
        if not isinstance(values.get(name, {}), Mapping):
            raise ProfileError(f"The profile's field '{name}' must be a map, got {values[name]!r}")
    _check_retries(values.get("retries", {}))
    values["path"] = absolute(str(values.get("path", ":memory:")), project_root)
    return Profile(**values)


def _check_retries(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if name == "retryable_exceptions":
            right = isinstance(value, list) and all(isinstance(each, str) for each in value)
        elif name in ("connect_attempts", "query_attempts"):
            right = value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0)
        else:
            known = ("connect_attempts", "query_attempts", "retryable_exceptions")
            raise ProfileError(f"The profile's 'retries' have no '{name}'", hint=did_you_mean(name, known))
        if not right:
            raise ProfileError(f"The profile's 'retries' have {name}: {value!r}", hint="Numbers count from 1.")


def absolute(path: str, root: str) -> str:
    """A file's path from the project's root; anything with a scheme (`md:`, `s3://`), and memory, as it stands."""
    if path in ("", ":memory:") or len(urlparse(path).scheme) > 1:
        return path
    return os.path.join(root, os.path.expanduser(path))


def literal(value: object) -> str:
    """A value as a SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


def attach_sql(entry: Mapping[str, Any], root: str) -> str:
    """`ATTACH` for one entry. Raises ProfileError for one without a path, or an option that is given twice."""
    path = entry.get("path")
    if not isinstance(path, str):
        raise ProfileError(f"An entry of the profile's 'attach' has no path: {dict(entry)!r}")
    options: dict[str, Any] = {str(key).lower(): value for key, value in (entry.get("options") or {}).items()}
    for name in ("type", "secret", "read_only"):
        if entry.get(name):
            if name in options:
                raise ProfileError(f"The attached database '{path}' has '{name}' both as a field and as an option")
            options[name] = entry[name]
    if is_motherduck(path):
        path = path.split("?", 1)[0]
    elif str(options.get("type", "duckdb")).lower() in ("duckdb", "sqlite"):
        path = absolute(path, root)
    alias = f" AS {quote(str(entry['alias']))}" if entry.get("alias") else ""
    parts = [text for name, value in options.items() if (text := _option(name, value))]
    return f"ATTACH IF NOT EXISTS {literal(path)}{alias}" + (f" ({', '.join(parts)})" if parts else "")


def _option(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return name.upper()
    if name in ("type", "secret") or not isinstance(value, str):
        return f"{name.upper()} {value}"
    stripped = value.strip()
    already = len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "'\""
    return f"{name.upper()} {stripped if already else literal(value)}"


def secret_sql(entry: Mapping[str, Any], number: int) -> str:
    """`CREATE SECRET` for one entry; one without a name gets dbt-duckdb's. Raises ProfileError for one without type."""
    if not entry.get("type"):
        raise ProfileError("An entry of the profile's 'secrets' has no type")
    name = str(entry.get("name") or f"_dbt_secret_{number}")
    persistent = " PERSISTENT" if entry.get("persistent") is True else ""
    scope = entry.get("scope")
    parts = [
        _secret_value(key, value)
        for key, value in entry.items()
        if value is not None and key not in ("name", "persistent", "scope")
    ]
    if scope:
        parts.append(_secret_value("scope", scope))
    return f"CREATE OR REPLACE{persistent} SECRET {name} (\n    " + ",\n    ".join(parts) + "\n)"


def _secret_value(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{key} map {{{', '.join(f'{literal(k)}: {literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):  # of one value, DuckDB 1.x takes the value itself only
        return f"{key} ({', '.join(map(literal, value))})"
    return f"{key} {value}" if key in ("type", "provider", "extra_http_headers") else f"{key} {literal(value)}"


def secrets_of(profile: Profile) -> list[str]:
    """The statements of all secrets."""
    entries = list(profile.secrets)
    if profile.use_credential_provider == "aws":
        entries.append({"type": "s3", "provider": "credential_chain"})
    elif profile.use_credential_provider:
        raise ProfileError(f"Unknown use_credential_provider: {profile.use_credential_provider!r}", hint="Use 'aws'.")
    return [secret_sql(entry, number) for number, entry in enumerate(entries, 1)]
