"""The fields of dbt-spark's profile (dbt-spark 1.11: SparkCredentials), and `remote` for Spark Connect."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlparse

import msgspec

from understudy.errors import ProfileError, did_you_mean

ELSEWHERE = frozenset({"type", "threads", "schema", "database", "target"})
"""Fields that others read, or that are checked here and not kept."""
OF_OTHER_DRIVERS = frozenset(
    {
        "driver", "cluster", "endpoint", "organization", "auth", "kerberos_service_name", "connection_string_suffix",
        "query_timeout", "poll_interval", "query_retries", "password",
    }
)  # fmt: skip
"""Fields of PyHive and ODBC: a shared profile may have them, and nothing hangs on them here."""
METHODS = ("session", "connect")
CLIENTS = {
    "thrift": "PyHive's client of HiveServer2",
    "http": "Databricks' HTTP endpoint for PyHive",
    "odbc": "the ODBC driver of Databricks",
}
"""Methods of dbt-spark that PySpark's own client does not speak."""
CONNECT_PORT = 15002
WAREHOUSE = "spark.sql.warehouse.dir"
ANSI = "spark.sql.ansi.enabled"


class Profile(msgspec.Struct, frozen=True):
    """How to reach Spark. `connect_retries` further attempts to connect, `connect_timeout` seconds apart."""

    method: str
    host: str | None = None
    port: int | None = None
    user: str | None = None
    token: str | None = None
    use_ssl: bool = False
    remote: str | None = None
    connect_retries: int = 0
    connect_timeout: int = 10
    retry_all: bool = False
    server_side_parameters: Mapping[str, str] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Profile({self.method}, {self.where})"  # the token stays here

    @property
    def where(self) -> str:
        """What is connected to, without secrets."""
        if self.method == "session":
            return self.server_side_parameters.get("spark.master", "this process")
        return urlparse(self.url).netloc

    @property
    def url(self) -> str:
        """Spark Connect's address: `remote` as it stands, or what host, port, user and token make."""
        if self.remote:
            return self.remote
        options = {"user_id": self.user, "token": self.token, "use_ssl": "true" if self.use_ssl else None}
        parts = "".join(f";{name}={quote(value, safe='')}" for name, value in options.items() if value)
        return f"sc://{self.host}:{self.port or CONNECT_PORT}/{parts}"


def read_profile(credentials: Mapping[str, Any], project_root: str) -> Profile:
    """The profile of a target's credentials; a relative warehouse folder is taken from the project.

    Raises ProfileError for a method that PySpark cannot serve, a value of the wrong kind, and a field that looks
    misspelt; other unknown fields are left alone, as dbt does.
    """
    known = Profile.__annotations__
    values: dict[str, Any] = {}
    for name, value in credentials.items():
        if name in known:
            if value is not None:
                values[name] = _typed(name, value, known[name])
        elif name not in ELSEWHERE | OF_OTHER_DRIVERS and (hint := did_you_mean(name, {*known, *ELSEWHERE}, limit=1)):
            raise ProfileError(f"A profile of type spark has no field '{name}'", hint=hint)
    method = values.get("method")
    _check_method(method)
    if method == "connect" and not values.get("remote") and not values.get("host"):
        raise ProfileError(
            "A profile of method 'connect' needs 'remote' or 'host'", hint="remote: sc://localhost:15002"
        )
    if values.get("remote") and not str(values["remote"]).startswith(("sc://", "local")):
        raise ProfileError(f"The profile's field 'remote' must begin with sc://, got {values['remote']!r}")
    return Profile(**{**values, "server_side_parameters": _parameters(values, project_root)})


def _check_method(method: Any) -> None:
    if method in CLIENTS:
        raise ProfileError(
            f"The method '{method}' needs {CLIENTS[method]}, which PySpark does not bring",
            hint="Start Spark Connect on the cluster and use method: connect with remote: sc://host:15002.",
        )
    if method not in METHODS:
        hint = did_you_mean(str(method), METHODS) or f"It is one of: {', '.join(METHODS)}."
        raise ProfileError(f"A profile of type spark has no method '{method}'", hint=hint)


def _typed(name: str, value: Any, kind: str) -> Any:
    """The value as the field's kind; numbers may come as text, for `env_var()` gives texts."""
    if kind.startswith("int"):
        text = str(value).strip()
        if isinstance(value, bool) or not text.isdecimal():
            raise ProfileError(f"The profile's field '{name}' must be a whole number from 0, got {value!r}")
        return int(text)
    if kind == "bool":
        if not isinstance(value, bool):
            raise ProfileError(f"The profile's field '{name}' must be true or false, got {value!r}")
        return value
    if name == "server_side_parameters":
        if not isinstance(value, Mapping):
            raise ProfileError(f"The profile's field '{name}' must be a map, got {value!r}")
        return value
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return str(value)
    shown = "" if name == "token" else f", got {value!r}"
    raise ProfileError(f"The profile's field '{name}' must be text{shown}")


def _parameters(values: Mapping[str, Any], project_root: str) -> dict[str, str]:
    """Spark's settings as texts. ANSI mode is off unless the profile says otherwise: dbt-spark 1.11 turns it off."""
    given = {str(name): _text(value) for name, value in values.get("server_side_parameters", {}).items()}
    folder = given.get(WAREHOUSE)
    if folder is not None and not urlparse(folder).scheme and values["method"] == "session":
        given[WAREHOUSE] = os.path.join(project_root, os.path.expanduser(folder))
    return {ANSI: "false", **given}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
