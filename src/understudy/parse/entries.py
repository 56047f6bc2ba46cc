"""Entries of properties files: rendering, the keys that may stand in two places, checks of shape. No decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from understudy.core.source_file import SourceFile
from understudy.core.walk import KeyPath, has_jinja, walk
from understudy.errors import Place, UnderstudyError, YamlError
from understudy.parse.cells import Cell, Unit
from understudy.parse.parsing import Parsing
from understudy.parse.scan import Scanned
from understudy.parse.shapes import SHAPES, misshapen
from understudy.template.scope import Captured

Entry = dict[str, Any]
LATE = ("tests", "data_tests", "description", "loaded_at_query")
TESTS = ("tests", "data_tests", "description")
MOVED = ("meta", "docs", "group", "contract", "access")
"""Keys that may stand at the top of an entry or in its config, but not in both."""


class Found(msgspec.Struct, frozen=True):
    """One entry of a list of a properties file, rendered; `raw` is what the file says."""

    file: SourceFile
    key: str
    entry: Entry
    raw: Entry
    uses: Captured = msgspec.field(default_factory=Captured)
    """The variables that rendering it looked up."""
    cell: Cell = msgspec.field(default_factory=Cell)
    """The cell that the entry begins."""

    @property
    def name(self) -> str:
        """The entry's name."""
        return str(self.entry["name"])

    def place(self, *path: str | int, node: str | None = None) -> Place:
        """Where a part of the entry stands; reads the file again, so for errors only."""
        from understudy.parse.yaml import line_of

        return Place(self.file.path, line_of(self.file.lined_text, [self.key, self.raw["name"], *path]), node)

    def error(self, message: str, *path: str | int, hint: str | None = None) -> YamlError:
        """An error about this entry."""
        return YamlError(message, place=self.place(*path), hint=hint)

    def typed(self, mapping: Mapping[str, Any], key: str, types: type | tuple[type, ...], default: Any) -> Any:
        """A value of the entry, or of a map in it. Raises YamlError where it is of another type."""
        value = mapping.get(key, default)
        if value is default or isinstance(value, types):
            return value
        words = {str: "text", list: "a list", dict: "a map", bool: "true or false"}
        wanted = " or ".join(words.get(t, t.__name__) for t in (types if isinstance(types, tuple) else (types,)))
        of = f" of '{mapping['name']}'" if "name" in mapping else ""
        raise self.error(f"'{key}'{of} must be {wanted}, not {value!r:.60}", key)


def entries(parsing: Parsing, scan: Scanned, key: str) -> list[Found]:
    """The entries of one list, rendered but for what is rendered later. Raises JinjaError, YamlError."""
    file, seen, found = scan.file, Counter[str](), []
    cells: dict[str, Cell] = {}
    for raw in scan.tree.get(key) or ():
        name = raw["name"]
        cell = parsing.cells.begin(Unit(file.package, file.path, key, name, seen[name]))
        if seen[name]:  # entries of one name are told apart by their order, so they are read together
            cell = parsing.cells.join(cells[name])
        seen[name] += 1
        cells[name] = cell
        found.append(render(parsing, scan, key, raw))
    return found


def each_of(parsing: Parsing, found: Iterable[Found]) -> Iterator[Found]:
    """Entries one after the other, each with its cell at work."""
    for each in found:
        parsing.cells.resume(each.cell)
        yield each


def render(parsing: Parsing, scan: Scanned, key: str, raw: Entry) -> Found:
    """An entry with its Jinja rendered (dbt 1.11: SchemaYamlRenderer). Tests, descriptions and hooks wait."""
    package, uses = scan.file.package, Captured()

    def text(value: str) -> Any:
        if has_jinja(value):
            return parsing.renderer.value(value, package=package, captured=uses)
        return value.removesuffix("\n")

    try:
        rendered: Entry = walk(raw, text, lambda path: rendered_late(key, path))
    except UnderstudyError as error:
        error.place = Found(scan.file, key, raw, raw).place()
        raise
    found = Found(scan.file, key, rendered, raw, uses, parsing.cells.current)
    wrong = misshapen(rendered, SHAPES.get(key, {}))
    if wrong is not None:
        path, words = wrong
        value: Any = rendered
        for step in path:
            value = value[step]
        label = ".".join(map(str, path))
        raise found.error(f"'{label}' of '{raw['name']}' must be {words}, not {value!r:.60}", *path)
    return found


def rendered_late(key: str, path: KeyPath) -> bool:
    """Whether a leaf of an entry is rendered when it is used, not when the file is read."""
    if not path:
        return False
    if key == "sources":
        if path[0] in ("description", "loaded_at_query") or path[:2] == ("config", "loaded_at_query"):
            return True
        return path[0] == "tables" and _late(path[2:])
    if key == "macros" and path[0] == "arguments":
        return _late(path[1:])
    if key == "metrics" and "filter" in path[-2:]:
        return True
    if key == "saved_queries" and path[:2] == ("query_params", "where"):
        return True
    return _late(path)


def _late(path: KeyPath) -> bool:
    return (
        (path != () and path[0] in LATE)
        or (len(path) == 2 and path[1] in LATE)
        or (len(path) >= 2 and path[0] == "config" and path[1] in ("pre_hook", "post_hook", "loaded_at_query"))
        or (len(path) == 5 and path[4] == "description")
        or (len(path) >= 3 and path[0] in ("columns", "dimensions", "measures", "entities") and path[2] in TESTS)
    )


def normalize(found: Found) -> None:
    """Move `meta`, `docs`, `group`, `contract` and `access` into the config, and `tests` to `data_tests`.

    Raises YamlError where a key stands in both places (dbt 1.11: normalize_attribute, validate_data_tests).
    """
    entry = found.entry
    config = found.typed(entry, "config", dict, {})
    for key in MOVED:
        if key in entry:
            if key in config:
                raise found.error(f"'{key}' of '{found.name}' stands both in the entry and in its config", key)
            config = {**config, key: entry.pop(key)}
    entry["config"] = config
    rename_tests(found, entry)
    for column in columns_of(found, entry):
        rename_tests(found, column)
    for version in found.typed(entry, "versions", list, []):
        rename_tests(found, version)
        for column in found.typed(version, "columns", list, []):
            rename_tests(found, column)


def columns_of(found: Found, entry: Mapping[str, Any]) -> list[Entry]:
    """The columns of an entry. Raises YamlError where one is no map with a name."""
    columns: list[Any] = found.typed(entry, "columns", (list, type(None)), []) or []
    for column in columns:
        if not isinstance(column, dict) or not isinstance(column.get("name"), str):
            raise found.error(f"A column of '{found.name}' must be a map with a 'name', not {column!r:.60}", "columns")
    return columns


def rename_tests(found: Found, holder: Any) -> None:
    """`tests` is the old name of `data_tests`."""
    if not isinstance(holder, dict) or not holder.get("tests"):
        return
    if "data_tests" in holder:
        raise found.error(f"'{found.name}' has both 'tests' and 'data_tests'; only one may stand", "tests")
    holder["data_tests"] = holder.pop("tests")


def texts(value: Any) -> list[Any]:
    """Tags: a list, or one text."""
    return [value] if isinstance(value, str) else list(value) if isinstance(value, Sequence) else []
