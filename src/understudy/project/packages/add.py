"""`deps --add-package`: an entry more in `packages.yml`, with everything else in it as it was, comments too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from understudy.errors import ProjectError, UsageError
from understudy.parse import yaml
from understudy.parse.yaml_dump import dump

SOURCES: Mapping[str, tuple[str, str]] = {
    "hub": ("package", "version"),
    "git": ("git", "revision"),
    "local": ("local", ""),
}
"""`--source` -> the entry's keys."""


def new_entry(wish: str, source: str) -> dict[str, Any]:
    """The entry for `name@version` (dbt 1.11: _create_packages_yml_entry); commas in the version part conditions.

    Raises UsageError: an unknown source, or a version that is not there.
    """
    if source not in SOURCES:
        raise UsageError(f"Unknown --source {source!r}", hint=f"Known: {', '.join(SOURCES)}")
    key, version_key = SOURCES[source]
    name, _, version = wish.rpartition("@")
    if not name or (source == "git" and re.search(r"[/:]", version)) or source == "local":
        name, version = wish, ""  # git@host:name has no version; a folder never has
    if not name or not (version or source == "local"):
        hint = "For example: --add-package dbt-labs/dbt_utils@1.3.0"
        raise UsageError(f"--add-package {wish!r} needs a version", hint=hint)
    if source == "local":
        return {key: name}
    return {key: name, version_key: version.split(",") if "," in version else version}


def with_entry(text: str, path: str, entry: Mapping[str, Any]) -> tuple[str, list[Mapping[str, Any]]]:
    """The file's text with one entry more; and the entries for the same package that went away for it.

    The text is edited where that works, and written anew where not (flow style, an empty file). Raises YamlError, ProjectError.
    """
    value = yaml.load(text, path) or {}
    packages = (value.get("packages") if isinstance(value, dict) else value) or []
    if not isinstance(value, dict) or not isinstance(packages, list):
        raise ProjectError(f"{path} must be a map with a list 'packages'")
    same = [number for number, each in enumerate(packages) if _is_same(each, entry)]
    expected = {**value, "packages": [each for n, each in enumerate(packages) if n not in same] + [dict(entry)]}
    edited = _edited(text, value, len(packages), same, entry)
    if edited is None or yaml.load(edited, path) != expected:
        edited = dump(expected)
    return edited, [packages[number] for number in same]


def _edited(text: str, value: Mapping[str, Any], count: int, drop: list[int], entry: Mapping[str, Any]) -> str | None:
    """The text with lines taken out and put in; the caller looks whether it says what it should."""
    lines = text.splitlines(keepends=True)
    marks = [yaml.line_of(text, ["packages", number]) for number in range(count)]
    after = list(value)[list(value).index("packages") + 1 :] if "packages" in value else []
    next_key = yaml.line_of(text, [after[0]]) if after else len(lines) + 1
    starts = [mark - 1 for mark in (*marks, next_key) if mark is not None]
    if not count or len(starts) != count + 1 or not lines[starts[0]].lstrip().startswith("- "):
        return None
    first = lines[starts[0]]
    indent = first[: len(first) - len(first.lstrip())]
    end = starts[-1]
    while not lines[end - 1].strip():
        end -= 1
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    lines[end:end] = [indent + line for line in dump([dict(entry)]).splitlines(keepends=True)]
    for number in reversed(drop):
        del lines[starts[number] : min(starts[number + 1], end)]
    return "".join(lines)


def _is_same(package: Any, entry: Mapping[str, Any]) -> bool:
    """Whether an entry names the package that is added, as hub, git or local package, with `-` or `_`
    (dbt 1.11: check_for_duplicate_packages)."""
    if not isinstance(package, dict):
        return False
    there = next((package[key] for key in ("package", "git", "local", "tarball", "private") if package.get(key)), None)
    name = str(next(iter(entry.values())))
    short = name.rsplit("/", 1)[-1]
    spellings = {
        re.escape(each) for text in (name, short) for each in (text, text.replace("_", "-"), text.replace("-", "_"))
    }
    return isinstance(there, str) and bool(re.search(rf"(?:^|[/.])(?:{'|'.join(spellings)})(?:$|[/.])", there))
