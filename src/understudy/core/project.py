"""What the project's settings say, as values: packages, target, run-wide facts. `project/` reads them; everybody uses them."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from understudy import DBT_VERSION as DBT_VERSION  # where people look for it; it stands where --version is quick
from understudy.core.warning import Warning_


class Package(msgspec.Struct, frozen=True):
    """One dbt project: the root project, or an installed package.

    Paths are relative to `root`, with forward slashes. The config trees (`models` and the others) are the raw maps of
    `dbt_project.yml`, rendered; `unrendered` is the same file's whole map with its Jinja as it stands.
    """

    name: str
    root: str
    version: str | None = None
    paths: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """model, seed, test, analysis, macro, snapshot, docs, asset, function -> folders."""
    configs: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    """models, seeds, snapshots, data_tests, sources, exposures, ... -> config tree."""
    unrendered: Mapping[str, Any] = msgspec.field(default_factory=dict)
    vars: Mapping[str, Any] = msgspec.field(default_factory=dict)
    quoting: Mapping[str, bool] = msgspec.field(default_factory=dict)
    dispatch: tuple[Mapping[str, Any], ...] = ()
    on_run_start: tuple[str, ...] = ()
    on_run_end: tuple[str, ...] = ()
    flags: Mapping[str, Any] = msgspec.field(default_factory=dict)
    query_comment: Any = None
    """None where the project says nothing (dbt's own comment), an empty text where it wants none."""
    restrict_access: bool = False
    checksum: str = ""
    """The sha256 of the stripped text of `dbt_project.yml`."""
    selectors: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """The raw `selectors.yml`, or empty."""


CUSTOM_ENV = "DBT_ENV_CUSTOM_ENV_"
"""Variables with this prefix are shown to templates (`dbt_metadata_envs`) and written into artifacts."""


class Target(msgspec.Struct, frozen=True):
    """One output of a profile: where this run builds. `credentials` are the profile's fields, rendered; they are secret.

    `siblings` are databases of the profile's other targets that a deferred reference may read: name -> the files that
    go by it (one, unless the profile is ambiguous).
    """

    profile: str
    name: str
    type: str
    database: str | None
    schema: str
    threads: int
    credentials: Mapping[str, Any]
    siblings: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


class Settings(msgspec.Struct, frozen=True):
    """Everything that is fixed before parsing: packages (root first), target, variables, flags, environment.

    `env` answers `env_var()` (the value, or None); it is the only way into the environment. Times are ISO 8601, UTC.
    """

    root: Package
    packages: tuple[Package, ...]
    """All packages, the root project first, then installed ones by name."""
    target: Target
    cli_vars: Mapping[str, Any]
    flags: Mapping[str, Any]
    env: Callable[[str], str | None]
    target_path: str = "target"
    log_path: str = "logs"
    profiles_dir: str = ""
    invocation_id: str = ""
    started_at: str = ""
    clean_targets: tuple[str, ...] = ()
    warnings: tuple[Warning_, ...] = ()
    """What the settings files gave cause to say."""
    metadata_envs: Mapping[str, str] = msgspec.field(default_factory=dict)
    """The variables `DBT_ENV_CUSTOM_ENV_*`, without the prefix."""
    arguments: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """The command line, as templates see it (`invocation_args_dict`)."""

    def package(self, name: str) -> Package | None:
        """The package of that name."""
        return next((package for package in self.packages if package.name == name), None)


def package_vars(settings: Settings, package: str) -> Mapping[str, Any]:
    """The variables that a package's nodes see (dbt 1.11: ModelConfiguredVar).

    First `--vars`, then what the root project sets for the package, then what it sets for all, then the package's own.
    """
    layers: list[Mapping[str, Any]] = [settings.cli_vars]
    own = settings.package(package)
    for project in (settings.root, own):
        if project is not None and (project is settings.root or project.name != settings.root.name):
            scoped = project.vars.get(package)
            layers += [scoped, project.vars] if isinstance(scoped, Mapping) else [project.vars]
    return ChainMap(*[dict(layer) if not isinstance(layer, dict) else layer for layer in layers])


SHOWN: Mapping[str, tuple[str, ...]] = {
    "duckdb": ("path", "extensions", "external_root", "use_credential_provider", "disable_transactions"),
    "postgres": (
        "host", "port", "user", "connect_timeout", "role", "search_path", "keepalives_idle", "sslmode", "sslcert", "sslkey",
        "sslrootcert", "application_name", "autocommit", "retries",
    ),
    "spark": ("host", "port", "cluster", "endpoint", "organization", "method"),
}  # fmt: skip
"""The fields of a profile that `target` shows, given or not; no other leaves it. Those of dbt (`_connection_keys`), without
the fields of DuckDB that may hold secrets (settings, attached databases)."""


def target_dict(target: Target) -> dict[str, Any]:
    """`target` as templates see it: no secrets."""
    return {
        **{name: target.credentials.get(name) for name in SHOWN.get(target.type, ())},
        **({"dbname": target.database} if target.type == "postgres" else {}),
        "database": target.database,
        "schema": target.schema,
        "type": target.type,
        "threads": target.threads,
        "name": target.name,
        "target_name": target.name,
        "profile_name": target.profile,
    }
