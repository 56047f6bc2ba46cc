"""A parse as sections of a file: what it made, from which files, in which cells, depending on what."""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from understudy.cache.codec import TooLarge, Writer, with_dates
from understudy.cache.inputs import Inputs, digest
from understudy.cache.pack import Pieces
from understudy.cache.rows import About, Answer, CellRow, Rest, SaidRow, Text, UnitRow, Warned, listing
from understudy.cache.slots import save
from understudy.core.input import Input
from understudy.core.manifest import Manifest
from understudy.core.project import Settings
from understudy.parse.cells import Cell, Cells, Unit
from understudy.parse.scan import LISTS, Scanned
from understudy.project.files import Listed

_encode = msgspec.msgpack.Encoder().encode


class Parse(msgspec.Struct, frozen=True):
    """A parse of the whole project, linked and in order, with what is to be kept of it."""

    settings: Settings
    manifest: Manifest
    cells: Cells
    scans: Sequence[Scanned]
    macro_lines: Mapping[str, int]


def keep(path: str, parse: Parse, files: Sequence[Listed], now: int) -> None:
    """Keep a parse; one with values that cannot be written down is not kept. `now`: when the files were listed, in ns."""
    try:
        found = sections(parse, files, now)
    except (TooLarge, TypeError, OverflowError, UnicodeEncodeError):
        return
    save(path, found)


def sections(parse: Parse, files: Sequence[Listed], now: int) -> dict[str, Pieces]:
    """The sections of a snapshot. Raises TooLarge, TypeError, OverflowError for values that cannot be kept."""
    manifest, writer = parse.manifest, Writer()
    cards = manifest.cards
    places = array("Q", (writer.resource(manifest.get(unique_id)) for unique_id in cards))
    rest = _rest(manifest, parse.macro_lines, writer)
    texts = [Text(scan.file.checksum, scan.file.first_line) for scan in parse.scans]
    answers = Inputs(parse.settings, text_digests(manifest, parse.scans))
    table = _Table(files, parse.scans, answers, writer)
    cells = parse.cells.all()
    rows = [table.cell(cell) for cell in cells]
    common = table.cell(parse.cells.common)
    about = About(manifest.project_name, manifest.adapter_type, os.urandom(16))
    return {
        "about": _encode(about),
        "listing": listing(files, now),
        "texts": _encode(texts),
        "answers": _encode(table.answers),
        "common": _encode(common),
        "warnings": _encode([Warned.of(warning) for warning in parse.cells.warnings()]),
        "said": _encode([said for row in (common, *rows) for said in row.said]),
        "cells": _encode(rows),
        "owners": owners(manifest, parse.cells, cells).tobytes(),
        "cards": _encode(list(cards.values())),
        "places": places.tobytes(),
        "rest": _encode(rest),
        "shared": _encode([msgspec.Raw(bytes(value)) for value in writer.shared]),
        "blobs": writer.blobs,
    }


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
        file = scan.file
        checksum = file.checksum.encode()
        found["file", file.package, file.path] = checksum
        if file.kind == "fixture":
            found["fixture", file.package, file.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]] = checksum
    for unique_id, macro in manifest.macros.items():
        if macro.package_name != "dbt":
            found["macro", unique_id] = digest(macro.macro_sql)
    for unique_id, doc in manifest.docs.items():
        found["doc", unique_id] = digest(doc.block_contents)
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


def owners(manifest: Manifest, cells: Cells, order: Sequence[Cell]) -> array[int]:
    """For each of `resource_ids` the number of its cell."""
    numbers = {id(cell): n for n, cell in enumerate(order)}
    return array("I", (numbers.get(id(cells.of(unique_id)), NOBODY) for unique_id in resource_ids(manifest)))


class _Table:
    """Turns cells into rows."""

    def __init__(self, files: Sequence[Listed], scans: Sequence[Scanned], answers: Inputs, writer: Writer) -> None:
        self.answers: list[Answer] = []
        self._inputs = answers
        self._numbers: dict[Input, int] = {}
        self._writer = writer
        self._files: dict[tuple[str, str, str], int] = {
            (file.package, file.kind, file.path): n for n, file in enumerate(files)
        }
        self._entries = dict(entries(scans))

    def cell(self, cell: Cell) -> CellRow:
        """A cell as it is kept."""
        return CellRow(
            [self._unit(unit) for unit in cell.units],
            [self._input(input) for input in sorted(cell.inputs)],
            [Warned.of(warning) for warning in cell.warnings],
            [SaidRow.of(said) for said in cell.said],
        )

    def _unit(self, unit: Unit) -> UnitRow:
        if unit.part not in LISTS:
            return UnitRow(self._files.get((unit.package, unit.part, unit.path), -1), unit.part, unit.name)
        file = self._files[unit.package, "properties", unit.path]
        entry = self._entries[unit]
        return UnitRow(file, unit.part, unit.name, unit.n, self._writer.value(entry), digest(entry))

    def _input(self, input: Input) -> int:
        number = self._numbers.get(input)
        if number is None:
            number = self._numbers[input] = len(self.answers)
            self.answers.append(Answer(input, self._inputs.now(input)))
        return number


def entries(scans: Iterable[Scanned]) -> Iterator[tuple[Unit, dict[str, object]]]:
    """Every entry of properties files, as it is written."""
    for scan in scans:
        for key in LISTS:
            seen = Counter[str]()
            for raw in scan.tree.get(key) or ():
                unit = Unit(scan.file.package, scan.file.path, key, raw["name"], seen[raw["name"]])
                yield unit, with_dates(raw) if scan.dated else raw
                seen[raw["name"]] += 1
