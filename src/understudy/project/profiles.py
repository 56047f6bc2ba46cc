"""`profiles.yml`: where it is, which profile and target hold for this run, and what the target says."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from understudy.core.project import Target
from understudy.errors import JinjaError, Place, ProfileError, YamlError, did_you_mean
from understudy.parse import yaml
from understudy.project.rendering import Render
from understudy.project.targets import path_database, read_fields


def find_profiles_dir(given: str | None, environment: Mapping[str, str], cwd: str, project_dir: str) -> str:
    """The folder of `profiles.yml`: --profiles-dir, DBT_PROFILES_DIR, where we are, the project, `~/.dbt`."""
    chosen = given or environment.get("DBT_ENGINE_PROFILES_DIR") or environment.get("DBT_PROFILES_DIR")
    if chosen:
        return os.path.join(cwd, os.path.expanduser(chosen))
    for folder in (cwd, project_dir):
        if os.path.isfile(os.path.join(folder, "profiles.yml")):
            return folder
    home = environment.get("HOME") or os.path.expanduser("~")
    return os.path.join(home, ".dbt")


def moved_flags(profiles_dir: str) -> dict[str, Any]:
    """`config:` of profiles.yml, where flags stood before they moved into dbt_project.yml; empty when there is none.

    A file that cannot be read says so when its profile is loaded.
    """
    path = os.path.join(profiles_dir, "profiles.yml")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        found = yaml.load(text, path) if re.search(r"^config\s*:", text, re.MULTILINE) else None
    except (OSError, UnicodeDecodeError, YamlError):
        return {}
    config = found.get("config") if isinstance(found, dict) else None
    return dict(config) if isinstance(config, dict) else {}


def load_profile(
    profiles_dir: str, name: str | None, target: str | None, threads: int | None, render: Render
) -> Target:
    """The target of a profile. Only the chosen target is rendered, so that others may use variables that are not set.

    Args:
        name: the profile's name, from --profile or `dbt_project.yml`.
        target: the target's name, or None for the profile's own choice.
        threads: what --threads says.
        render: renders one value of `profiles.yml`.

    Raises:
        ProfileError: the file, the profile or the target is missing or incomplete; names the known ones.
    """
    path = os.path.join(profiles_dir, "profiles.yml")
    profile = _profile(path, name)
    chosen = target or render(profile.get("target", "default"))
    outputs = profile.get("outputs")
    if not isinstance(outputs, dict) or not outputs:
        raise ProfileError(f"The profile '{name}' has no 'outputs'", place=Place(path))
    if chosen not in outputs:
        known = ", ".join(map(str, outputs))
        hint = did_you_mean(str(chosen), map(str, outputs)) or "Choose one with --target, or as 'target' of the profile"
        raise ProfileError(
            f"The profile '{name}' has no target '{chosen}'; it has: {known}", place=Place(path), hint=hint
        )
    raw = outputs[chosen]
    where = f"The target '{chosen}' of the profile '{name}'"
    if not isinstance(raw, dict):
        raise ProfileError(f"{where} is no map", place=Place(path))
    try:
        fields = dict(render(raw))
        type_, profile_threads = fields.pop("type", None), fields.pop("threads", 1)
        fields = read_fields(type_, fields, where)
    except ProfileError as error:
        raise ProfileError(error.message, place=Place(path), hint=error.hint) from error
    except JinjaError as error:
        raise ProfileError(
            f"{where} cannot be rendered: {error.message}", place=Place(path), hint=error.hint
        ) from error
    count = profile_threads if threads is None else threads
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ProfileError(f"{where} has threads: {count!r}; it must be a whole number from 1", place=Place(path))
    siblings = _siblings(outputs, str(chosen), render) if type_ == "duckdb" else {}
    return Target(str(name), str(chosen), type_, fields.get("database"), fields["schema"], count, fields, siblings)


def _siblings(outputs: Mapping[str, Any], chosen: str, render: Render) -> dict[str, tuple[str, ...]]:
    """The DuckDB files of the other targets by database: one that a deferred reference names is attached, read-only.

    Of another target nothing but its type and path is looked at; one that cannot be rendered here is left out.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, raw in outputs.items():
        if name == chosen or not isinstance(raw, dict) or raw.get("type") != "duckdb":
            continue
        try:
            path = render(raw.get("path"))
        except (JinjaError, ProfileError):
            continue
        if isinstance(path, str) and path not in ("", ":memory:"):
            database = path_database(path)
            found[database] = tuple(dict.fromkeys((*found.get(database, ()), path)))
    return found


def _profile(path: str, name: str | None) -> dict[str, Any]:
    """The raw profile of that name."""
    if not os.path.isfile(path):
        hint = "Pass its folder with --profiles-dir, or put it beside dbt_project.yml or into ~/.dbt"
        raise ProfileError(f"There is no {path}", hint=hint)
    with open(path, encoding="utf-8") as file:
        profiles = yaml.load(file.read(), path)
    if not isinstance(profiles, dict) or not profiles:
        raise ProfileError("profiles.yml is empty, or no map", place=Place(path))
    known = [each for each in profiles if each != "config"]
    if name is None:
        hint = f"Write 'profile: {known[0] if known else '...'}' into dbt_project.yml, or pass --profile"
        raise ProfileError("The project names no profile", place=Place("dbt_project.yml"), hint=hint)
    if name not in profiles:
        near = did_you_mean(name, known)
        hint = near or f"It has: {', '.join(known)}"
        raise ProfileError(f"profiles.yml has no profile '{name}'", place=Place(path), hint=hint)
    if not isinstance(profiles[name], dict) or not profiles[name]:
        raise ProfileError(f"The profile '{name}' is empty, or no map", place=Place(path))
    return dict(profiles[name])
