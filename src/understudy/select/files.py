"""Paths of a project as a tree, and the patterns of `path:` (as pathlib's glob has them, which dbt 1.11 uses)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate

from understudy.errors import SelectorError

Folder = dict[str, "Folder"]


class FileTree:
    """Known files, by folder. A file is a folder without anything in it."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.root: Folder = {}
        for path in paths:
            folder = self.root
            for part in path.split("/"):
                folder = folder.setdefault(part, {})

    def glob(self, pattern: str) -> set[str]:
        """The files and folders that a pattern names: `models/a.sql`, `models/*/a_*.sql`, `models/**/x.yml`.

        Raises SelectorError for a path out of the project and for `**` as part of a word.
        """
        found: dict[str, Folder] = {"": self.root}
        parts = [part for part in pattern.split("/") if part not in ("", ".")]
        if pattern.startswith("/") or ".." in parts:
            raise SelectorError(f"'path:{pattern}' leaves the project", hint="Write it relative to dbt_project.yml.")
        for part in parts:
            if part == "**":
                found = _below(found)
            elif "**" in part:
                raise SelectorError(f"'path:{pattern}': ** stands for whole folders only", hint="Write models/**/name.")
            else:
                found = _step(found, part)
        return set(found)


def _step(folders: dict[str, Folder], part: str) -> dict[str, Folder]:
    """What has that name in any of the folders."""
    if not any(character in part for character in "*?["):
        return {_join(path, part): folder[part] for path, folder in folders.items() if part in folder}
    fits = re.compile(translate(part)).match
    return {
        _join(path, name): inner for path, folder in folders.items() for name, inner in folder.items() if fits(name)
    }


def _below(folders: dict[str, Folder]) -> dict[str, Folder]:
    """The folders and all folders below them."""
    found = {path: folder for path, folder in folders.items() if folder}
    ways = list(found.items())
    while ways:
        path, folder = ways.pop()
        for name, inner in folder.items():
            if inner:
                found[_join(path, name)] = inner
                ways.append((_join(path, name), inner))
    return found


def with_folders(path: str) -> Iterator[str]:
    """A path, and the folders that it stands in up to the root, which is the empty text."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield path


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
