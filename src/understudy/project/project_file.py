"""`dbt_project.yml`: one project or package as a value."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from understudy.core.project import Package
from understudy.core.walk import walk
from understudy.core.warning import Warning_
from understudy.errors import Place, ProjectError, did_you_mean
from understudy.parse import yaml
from understudy.project.rendering import Render, rendered_late
from understudy.project.versions import check_version

FILE = "dbt_project.yml"
DEFAULT_PATHS: Mapping[str, tuple[str, ...]] = {
    "model": ("models",), "seed": ("seeds",), "test": ("tests",), "analysis": ("analyses",), "macro": ("macros",),
    "snapshot": ("snapshots",), "function": ("functions",), "asset": (),
}  # fmt: skip
LEGACY = {"source-paths": "model-paths", "data-paths": "seed-paths", "tests": "data_tests"}
"""Old names of keys, which still count."""
RENAMED = {"source-paths": "ConfigSourcePathDeprecation", "data-paths": "ConfigDataPathDeprecation"}
MOVED = {"target-path": "target", "log-path": "logs"}
"""Keys with their defaults that the command line should set (dbt 1.11: project-config-target-path, -log-path)."""
TREES = (
    "models", "seeds", "snapshots", "analyses", "sources", "data_tests", "unit_tests", "metrics", "semantic_models",
    "saved_queries", "exposures", "functions",
)  # fmt: skip
SPELT = {tree: tree.replace("_", "-") if tree in ("semantic_models", "saved_queries") else tree for tree in TREES}
"""How each tree is spelt in the file."""
KNOWN = frozenset({
    "name", "config-version", "version", "project-root", "profile", "target-path", "clean-targets", "log-path",
    "packages-install-path", "quoting", "on-run-start", "on-run-end", "require-dbt-version", "dispatch", "vars",
    "packages", "query-comment", "restrict-access", "dbt-cloud", "flags", "docs-paths", "description",
    *SPELT.values(), *LEGACY, *(f"{kind}-paths" for kind in DEFAULT_PATHS),
})  # fmt: skip
RESERVED = frozenset({
    "_sql_results", "adapter", "api", "column", "config", "context", "database", "env", "env_var", "exceptions",
    "execute", "flags", "fromjson", "fromyaml", "graph", "invocation_id", "load_agate_table", "load_result", "log",
    "model", "modules", "post_hooks", "pre_hooks", "ref", "render", "return", "run_started_at", "schema", "source",
    "sql", "sql_now", "store_result", "store_raw_result", "target", "this", "tojson", "toyaml",
    "try_or_compiler_error", "var", "write",
})  # fmt: skip
"""Names that mean something else in Jinja."""


class RawProject(msgspec.Struct, frozen=True):
    """The file as it is: its map, unrendered, with old names of keys made new; its digest; what to warn of."""

    values: dict[str, Any]
    checksum: str
    warnings: tuple[Warning_, ...]


def read_raw(root: str) -> RawProject:
    """Read a project's file.

    Raises ProjectError where it is missing or no map, YamlError where it is no YAML.
    """
    path = os.path.join(root, FILE)
    if not os.path.isfile(path):
        hint = "Run in a project's folder, or name it with --project-dir"
        raise ProjectError(f"There is no {FILE} in {root}", hint=hint)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    raw, warnings = yaml.load_checked(text, path)
    if not isinstance(raw, dict):
        raise ProjectError(f"{FILE} must be a map of keys and values", place=Place(path))
    for old, new in LEGACY.items():
        if old in raw:
            if raw.get(old) and raw.get(new):
                raise ProjectError(
                    f"'{old}' and '{new}' mean the same; only one may stand in {FILE}", place=Place(path)
                )
            raw.setdefault(new, raw.pop(old))
            if old in RENAMED:
                warnings.append(Warning_(RENAMED[old], f"'{old}' in {FILE} is called '{new}' now", Place(path)))
    for key, default in MOVED.items():
        if raw.get(key, default) != default:
            name = f"Config{key.partition('-')[0].title()}PathDeprecation"
            message = f"'{key}' in {FILE} is deprecated: set --{key}, or the environment variable DBT_{key.upper().replace('-', '_')}"
            warnings.append(Warning_(name, message, Place(path)))
    for key in raw:
        if key not in KNOWN:
            hint = did_you_mean(str(key), KNOWN) or "It has no effect."
            warnings.append(
                Warning_("CustomTopLevelKeyDeprecation", f"Unknown key '{key}' in {FILE}. {hint}", Place(path))
            )
    return RawProject(raw, hashlib.sha256(text.strip().encode()).hexdigest(), tuple(warnings))


def read_package(root: str, project: RawProject, render: Render, *, check: bool = True) -> Package:
    """A package from its file. `check`: whether `require-dbt-version` must hold.

    Raises ProjectError with the path where a key has a value that cannot be.
    """
    path = os.path.join(root, FILE)
    raw = project.values
    values = walk(raw, render, rendered_late)
    name = _name(values.get("name"), path)
    if check and values.get("require-dbt-version") is not None:
        check_version(values["require-dbt-version"], name, path)
    if values.get("config-version", 2) not in (2, None):
        raise ProjectError(f"config-version must be 2, not {values['config-version']!r}", place=Place(path))
    version = values.get("version")
    return Package(
        name=name,
        root=root,
        version=None if version is None else str(version),
        paths=_paths(values, path),
        configs={tree: _map(values, SPELT[tree], path) for tree in TREES},
        unrendered=raw,
        vars=_map(values, "vars", path),
        quoting={k: v for k, v in _map(values, "quoting", path).items() if v is not None},
        dispatch=_dispatch(values.get("dispatch"), path),
        on_run_start=_hooks(values, "on-run-start", path),
        on_run_end=_hooks(values, "on-run-end", path),
        flags=_map(values, "flags", path),
        query_comment=(values["query-comment"] or "") if "query-comment" in values else None,
        restrict_access=bool(values.get("restrict-access", False)),
        checksum=project.checksum,
        selectors=_selectors(root, render),
    )


def _name(name: Any, path: str) -> str:
    if name is None:
        raise ProjectError("The project has no 'name'", place=Place(path))
    if not isinstance(name, str) or not re.fullmatch(r"[^\d\W]\w*", name):
        hint = "A name is made of letters, digits and underscores, and does not begin with a digit"
        raise ProjectError(f"{name!r} is no valid name for a project", place=Place(path), hint=hint)
    if name in RESERVED:
        raise ProjectError(
            f"A project cannot be called '{name}': the name means something else in Jinja", place=Place(path)
        )
    return name


def _map(values: Mapping[str, Any], key: str, path: str) -> dict[str, Any]:
    value = values.get(key)
    if value is not None and not isinstance(value, dict):
        raise ProjectError(f"'{key}' must be a map, not {value!r}", place=Place(path))
    return value or {}


def _strings(values: Mapping[str, Any], key: str, path: str) -> tuple[str, ...] | None:
    value = values.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ProjectError(f"'{key}' must be a list of texts, not {value!r}", place=Place(path))
    return tuple(value)


def _hooks(values: Mapping[str, Any], key: str, path: str) -> tuple[str, ...]:
    value = values.get(key)
    return (value,) if isinstance(value, str) else _strings(values, key, path) or ()


def _paths(values: Mapping[str, Any], path: str) -> dict[str, tuple[str, ...]]:
    """The folders by kind; docs blocks are looked for in all of them where `docs-paths` does not say otherwise."""
    paths: dict[str, tuple[str, ...]] = {}
    for kind, default in DEFAULT_PATHS.items():
        given = _strings(values, f"{kind}-paths", path)
        paths[kind] = default if given is None else tuple(each.rstrip("/") for each in given)
        for each in paths[kind]:
            if os.path.isabs(each):
                raise ProjectError(f"'{kind}-paths' must be relative to the project, not {each!r}", place=Place(path))
    docs = _strings(values, "docs-paths", path)
    everywhere = tuple(dict.fromkeys(each for kind, all_ in paths.items() if kind != "asset" for each in all_))
    paths["docs"] = everywhere if docs is None else docs
    return paths


def _dispatch(value: Any, path: str) -> tuple[Mapping[str, Any], ...]:
    entries = value or []
    for entry in entries if isinstance(entries, list) else [entries]:
        if (
            not isinstance(entry, dict)
            or "macro_namespace" not in entry
            or not isinstance(entry.get("search_order"), list)
        ):
            hint = "Each entry has macro_namespace and a list search_order"
            raise ProjectError(f"The dispatch entry {entry!r} cannot be understood", place=Place(path), hint=hint)
    return tuple(entries)


def _selectors(root: str, render: Render) -> dict[str, Any]:
    path = os.path.join(root, "selectors.yml")
    if not os.path.isfile(path):
        return {}
    with open(path, encoding="utf-8") as file:
        value = yaml.load(file.read(), path)
    if value is not None and not isinstance(value, dict):
        raise ProjectError("selectors.yml must be a map with the key 'selectors'", place=Place(path))
    return dict(walk(value or {}, render))
