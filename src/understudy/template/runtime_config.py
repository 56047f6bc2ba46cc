"""`builtins.ref.config`: the project's settings as packages read them (dbt 1.11: RuntimeConfig, an unofficial way in)."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.project import Package, Settings


class RuntimeConfig(msgspec.Struct, frozen=True):
    """What is public of one project: names, version, paths, variables. No credentials, no folders of the machine."""

    project_name: str
    version: str | None
    vars: dict[str, Any]
    cli_vars: dict[str, Any]
    args: dict[str, Any]
    profile_name: str
    target_name: str
    threads: int
    quoting: dict[str, bool]
    target_path: str
    log_path: str
    dependencies: dict[str, RuntimeConfig]


def runtime_config(settings: Settings) -> RuntimeConfig:
    """The root project, with all projects of the run, itself among them, under `dependencies`."""
    dependencies: dict[str, RuntimeConfig] = {}
    for package in settings.packages:
        dependencies[package.name] = _config(settings, package, dependencies)
    return dependencies[settings.root.name]


def _config(settings: Settings, package: Package, dependencies: dict[str, RuntimeConfig]) -> RuntimeConfig:
    return RuntimeConfig(
        project_name=package.name,
        version=package.version,
        vars=dict(package.vars),
        cli_vars=dict(settings.cli_vars),
        args=dict(settings.flags),
        profile_name=settings.target.profile,
        target_name=settings.target.name,
        threads=settings.target.threads,
        quoting=dict(package.quoting),
        target_path=settings.target_path,
        log_path=settings.log_path,
        dependencies=dependencies,
    )
