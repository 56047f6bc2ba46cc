"""Stage 1: what one file says on its own, whatever else is in the project. Its answer can be kept by the file's digest."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from understudy.core.nodes import Macro
from understudy.core.source_file import SourceFile
from understudy.core.warning import Warning_
from understudy.errors import Place, YamlError
from understudy.template import literal
from understudy.template.blocks import Block, blocks
from understudy.template.macros import parse_macros
from understudy.template.scope import Captured

LISTS = (
    "models", "seeds", "snapshots", "sources", "macros", "data_tests", "analyses", "exposures", "functions", "metrics",
    "groups", "semantic_models", "unit_tests", "saved_queries",
)  # fmt: skip
"""The lists of a properties file, in the order in which dbt reads them."""
DATE = re.compile(r"\d\d\d\d-\d\d?-\d\d?")


class Scanned(msgspec.Struct, frozen=True):
    """What was found in a file. `calls` is None where its template must be rendered."""

    file: SourceFile
    calls: Captured | None = None
    tree: dict[str, Any] = msgspec.field(default_factory=dict)
    dated: bool = False
    """Whether there may be dates among its values."""
    macros: tuple[Macro, ...] = ()
    lines: dict[str, int] = msgspec.field(default_factory=dict)
    """The line of each macro's block, by unique_id."""
    blocks: tuple[Block, ...] = ()
    warnings: tuple[Warning_, ...] = ()


def scan_file(file: SourceFile) -> Scanned:
    """Read one file. Raises YamlError, JinjaError or ParseError with the file's path and line."""
    if file.kind in ("model", "test", "analysis", "function"):
        return Scanned(file, calls=literal.scan(file.text) if file.path.endswith(".sql") else None)
    if file.kind == "properties":
        return _properties(file)
    if file.kind in ("macro", "generic_test"):
        lines: dict[str, int] = {}
        found: list[Warning_] = []
        macros = parse_macros(file, lines, _unexpected(file, found))
        return Scanned(file, macros=tuple(macros), lines=lines, warnings=tuple(found))
    if file.kind in ("docs", "snapshot"):
        found = []
        cut = blocks(file.lined_text, {file.kind}, path=file.path, unexpected=_unexpected(file, found))
        return Scanned(file, blocks=tuple(cut), warnings=tuple(found))
    return Scanned(file)


def _unexpected(file: SourceFile, found: list[Warning_]) -> Callable[[str, int], None]:
    """Notes tags beside the blocks of a file of macros or snapshots, which nobody runs."""

    def note(kind: str, line: int) -> None:
        if file.kind in ("macro", "snapshot"):
            message = f"A '{kind}' tag stands outside of the file's blocks, where it has no effect"
            found.append(Warning_("UnexpectedJinjaBlockDeprecation", message, Place(file.path, line)))

    return note


def _properties(file: SourceFile) -> Scanned:
    """A properties file's tree, with the shape that every reader counts on: lists of maps with a name."""
    from understudy.parse import yaml

    tree, warnings = yaml.load_checked(file.lined_text, file.path)
    if tree is None:
        return Scanned(file, warnings=tuple(warnings))
    if not isinstance(tree, dict):
        raise YamlError("A properties file must be a map with lists such as 'models'", place=Place(file.path, 1))
    for key in LISTS:
        entries = tree.get(key)
        if key not in tree:
            continue
        if not isinstance(entries, list):
            line = yaml.line_of(file.lined_text, [key])
            raise YamlError(f"'{key}' must be a list, not {entries!r:.40}", place=Place(file.path, line))
        for n, entry in enumerate(entries):
            _check_entry(file, key, n, entry)
    dated = DATE.search(file.text) is not None
    return Scanned(file, tree=tree, dated=dated, warnings=tuple(warnings))


def _check_entry(file: SourceFile, key: str, n: int, entry: Any) -> None:
    if isinstance(entry, dict) and isinstance(entry.get("name"), str) and all(isinstance(k, str) for k in entry):
        return
    from understudy.parse import yaml

    place = Place(file.path, yaml.line_of(file.lined_text, [key, n]))
    if not isinstance(entry, dict):
        raise YamlError(f"An entry of '{key}' must be a map with a 'name', not {entry!r:.40}", place=place)
    if "name" not in entry:
        raise YamlError(f"An entry of '{key}' has no 'name'", place=place)
    if not isinstance(entry["name"], str):
        raise YamlError(f"The name of an entry of '{key}' must be text, not {entry['name']!r}", place=place)
    raise YamlError(f"The keys of '{entry['name']}' must be texts", place=place)
