"""Versioned models: one entry, several files, each a node of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from understudy.core.nodes import Model, Version
from understudy.core.walk import deep_merge
from understudy.errors import did_you_mean
from understudy.parse.columns import read_columns
from understudy.parse.entries import Entry, Found, columns_of
from understudy.parse.parsing import Parsing
from understudy.parse.properties import apply_properties, missing, patch_config, several_disabled

ALL = ("*", "all")


def versions_of(found: Found) -> list[Entry]:
    """The versions of an entry. Raises YamlError where one has no `v`, or two have the same."""
    versions: list[Any] = found.typed(found.entry, "versions", list, [])
    seen: set[str] = set()
    for version in versions:
        if not isinstance(version, dict) or not isinstance(version.get("v"), str | int | float):
            raise found.error(f"A version of '{found.name}' must be a map with a 'v', not {version!r:.60}", "versions")
        if str(version["v"]) in seen:
            raise found.error(f"The version {version['v']!r} of '{found.name}' stands twice", "versions")
        seen.add(str(version["v"]))
    return versions


def latest_of(found: Found, versions: list[Entry]) -> Version:
    """`latest_version`, or the highest version: as numbers where they are, else as texts."""
    values = [version["v"] for version in versions]
    latest: Version | None = found.entry.get("latest_version")
    if latest is None:
        numbers = all(_number(value) is not None for value in values)
        highest: Version = max(values, key=_number if numbers else str)
        return highest
    if latest not in values:
        hint = did_you_mean(str(latest), map(str, values)) or f"It has: {', '.join(map(str, values))}"
        raise found.error(f"latest_version {latest!r} is no version of '{found.name}'", "latest_version", hint=hint)
    return latest


def _number(value: Version) -> Any:
    try:
        return float(value)
    except ValueError:
        return None


def columns_for(found: Found, version: Entry) -> list[Entry]:
    """The entry's columns that a version includes, then its own. Raises YamlError for a second include/exclude."""
    own: list[Entry] = []
    chosen: Mapping[str, Any] | None = None
    for column in found.typed(version, "columns", list, []):
        if isinstance(column, dict) and "name" not in column and ("include" in column or "exclude" in column):
            if chosen is not None:
                raise found.error(f"The version {version['v']!r} of '{found.name}' has two include/exclude", "versions")
            chosen = column
        else:
            own.append(column)
    include, exclude = (chosen or {}).get("include", "*"), (chosen or {}).get("exclude") or []
    if isinstance(include, str) and include not in ALL:
        raise found.error(f"'include' must be a list, '*' or 'all', not {include!r}", "versions")
    kept = [
        c
        for c in columns_of(found, found.entry)
        if (include in ALL or c["name"] in include) and c["name"] not in exclude
    ]
    return [*kept, *columns_of(found, {"name": found.name, "columns": own})]


def patch_versions(parsing: Parsing, found: Found) -> None:
    """Each version finds its file, and becomes the node `model.package.name.v1` (dbt 1.11: ModelPatchParser)."""
    versions = versions_of(found)
    latest = latest_of(found, versions)
    raw = {each["v"]: each.get("config") for each in found.raw["versions"]}
    for version in versions:
        node = _take(parsing, found, version, latest)
        if node is not None:
            _become(parsing, found, node, version, latest, raw.get(version["v"]))


def _take(parsing: Parsing, found: Found, version: Entry, latest: Version) -> Model | None:
    """The node of a version's file, out of the manifest; the latest version may stand in a file without a suffix."""
    package = found.file.package
    file = version.get("defined_in") or f"{found.name}_v{version['v']}"
    unique_id = parsing.find(file, package)
    if unique_id is None and version["v"] == latest:
        unique_id = parsing.find(found.name, package)
    if unique_id is not None:
        node = parsing.manifest.nodes[unique_id]
        parsing.cells.touch(unique_id)
        parsing.forget(node)
    else:
        disabled = parsing.find_disabled(file, None, "model")
        if not disabled:
            missing(parsing, found, file)
            return None
        if len(disabled) > 1 and found.entry["config"].get("enabled"):
            raise several_disabled(found, file, disabled)
        node = disabled[0]
        parsing.cells.touch(node.unique_id)
        parsing.disabled[file].remove(node)
        del parsing.manifest.disabled[node.unique_id]
    if not isinstance(node, Model):
        raise found.error(f"'{file}' is a {node.resource_type}, not a model", "versions")
    return node


def _become(parsing: Parsing, found: Found, node: Model, version: Entry, latest: Version, raw_config: Any) -> None:
    """The node gets its version, its names and what the entry and the version say."""
    entry, v, of_file = found.entry, version["v"], node.unique_id
    node.unique_id = f"model.{found.file.package}.{found.name}.v{v}"
    for notes in (parsing.manifest.uses, parsing.manifest.lines):  # what was noted of the file is the version's
        if of_file in notes:
            notes[node.unique_id] = notes.pop(of_file)  # type: ignore[assignment]
    parsing.cells.touch(node.unique_id)
    node.fqn = [*node.fqn[:-1], found.name, f"v{v}"]
    node.name, node.version, node.latest_version = found.name, v, latest
    parsing.used(node.unique_id, found.uses)
    merged = {
        **entry,
        "description": version.get("description") or entry.get("description", ""),
        "constraints": version.get("constraints") or entry.get("constraints", []),
        "deprecation_date": version.get("deprecation_date"),
        "time_spine": None,
    }
    enabled = node.config["enabled"]
    config = deep_merge(entry["config"], found.typed(version, "config", dict, {}))
    patch_config(parsing, node, config, raw_config)
    apply_properties(parsing, found, node, merged, read_columns(found, columns_for(found, version)))
    if enabled:
        parsing.put(node)
    else:
        parsing.manifest.disabled.setdefault(node.unique_id, []).append(node)
        parsing.disabled.setdefault(f"{node.name}.v{v}", []).append(node)
