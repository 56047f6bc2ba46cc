"""Where a project's folders are, for commands that need neither a profile nor packages."""

from __future__ import annotations

import os

import msgspec
from msgspec.structs import replace

from understudy.core.project import Package
from understudy.core.warning import Warning_
from understudy.project.project_file import read_package, read_raw
from understudy.project.rendering import renderer
from understudy.project.settings import ProjectOptions, clean_targets, find_project_dir


class Layout(msgspec.Struct, frozen=True):
    """Folders. `root` knows the name and the source folders, `target_dir` is a path to open."""

    root: Package
    target_dir: str
    clean_targets: tuple[str, ...]
    packages_path: str
    warnings: tuple[Warning_, ...]


def load_layout(options: ProjectOptions) -> Layout:
    """Read of `dbt_project.yml` what says where things are.

    Raises ProjectError, YamlError or JinjaError with the path.
    """
    root = find_project_dir(options.project_dir, options.cwd)
    file = read_raw(root)
    told = {key: value for key, value in file.values.items() if key == "name" or key.endswith("-paths")}
    package = read_package(
        root, replace(file, values=told), renderer(options.environment.get, options.cli_vars), check=False
    )
    target_path = options.target_path or str(file.values.get("target-path") or "target")
    return Layout(
        package,
        os.path.join(root, target_path),
        clean_targets(file.values, target_path, root),
        str(file.values.get("packages-install-path") or "dbt_packages"),
        file.warnings,
    )
