"""The fields of dbt-postgres' profile, and what libpq is told for them (dbt-postgres 1.10: PostgresCredentials)."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from typing import Any

import msgspec

from understudy.core.relation import PLAIN, quote
from understudy.errors import ProfileError, did_you_mean

ALIASES = {"dbname": "database", "pass": "password"}
ELSEWHERE = frozenset({"type", "threads", "schema", "target"})
"""Fields that others read."""
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
FILES = frozenset({"sslcert", "sslkey", "sslrootcert"})
SYSTEM = "system"
"""In place of a file in `sslrootcert`: the certificate authorities that the machine trusts (libpq 16)."""
NUMBERS = {"port": (0, 65535), "connect_timeout": (0, None), "keepalives_idle": (0, None), "retries": (0, None)}


class Profile(msgspec.Struct, frozen=True):
    """How to reach the server. `keepalives_idle` 0: the system's own; `retries`: further attempts to connect."""

    host: str
    user: str
    password: str
    port: int
    database: str
    connect_timeout: int = 10
    role: str | None = None
    search_path: str | None = None
    keepalives_idle: int = 0
    sslmode: str | None = None
    sslcert: str | None = None
    sslkey: str | None = None
    sslrootcert: str | None = None
    application_name: str | None = "dbt"
    retries: int = 1
    autocommit: bool = False

    def __repr__(self) -> str:
        return f"Profile({self.user}@{self.host}:{self.port}/{self.database})"  # the password stays here

    def parameters(self) -> dict[str, Any]:
        """libpq's parameters; what is not set is left to its own defaults, and never to PG* variables for these."""
        named: dict[str, Any] = {
            "host": self.host, "port": self.port, "user": self.user, "password": self.password,
            "dbname": self.database, "connect_timeout": self.connect_timeout,
            "keepalives_idle": self.keepalives_idle or None,  # 0 would be an invalid call of setsockopt
            "sslmode": self.sslmode, "sslcert": self.sslcert, "sslkey": self.sslkey, "sslrootcert": self.sslrootcert,
            "application_name": self.application_name, "options": self._options(),
        }  # fmt: skip
        return {name: value for name, value in named.items() if value is not None}

    def _options(self) -> str | None:
        if not self.search_path:
            return None
        return "-c search_path=" + self.search_path.replace("\\", "\\\\").replace(" ", "\\ ")

    def set_role(self) -> str | None:
        """The statement that takes the role: folded like a name in SQL, quoted where it is no plain name."""
        if not self.role:
            return None
        quoted = len(self.role) > 2 and self.role.startswith('"') and self.role.endswith('"')
        name = self.role[1:-1].replace('""', '"') if quoted else self.role
        return f"set role {name if PLAIN.fullmatch(name) and not quoted else quote(name)}"


def read_profile(credentials: Mapping[str, Any], project_root: str = "") -> Profile:
    """The profile of a target's credentials; certificates with relative paths are the project's.

    Raises ProfileError for a missing field, a value of the wrong kind, and a field that looks misspelt; other unknown
    fields are left alone, as dbt does, for a profile is shared between tools.
    """
    known = {field.name: field for field in msgspec.structs.fields(Profile)}
    values: dict[str, Any] = {}
    for given, value in credentials.items():
        name = ALIASES.get(given, given)
        if name in known:
            if value is not None:
                values[name] = value
        elif name not in ELSEWHERE and (hint := did_you_mean(name, {*known, *ALIASES, *ELSEWHERE}, limit=1)):
            raise ProfileError(f"A profile of type postgres has no field '{given}'", hint=hint)
    missing = [name for name, field in known.items() if field.required and values.get(name) in (None, "")]
    if missing:
        raise ProfileError(f"The profile lacks {', '.join(repr(name) for name in missing)}")
    for name, (low, high) in NUMBERS.items():
        if name in values:
            values[name] = _number(name, values[name], low, high)
    for name, kind in Profile.__annotations__.items():
        if kind.startswith("str") and name in values:
            values[name] = _text(name, values[name])
    for name in FILES & values.keys():
        if values[name] != SYSTEM:
            values[name] = os.path.join(project_root, os.path.expanduser(values[name]))
    if values.get("sslmode", "prefer") not in SSL_MODES:
        hint = did_you_mean(values["sslmode"], SSL_MODES) or f"It is one of: {', '.join(SSL_MODES)}."
        raise ProfileError(f"The profile's field 'sslmode' cannot be '{values['sslmode']}'", hint=hint)
    if not isinstance(values.get("autocommit", False), bool):
        raise ProfileError("The profile's field 'autocommit' must be true or false")
    return Profile(**values)


def _number(name: str, value: Any, low: int, high: int | None) -> int:
    """A whole number, also as text: `env_var()` without a filter gives one."""
    text = str(value).strip()
    if isinstance(value, bool) or not text.isdecimal() or int(text) < low or (high is not None and int(text) > high):
        limit = f" from {low} to {high}" if high is not None else f" from {low}"
        raise ProfileError(f"The profile's field '{name}' must be a whole number{limit}, got {value!r}")
    return int(text)


def _text(name: str, value: Any) -> str:
    """A text; numbers are taken for one (a password of digits), maps and lists are not."""
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return str(value)
    shown = "" if name == "password" else f", got {value!r}"
    raise ProfileError(f"The profile's field '{name}' must be text{shown}")
