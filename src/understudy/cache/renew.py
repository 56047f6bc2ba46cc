"""A kept parse, brought up to date: what changed is made anew, with what hangs together with it; the rest stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from understudy.cache.changes import Changes
from understudy.cache.codec import with_dates
from understudy.cache.inputs import NOTHING, digest
from understudy.cache.kept import Kept
from understudy.cache.rows import CellRow, UnitRow
from understudy.cache.snapshot import file_digests, listed_entries, resource_ids
from understudy.core.input import Input
from understudy.core.nodes import Seed
from understudy.core.project import Package, Settings
from understudy.core.source_file import SourceFile
from understudy.parse.cells import MISSING, Unit
from understudy.parse.nodes import OPERATION
from understudy.parse.redo import Remade, Standing, Untouched, remake
from understudy.parse.scan import LISTS, Scanned, scan_file
from understudy.parse.unit_tests import fixture_name
from understudy.project.files import FileKey, Listed, read_file
from understudy.sql.dialect import Dialect
from understudy.template.scope import BuiltinMacro

ATTEMPTS = 25
"""So often more may turn out to be needed before everything is read instead."""
SHARE = 0.4
"""The share of all cells above which everything is read instead."""
SEMANTIC = ("metric.", "semantic_model.", "saved_query.")


class NotSimple(Exception):
    """What changed concerns more than can be told: the whole project has to be read."""


class Tools(NamedTuple):
    """What parsing needs beside the project: see parse_project."""

    builtins: Mapping[str, BuiltinMacro]
    dialect: Dialect
    read_seed: Callable[[Seed], str]


class Part(msgspec.Struct, dict=True):
    """What is made anew in one attempt.

    Attributes:
        dirty: the cells that no longer stand, and `gone` what they had made.
        remade: what was made of what is there of them now.
        past: the cells as they were.
        kept: units that are as they were, as rows; `raw`: entries as they are written.
    """

    dirty: frozenset[int]
    gone: frozenset[str]
    past: Sequence[CellRow]
    remade: Remade
    kept: Mapping[Unit, UnitRow]
    raw: Mapping[Unit, object]


class Cut(msgspec.Struct, dict=True):
    """The scans of a part, with the entries that count; see Part."""

    scans: list[Scanned] = msgspec.field(default_factory=list)
    hooked: list[Package] = msgspec.field(default_factory=list)
    kept: dict[Unit, UnitRow] = msgspec.field(default_factory=dict)
    raw: dict[Unit, object] = msgspec.field(default_factory=dict)


class Renewal:
    """Finds what has to be made anew, until nothing more is needed, and makes it."""

    def __init__(self, kept: Kept, settings: Settings, files: Sequence[Listed], found: Changes, tools: Tools) -> None:
        self.kept = kept
        self.settings = settings
        self.listed: dict[FileKey, Listed] = {file.key: file for file in files}
        self.read: dict[FileKey, SourceFile] = {(file.package, file.kind, file.path): file for file in found.read}
        self.lost = {file.key for file in found.gone}
        self.files = kept.files
        self.now: dict[Input, bytes] = {}
        """The inputs that changed and that files answer, as they are now."""
        self._tools = tools
        self._settings_inputs = found.inputs
        self._numbers = {key: n for n, key in enumerate(self.files)}
        self._rows: dict[int, CellRow] = {}
        self._answers = {answer.input: (n, answer.digest) for n, answer in enumerate(kept.answers)}
        self._common = {kept.answers[n].input for n in kept.common.inputs}
        self._scanned = {key: scan_file(file) for key, file in self.read.items() if file.kind == "properties"}
        self._entries: dict[FileKey, dict[Unit, Any]] = {
            key: dict(listed_entries(scan)) for key, scan in self._scanned.items()
        }
        self._new: list[Unit] = []
        self._new_files: list[FileKey] = []

    def part(self) -> Part:
        """The part that has to be made anew, made. Raises NotSimple, or UnderstudyError where something is wrong."""
        dirty = self._start()
        for _ in range(ATTEMPTS):
            if len(dirty) > SHARE * len(self.kept.cells) + 20:
                raise NotSimple("much of the project changed")
            try:
                part = self._attempt(frozenset(dirty))
            except Untouched as needed:
                dirty.add(self._cell(needed.unique_id))
                continue
            more = self._more(part) - dirty
            if not more:
                return part
            dirty |= more
        raise NotSimple("one thing needs another, and so on")

    def row(self, number: int) -> CellRow:
        """A cell of the kept parse."""
        if number not in self._rows:
            self._rows[number] = msgspec.msgpack.decode(self.kept.cells[number], type=CellRow)
        return self._rows[number]

    def _start(self) -> set[int]:
        """The cells of which a unit or an input changed."""
        changed = {self._numbers[key] for key in (*self.read, *self.lost) if key in self._numbers}
        owners = zip(self.kept.numbers("unit_files"), self.kept.numbers("unit_cells"), strict=True)
        dirty, known = set[int](), set[Unit]()
        files_known = set[FileKey]()
        for number in {cell for file, cell in owners if file in changed}:
            for row in self.row(number).units:
                if row.file not in changed:
                    continue
                unit, key = self._unit(row), self.files[row.file]
                known.add(unit)
                files_known.add(key)
                entry = self._entries.get(key, {}).get(unit)
                if row.part not in LISTS or entry is None or digest(with_dates(entry)) != row.digest:
                    dirty.add(number)
        self._new = [unit for entries in self._entries.values() for unit in entries if unit not in known]
        self._new_files = [key for key in self.read if key not in files_known and key[1] != "properties"]
        return dirty | self._inputs()

    def _inputs(self) -> set[int]:
        """The cells that depend on an input that changed with the settings or a file."""
        for key in (*self.read, *self.lost):
            package, _, path = key
            found = file_digests(self.read[key]) if key in self.read else {}
            self._note({("file", package, path): NOTHING, ("fixture", package, fixture_name(path)): NOTHING} | found)
        return self._users((*self._settings_inputs, *self.now))

    def _note(self, inputs: Mapping[Input, bytes]) -> None:
        """Keep those of the inputs that are known and have another digest now."""
        for input, value in inputs.items():
            if input in self._answers and self._answers[input][1] != value:
                self.now[input] = value

    def _users(self, inputs: Iterable[Input]) -> set[int]:
        """The cells that depend on inputs. Raises NotSimple where everything does."""
        found: set[int] = set()
        for input in inputs:
            if input in self._common:
                raise NotSimple(f"all names depend on {' '.join(input)}")
            if input in self._answers:
                found.update(self.kept.users[self._answers[input][0]])
        return found

    def _cell(self, unique_id: str) -> int:
        """The number of a resource's cell."""
        for known, number in zip(resource_ids(self.kept.manifest), self.kept.numbers("owners"), strict=True):
            if known == unique_id and number < len(self.kept.cells):
                return int(number)
        raise NotSimple(f"{unique_id} belongs to no cell")

    def _attempt(self, dirty: frozenset[int]) -> Part:
        """Make cells anew. Raises Untouched, NotSimple, UnderstudyError."""
        owners = zip(resource_ids(self.kept.manifest), self.kept.numbers("owners"), strict=True)
        gone = frozenset(unique_id for unique_id, number in owners if number in dirty)
        cut = self._cut(dirty)
        units = (unit for scan in cut.scans for unit in scan.tree)
        remade = remake(
            self.settings,
            Standing(self.kept.manifest, gone, self.kept.rest.macro_lines),
            cut.scans,
            cut.hooked,
            fixtures=self._fixtures() if "unit_tests" in units else {},
            builtins=self._tools.builtins,
            dialect=self._tools.dialect,
            read_seed=self._tools.read_seed,
            notify=lambda kind, message, place: None,
        )
        if {unique_id for unique_id in gone if unique_id.startswith("macro.")} != set(remade.manifest.macros):
            raise NotSimple("macros came or went")
        if any(unique_id.startswith(SEMANTIC) for unique_id in (*gone, *made(remade))):
            raise NotSimple("the semantic layer changed")
        return Part(dirty, gone, [self.row(number) for number in dirty], remade, cut.kept, cut.raw)

    def texts(self, part: Part) -> dict[Input, bytes]:
        """The inputs that what was read or made anew answers, as they are now."""
        found: dict[Input, bytes] = {}
        for key in (*self.read, *self.lost):
            found |= {("file", key[0], key[2]): NOTHING, ("fixture", key[0], fixture_name(key[2])): NOTHING}
        for file in self.read.values():
            found |= file_digests(file)
        return found | remade_texts(part)

    def _more(self, part: Part) -> set[int]:
        """The cells that depend on macros or docs blocks that were made anew, or on a name that there was not."""
        manifest, texts = part.remade.manifest, remade_texts(part)
        self._note(texts)
        names = {*part.remade.named, *(f"source.{s.package_name}.{s.source_name}" for s in manifest.sources.values())}
        names |= {f"{source.source_name}.{source.name}" for source in manifest.sources.values()}
        names |= {f"{each.name}.v{getattr(each, 'version', None)}" for each in manifest.nodes.values()}
        return self._users((*(key for key in texts if key in self.now), *((MISSING, name) for name in names)))

    def _cut(self, dirty: Iterable[int]) -> Cut:
        """The scans of the cells, and of what is new."""
        cut, whole = Cut(), set(self._new_files)
        entries: dict[FileKey, dict[Unit, Any]] = {}
        for unit in self._new:
            key = unit.package, "properties", unit.path
            entries.setdefault(key, {})[unit] = self._entries[key][unit]
        for row in (row for number in sorted(dirty) for row in self.row(number).units):
            if row.part == OPERATION:
                cut.hooked += [package for package in self.settings.packages if package.name == row.name]
            elif row.part not in LISTS:
                whole.add(self.files[row.file])
            else:
                self._entry(row, cut, entries)
        if any(
            unit.part == "sources" and entry.get("overrides")
            for each in entries.values()
            for unit, entry in each.items()
        ):
            raise NotSimple("a source is overridden")
        for key, file in self.listed.items():
            if key[1] == "properties":
                scan = self._scanned.get(key)
                if key in entries or (scan is not None and scan.warnings):
                    cut.scans.append(self._properties(file, scan, entries.get(key, {}), cut))
            elif key in whole:
                cut.scans.append(scan_file(self._text(file)))
        return cut

    def _entry(self, row: UnitRow, cut: Cut, entries: dict[FileKey, dict[Unit, Any]]) -> None:
        """An entry that is still there."""
        key, unit = self.files[row.file], self._unit(row)
        if key in self.lost or (key in self._entries and unit not in self._entries[key]):
            return
        entry = self._entries[key][unit] if key in self._entries else self.kept.value(row.place)
        if key not in self._entries or digest(with_dates(entry)) == row.digest:
            cut.kept[unit] = row
        entries.setdefault(key, {})[unit] = entry

    def _properties(self, file: Listed, scan: Scanned | None, entries: Mapping[Unit, Any], cut: Cut) -> Scanned:
        """A properties file with some of its entries, in their order as far as it is known."""
        order = self._entries.get(file.key) or sorted(entries)
        tree: dict[str, list[Any]] = {}
        for unit in order:
            if unit in entries:
                tree.setdefault(unit.part, []).append(entries[unit])
                cut.raw[unit] = with_dates(entries[unit])
        if scan is not None:
            return Scanned(scan.file, tree=tree, warnings=scan.warnings)
        text = self.kept.texts[file.key]
        source = SourceFile(file.package, file.kind, file.search_path, file.path, "", text.checksum)
        return Scanned(source, tree=tree)

    def _text(self, file: Listed) -> SourceFile:
        found = self.read.get(file.key)
        roots = {package.name: package.root for package in self.settings.packages}
        return read_file(roots, file) if found is None else found

    def _fixtures(self) -> dict[tuple[str, str], SourceFile]:
        files = (file for file in self.listed.values() if file.kind == "fixture")
        return {(file.package, fixture_name(file.path)): self._text(file) for file in files}

    def _unit(self, row: UnitRow) -> Unit:
        package, _, path = self.files[row.file]
        return Unit(package, path, row.part, row.name, row.n)


def remade_texts(part: Part) -> dict[Input, bytes]:
    """The digests of macros and docs blocks that were made anew, or are gone."""
    manifest = part.remade.manifest
    found: dict[Input, bytes] = {("doc", i): NOTHING for i in part.gone if i.startswith("doc.")}
    found |= {("doc", i): digest(doc.block_contents) for i, doc in manifest.docs.items()}
    return found | {("macro", i): digest(macro.macro_sql) for i, macro in manifest.macros.items()}


def made(remade: Remade) -> Iterator[str]:
    """The unique_ids of what can be selected among what was made anew."""
    for part in remade.manifest.selectable():
        yield from part
