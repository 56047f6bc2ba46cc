"""A parse as sections of a file: what it made, from which files, in which cells, depending on what."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from understudy.cache.codec import TooLarge, Writer, with_dates
from understudy.cache.edition import Edition, first, packed
from understudy.cache.inputs import Inputs, digest
from understudy.cache.pack import Pieces
from understudy.cache.rows import About, Answer, CellRow, Rest, SaidRow, Text, UnitRow, Warned, listing
from understudy.cache.slots import save
from understudy.core.input import Input
from understudy.core.manifest import Manifest
from understudy.core.project import Settings
from understudy.core.source_file import SourceFile
from understudy.core.warning import in_order
from understudy.parse.cells import Cell, Cells, Unit
from understudy.parse.nodes import OPERATION
from understudy.parse.scan import LISTS, Scanned
from understudy.parse.unit_tests import fixture_name
from understudy.project.files import FileKey, Listed
from understudy.state.fingerprint import raw_digest

_encode = msgspec.msgpack.Encoder().encode


class Parse(msgspec.Struct, frozen=True):
    """A parse of the whole project, linked and in order, with what is to be kept of it."""

    settings: Settings
    manifest: Manifest
    cells: Cells
    scans: Sequence[Scanned]
    macro_lines: Mapping[str, int]


def keep(path: str, parse: Parse, files: Sequence[Listed], now: int) -> Edition | None:
    """Keep a parse, and give it a name; one with values that cannot be written down is not kept, and has none.

    `now`: when the files were listed, in ns.
    """
    edition = first({unique_id: raw_digest(parse.manifest.get(unique_id)) for unique_id in parse.manifest.cards})
    try:
        found = sections(parse, edition, files, now)
    except NOT_KEPT:
        return None
    save(path, found)
    return edition


NOT_KEPT = (TooLarge, TypeError, OverflowError, UnicodeEncodeError)
"""What is raised for values that cannot be written down."""


def sections(parse: Parse, edition: Edition, files: Sequence[Listed], now: int) -> dict[str, Pieces]:
    """The sections of a snapshot. Raises NOT_KEPT for values that cannot be written down."""
    manifest, writer = parse.manifest, Writer()
    places = array("Q", (writer.resource(manifest.get(unique_id)) for unique_id in manifest.cards))
    found: dict[str, Pieces] = {
        "about": _encode(About(manifest.project_name, manifest.adapter_type, edition.name, dict(edition.history))),
        "stamps": edition.stamps().tobytes(),
        "digests": packed(edition.digests().values()),
        "listing": listing(files, now),
        "texts": _encode([Text(scan.file.checksum, scan.file.first_line) for scan in parse.scans]),
        "cards": _encode(list(manifest.cards.values())),
        "places": places.tobytes(),
        "rest": _encode(_rest(manifest, parse.macro_lines, writer)),
    }
    table = Table([file.key for file in files], writer)
    table.raw = dict(entries(parse.scans))
    cells = parse.cells.all()
    numbers = {id(cell): n for n, cell in enumerate(cells)}
    for cell in cells:
        table.add(cell)
    answers = Inputs(parse.settings, text_digests(manifest, parse.scans))
    found |= table.sections(table.row(parse.cells.common), answers)
    every = (parse.cells.common, *cells)
    found["warnings"] = _encode(
        [Warned.of(each) for each in in_order(warning for cell in every for warning in cell.warnings)]
    )
    found["said"] = _encode([SaidRow.of(said) for cell in every for said in cell.said])
    owners = (numbers.get(id(parse.cells.of(unique_id)), NOBODY) for unique_id in resource_ids(manifest))
    found["owners"] = array("I", owners).tobytes()
    return found | {"shared": _encode([msgspec.Raw(bytes(value)) for value in writer.shared]), "blobs": writer.blobs}


def _rest(manifest: Manifest, macro_lines: Mapping[str, int], writer: Writer) -> Rest:
    return Rest(
        macros={unique_id: writer.resource(macro) for unique_id, macro in manifest.macros.items()},
        docs={unique_id: writer.resource(doc) for unique_id, doc in manifest.docs.items()},
        groups={unique_id: writer.resource(group) for unique_id, group in manifest.groups.items()},
        disabled={unique_id: [writer.resource(each) for each in many] for unique_id, many in manifest.disabled.items()},
        lines=dict(manifest.lines),
        macro_lines=dict(macro_lines),
        uses={i: writer.value([uses.vars, uses.env_vars]) for i, uses in manifest.uses.items()},
        inputs=dict(manifest.inputs),
    )


def text_digests(manifest: Manifest, scans: Iterable[Scanned]) -> dict[Input, bytes]:
    """The inputs that files answer."""
    found: dict[Input, bytes] = {}
    for scan in scans:
        found |= file_digests(scan.file)
    for unique_id, macro in manifest.macros.items():
        if macro.package_name != "dbt":
            found["macro", unique_id] = digest(macro.macro_sql)
    for unique_id, doc in manifest.docs.items():
        found["doc", unique_id] = digest(doc.block_contents)
    return found


def file_digests(file: SourceFile) -> dict[Input, bytes]:
    """The inputs that one file answers."""
    checksum = f"{file.checksum}:{file.first_line}".encode()  # who reads rows sees empty lines before them
    found: dict[Input, bytes] = {("file", file.package, file.path): checksum}
    if file.kind == "fixture":
        found["fixture", file.package, fixture_name(file.path)] = checksum
    return found


def resource_ids(manifest: Manifest) -> Iterator[str]:
    """Every unique_id that belongs to a cell, in the order in which their cells are kept."""
    yield from manifest.cards
    yield from manifest.macros
    yield from manifest.docs
    yield from manifest.groups
    yield from manifest.disabled


NOBODY = 0xFFFFFFFF
"""The number of no cell."""


class Table:
    """The cells as rows, with the ways from files and inputs to them.

    Attributes:
        files: the files by number, as units name them.
        rows: the cells; those that are gone are empty.
        raw: entries of properties files as they are written.
        known: units that are kept already, as rows.
        answers: the inputs by number; `users` are the cells that depend on each.
    """

    def __init__(self, files: Sequence[FileKey], writer: Writer) -> None:
        self.files: dict[FileKey, int] = {key: n for n, key in enumerate(files)}
        self.rows: list[CellRow | msgspec.Raw] = []
        self.raw: Mapping[Unit, object] = {}
        self.known: Mapping[Unit, UnitRow] = {}
        self.answers: dict[Input, int] = {}
        self.users: list[list[int]] = []
        self.unit_files = array("I")
        self.unit_cells = array("I")
        self._writer = writer

    def add(self, cell: Cell, number: int | None = None) -> None:
        """Take a cell in, in the place of one that is gone, or at the end."""
        row = self.row(cell)
        if number is None:
            number = len(self.rows)
            self.rows.append(row)
        else:
            self.rows[number] = row
        for unit in row.units:
            self.unit_files.append(unit.file)
            self.unit_cells.append(number)
        for input in row.inputs:
            self.users[input].append(number)

    def row(self, cell: Cell) -> CellRow:
        """A cell as it is kept."""
        return CellRow(
            [self._unit(unit) for unit in cell.units],
            [self._input(input) for input in sorted(cell.inputs)],
            [Warned.of(warning) for warning in cell.warnings],
            [SaidRow.of(said) for said in cell.said],
        )

    def sections(self, common: CellRow, inputs: Inputs) -> dict[str, Pieces]:
        """The sections of the cells. `common`: what belongs to none of them; `inputs`: what each input is."""
        return {
            "files": _encode(list(self.files)),
            "answers": _encode([Answer(input, inputs.now(input)) for input in self.answers]),
            "users": _encode(self.users),
            "common": _encode(common),
            "cells": _encode(self.rows),
            "unit_files": self.unit_files.tobytes(),
            "unit_cells": self.unit_cells.tobytes(),
        }

    def _unit(self, unit: Unit) -> UnitRow:
        known = self.known.get(unit)
        if known is not None:
            return known
        if unit.part == OPERATION:
            return UnitRow(NOBODY, unit.part, unit.name)
        if unit.part not in LISTS:
            return UnitRow(self._file(unit.package, unit.part, unit.path), unit.part)
        file, entry = self._file(unit.package, "properties", unit.path), self.raw[unit]
        return UnitRow(file, unit.part, unit.name, unit.n, self._writer.value(entry), digest(entry))

    def _file(self, *key: str) -> int:
        return self.files.setdefault((key[0], key[1], key[2]), len(self.files))

    def _input(self, input: Input) -> int:
        number = self.answers.setdefault(input, len(self.answers))
        if number == len(self.users):
            self.users.append([])
        return number


def entries(scans: Iterable[Scanned]) -> Iterator[tuple[Unit, object]]:
    """Every entry of properties files, as it is written down."""
    for scan in scans:
        for unit, raw in listed_entries(scan):
            yield unit, with_dates(raw) if scan.dated else raw


def listed_entries(scan: Scanned) -> Iterator[tuple[Unit, Any]]:
    """Every entry of a properties file."""
    for key in LISTS:
        if not scan.tree.get(key):
            continue
        seen = Counter[str]()
        for raw in scan.tree[key]:
            name = raw["name"]
            yield Unit(scan.file.package, scan.file.path, key, name, seen[name]), raw
            seen[name] += 1
