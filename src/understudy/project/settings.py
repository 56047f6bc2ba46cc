"""Everything that is fixed before parsing: the project, its installed packages, the target, variables, flags."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from understudy.core.project import CUSTOM_ENV, Package, Settings, target_dict
from understudy.core.warning import Warning_
from understudy.errors import Place, ProjectError
from understudy.parse import yaml
from understudy.project.profiles import find_profiles_dir, load_profile, moved_flags
from understudy.project.project_file import FILE, read_package, read_raw
from understudy.project.rendering import renderer

FLAGS: Mapping[str, Any] = {
    "require_batched_execution_for_custom_microbatch_strategy": False,
    "require_event_names_in_deprecations": False,
    "require_explicit_package_overrides_for_builtin_materializations": True,
    "require_resource_names_without_spaces": True,
    "source_freshness_run_project_hooks": True,
    "skip_nodes_if_on_run_start_fails": False,
    "state_modified_compare_more_unrendered_values": False,
    "state_modified_compare_vars": False,
    "require_yaml_configuration_for_mf_time_spines": False,
    "require_nested_cumulative_type_params": False,
    "validate_macro_args": False,
    "require_all_warnings_handled_by_warn_error": False,
    "require_generic_test_arguments_property": True,
    "require_unique_project_resource_names": False,
    "require_ref_searches_node_package_before_root": False,
}
"""dbt 1.11's behaviour flags with their defaults."""


class ProjectOptions(msgspec.Struct, frozen=True):
    """What the command line and the environment say about the project. None: not said."""

    project_dir: str | None = None
    profiles_dir: str | None = None
    profile: str | None = None
    target: str | None = None
    cli_vars: Mapping[str, Any] = msgspec.field(default_factory=dict)
    target_path: str | None = None
    log_path: str | None = None
    threads: int | None = None
    environment: Mapping[str, str] = msgspec.field(default_factory=dict)
    arguments: Mapping[str, Any] = msgspec.field(default_factory=dict)
    flags: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """Flags that the command line or the environment set; they win over the project's `flags:`."""
    cwd: str = "."
    version_check: bool = True
    with_packages: bool = True
    """False for commands that come before the packages (`deps`, `clean`)."""
    invocation_id: str = ""
    started_at: str = ""


def load_settings(options: ProjectOptions) -> Settings:
    """Read `dbt_project.yml`, `profiles.yml`, `selectors.yml` and the installed packages' projects.

    Raises:
        ProjectError: a file is missing, a key has a value that cannot be, a package is not installed.
        ProfileError: the profile or target is missing or incomplete.
        YamlError, JinjaError: a file is no YAML, or a value cannot be rendered.
    """
    root_dir = find_project_dir(options.project_dir, options.cwd)
    file = read_raw(root_dir)
    raw = file.values
    env = options.environment.get
    profiles_dir = find_profiles_dir(options.profiles_dir, options.environment, options.cwd, root_dir)
    render_profile = renderer(env, options.cli_vars)
    name = options.profile or (render_profile(raw["profile"]) if raw.get("profile") is not None else None)
    target = load_profile(profiles_dir, name, options.target, options.threads, render_profile)
    context = target_dict(target)
    root = read_package(root_dir, file, renderer(env, options.cli_vars, context), check=options.version_check)
    installed = _installed(root, raw, env, context, options) if options.with_packages else ()
    moved = moved_flags(profiles_dir)
    warnings = (*file.warnings, *_moved(root, moved, profiles_dir))
    target_path = options.target_path or str(raw.get("target-path") or "target")
    return Settings(
        root=root,
        packages=(root, *installed),
        target=target,
        cli_vars=dict(options.cli_vars),
        flags={**FLAGS, **moved, **root.flags, **options.flags},
        env=env,
        target_path=target_path,
        log_path=options.log_path or str(raw.get("log-path") or "logs"),
        profiles_dir=profiles_dir,
        invocation_id=options.invocation_id,
        started_at=options.started_at,
        clean_targets=clean_targets(raw, target_path, root_dir),
        warnings=warnings,
        metadata_envs={
            name.removeprefix(CUSTOM_ENV): value
            for name, value in options.environment.items()
            if name.startswith(CUSTOM_ENV)
        },
        arguments=options.arguments,
    )


def _moved(root: Package, flags: Mapping[str, Any], profiles_dir: str) -> tuple[Warning_, ...]:
    """A warning of flags that stand in profiles.yml. Raises ProjectError where dbt_project.yml has flags, too."""
    if not flags:
        return ()
    place = Place(os.path.join(profiles_dir, "profiles.yml"))
    if root.flags:
        hint = "Move them under flags: in dbt_project.yml"
        raise ProjectError(
            "'config' in profiles.yml and 'flags' in dbt_project.yml exclude each other", place=place, hint=hint
        )
    return (
        Warning_(
            "ProjectFlagsMovedDeprecation", "'config' in profiles.yml belongs under flags: in dbt_project.yml", place
        ),
    )


def find_project_dir(given: str | None, cwd: str) -> str:
    """The named folder, or the nearest one at or above `cwd` that has a `dbt_project.yml` (dbt 1.11: default_project_dir)."""
    if given:
        return os.path.normpath(os.path.join(cwd, os.path.expanduser(given)))
    folder = os.path.abspath(cwd)
    while not os.path.isfile(os.path.join(folder, FILE)):
        above = os.path.dirname(folder)
        if above == folder:
            return os.path.abspath(cwd)
        folder = above
    return folder


def clean_targets(raw: Mapping[str, Any], target_path: str, root: str) -> tuple[str, ...]:
    """The folders that `clean` deletes. Raises ProjectError where they are no list of texts."""
    value = raw.get("clean-targets")
    if value is None:
        return (target_path,)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ProjectError("'clean-targets' must be a list of paths", place=Place(os.path.join(root, FILE)))
    return tuple(value)


def _installed(
    root: Package,
    raw: Mapping[str, Any],
    env: Callable[[str], str | None],
    target: Mapping[str, Any],
    options: ProjectOptions,
) -> tuple[Package, ...]:
    """The packages in the install folder, by name. They see the target, but not the command line's variables (dbt 1.11)."""
    install_path = str(renderer(env, options.cli_vars, target)(raw.get("packages-install-path")) or "dbt_packages")
    folder = os.path.join(root.root, install_path)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    folders = [
        path for name in names if not name.startswith("__") and os.path.isdir(path := os.path.join(folder, name))
    ]
    wanted = _wanted(root.root)
    if wanted > len(folders):
        raise ProjectError(
            f"{wanted} packages are asked for, but {install_path} holds {len(folders)}",
            place=Place(os.path.join(root.root, "packages.yml")),
            hint="Run 'deps' to install them",
        )
    render = renderer(env, {}, target)
    packages: dict[str, Package] = {root.name: root}
    for path in folders:
        package = read_package(path, read_raw(path), render, check=options.version_check)
        if package.name in packages:
            places = f"{packages[package.name].root} and {path}"
            raise ProjectError(f"Two projects are called '{package.name}': {places}", hint="Remove one of them")
        packages[package.name] = package
    del packages[root.name]
    return tuple(packages[name] for name in sorted(packages))


def _wanted(root: str) -> int:
    """How many packages `packages.yml` or `dependencies.yml` asks for."""
    for name in ("packages.yml", "dependencies.yml"):
        path = os.path.join(root, name)
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                value = yaml.load(file.read(), path)
            if isinstance(value, dict) and isinstance(value.get("packages"), list):
                return len(value["packages"])
    return 0
