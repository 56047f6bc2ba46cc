"""What was made anew takes its place among what stands: one manifest, linked, and one snapshot of it."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from understudy.cache.changes import FROM_FILES
from understudy.cache.codec import LENGTH, Writer
from understudy.cache.edition import Edition, following, packed
from understudy.cache.inputs import Inputs
from understudy.cache.kept import Kept
from understudy.cache.pack import Pieces
from understudy.cache.renew import NotSimple, Part, Renewal, made
from understudy.cache.rows import About, CellRow, Rest, SaidRow, Text, Warned, listing
from understudy.cache.snapshot import NOBODY, Table, resource_ids
from understudy.core.card import Card, card
from understudy.core.manifest import PARTS, Manifest
from understudy.core.project import Settings
from understudy.core.warning import Warning_, in_order
from understudy.graph.dag import Dag
from understudy.graph.link import link_part
from understudy.graph.names import Names
from understudy.parse.checks import unused_config
from understudy.parse.deprecated import OLD_METRICS, old_ways
from understudy.project.files import Listed
from understudy.state.fingerprint import raw_digest

_encode = msgspec.msgpack.Encoder().encode
SEEN = ("name", "package_name", "version", "latest_version", "access", "group", "source_name", "resource_type")
"""What others see of a resource that they refer to."""
RELATION = ("database", "schema", "alias", "relation_name")
"""What a semantic model notes of its model."""
UNUSED = "UnusedResourceConfigPath"


class Merge:
    """A kept parse with a part of it made anew; `volatile`: because that differs in every run.

    Raises NotSimple where the part changes what others make of it, UnderstudyError where something is wrong.
    """

    def __init__(self, kept: Kept, settings: Settings, part: Part, *, volatile: bool = False) -> None:
        self.kept = kept
        self._volatile = volatile
        self.part = part
        self.settings = settings
        self.manifest = self._merged()
        self.fresh = frozenset(made(part.remade))
        self._deal()
        names = Names.of(self.manifest, settings)
        for warning in link_part(self.manifest, settings, self.fresh, names, part.remade.cells.missed):
            part.remade.cells.add(warning)
        self.manifest.disabled = self.manifest.disabled.renewed((), {})  # type: ignore[attr-defined]  # a test may be new
        self._deal()  # now that parents are known, and tests without any are out
        self._neighbours(names)
        self.dag = Dag.of(self.manifest)
        if part.remade.cells.common.said or kept.common.said:
            raise NotSimple("templates that name relations say something")
        self.common = self._common_warnings()
        self.warnings, self.said = self._told()

    @cached_property
    def edition(self) -> Edition:
        """Which parse it is; what only the run makes different is no parse of its own."""
        old = self.kept.edition
        if self._volatile:
            stamps = self._stamps(old.generation)
            return old._replace(stamps=stamps, volatile=self.fresh, digests=lambda: self._digests)
        history, generation = following(old), old.generation + 1
        parts = {**old.parts, **dict.fromkeys(self._changed_parts(), generation)}
        return Edition(list(history)[-1], history, self._stamps(generation), parts, digests=lambda: self._digests)

    @cached_property
    def _digests(self) -> dict[str, bytes]:
        old, manifest = self.kept.edition.digests(), self.manifest
        return {i: raw_digest(manifest.get(i)) if i in self.fresh else old.get(i, b"") for i in manifest.cards}

    def _stamps(self, generation: int) -> Callable[[], array[int]]:
        def stamps() -> array[int]:
            old = dict(zip(self.kept.manifest.cards, self.kept.edition.stamps(), strict=True))
            return array("I", [generation if i in self.fresh else old[i] for i in self.manifest.cards])

        return stamps

    def _changed_parts(self) -> Iterator[str]:
        """Of edition.WHOLE, what differs from the kept parse."""
        last, now, gone, remade = self.kept.manifest, self.manifest, self.part.gone, self.part.remade.manifest
        for part in ("macros", "docs", "groups"):
            if getattr(remade, part) or any(i in getattr(last, part) for i in gone):
                yield part
        if any(i in last.disabled for i in gone) or any(i in now.disabled for i in (*remade.disabled, *self.fresh)):
            yield "disabled"
        before = {i: last.cards[i] for i in gone if i in last.cards}
        after = {i: now.cards[i] for i in self.fresh if i in now.cards}
        if {i: sorted(each.parents) for i, each in before.items()} != {
            i: sorted(each.parents) for i, each in after.items()
        }:
            yield "links"
        if (
            {i: each.group for i, each in before.items()} != {i: each.group for i, each in after.items()}
            or remade.groups
            or any(i in last.groups for i in gone)
        ):
            yield "group_map"

    @property
    def macro_lines(self) -> dict[str, int]:
        """The line of each macro's block."""
        old, remade = self.kept.rest.macro_lines, self.part.remade
        found = {i: line for i, line in old.items() if i not in self.part.gone}
        return found | {i: line for i, line in remade.renderer.macros.lines.items() if i in remade.manifest.macros}

    def _merged(self) -> Manifest:
        last, gone, remade = self.kept.manifest, self.part.gone, self.part.remade.manifest
        parts = {part: getattr(last, part).renewed(gone, getattr(remade, part)) for part in PARTS}
        manifest = Manifest(last.project_name, last.adapter_type, **parts)
        manifest.lines = {i: line for i, line in last.lines.items() if i not in gone} | remade.lines
        manifest.uses = last.uses.renewed(gone, remade.uses)  # type: ignore[attr-defined]
        manifest.inputs = {i: found for i, found in last.inputs.items() if i not in gone} | remade.inputs
        return manifest

    def _deal(self) -> None:
        """Give every resource its card, in order."""
        last, gone = self.kept.manifest.cards, self.part.gone
        cards: dict[str, Card] = {}
        for part in self.manifest.selectable():
            for unique_id in part:
                cards[unique_id] = (
                    last[unique_id] if unique_id in last and unique_id not in gone else card(part[unique_id])
                )
        self.manifest.cards = cards

    def _neighbours(self, names: Names) -> None:
        """Raises NotSimple where something that stands would be linked otherwise now."""
        last, gone, now = self.kept.manifest, self.part.gone, self.manifest
        before = {unique_id: last.cards[unique_id] for unique_id in gone if unique_id in last.cards}
        after = {unique_id: now.cards[unique_id] for unique_id in self.fresh if unique_id in now.cards}
        other = {i for i, old in before.items() if i not in after or seen(after[i]) != seen(old)}
        standing = [each for i, each in now.cards.items() if i not in self.fresh]
        inputs = [found for i, found in now.inputs.items() if i not in self.fresh]
        if other and any(not other.isdisjoint(each.parents) for each in standing):
            raise NotSimple("others refer to what changed its name or its access, or is gone")
        if other and any(not other.isdisjoint(found) for found in inputs):
            raise NotSimple("unit tests have rows for what changed its name or is gone")
        groups = {last.groups[i].name for i in gone if i in last.groups} - {each.name for each in now.groups.values()}
        if groups and any(each.group in groups for each in standing):
            raise NotSimple("a group is gone")
        added = after.keys() - before.keys()
        if added and any(None in found for found in inputs):
            raise NotSimple("there may be something now for which a unit test has rows")
        if any(len(table.get(name, ())) > 1 for i in added for table, name in _spelled(names, after[i])):
            raise NotSimple("several packages have a name")
        for each in standing:
            if each.resource_type == "semantic_model" and not self.fresh.isdisjoint(each.parents):
                self._semantic(each.parents)

    def _semantic(self, models: Iterable[str]) -> None:
        for model in models:
            old, new = self.kept.manifest.nodes.get(model), self.manifest.nodes.get(model)
            if any(getattr(old, name, None) != getattr(new, name, None) for name in RELATION):
                raise NotSimple("a semantic model stands on what changed its place")

    def _common_warnings(self) -> list[Warning_]:
        """The warnings of the whole project, as they are now."""
        was = [each.warning() for each in self.kept.common.warnings]
        found = [*self.part.remade.cells.common.warnings, *old_ways(self.settings, self.manifest)]
        found += [each for each in was if each.name == OLD_METRICS]  # metrics are none of what may be made anew
        old = [each for each in was if each.name == UNUSED]
        if _fqns(self.kept.manifest, self.part.gone) == _fqns(
            self.manifest, {*self.fresh, *self.part.remade.manifest.disabled}
        ):
            return [*found, *old]
        disabled = (each for many in self.manifest.disabled.values() for each in many)
        unused = unused_config(self.settings, self.manifest.cards.values(), disabled)
        return found if unused is None else [*found, unused]

    def _told(self) -> tuple[list[Warning_], list[SaidRow]]:
        """What is to be warned of, in the order of a whole parse, and what templates said."""
        past, fresh = self.part.past, self.part.remade.cells.all()
        warned = Counter(self.kept.section("warnings", list[Warned]))
        warned.subtract(Counter(each for row in (*past, self.kept.common) for each in row.warnings))
        warned.update(Warned.of(warning) for cell in fresh for warning in cell.warnings)
        warned.update(map(Warned.of, self.common))
        said = Counter(self.kept.said)
        said.subtract(Counter(each for row in past for each in row.said))
        told = [*said.elements(), *(SaidRow.of(each) for cell in fresh for each in cell.said)]
        return in_order(each.warning() for each in warned.elements()), told


def seen(of: Card) -> tuple[Any, ...]:
    """What others see of a resource."""
    return tuple(getattr(of, name) for name in SEEN)


def _spelled(names: Names, of: Card) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The look-ups in which a resource is found, with its name there."""
    table = names.tables[
        "source" if of.resource_type == "source" else "function" if of.resource_type == "function" else "node"
    ]
    for name in (f"{of.source_name}.{of.name}", of.name, f"{of.name}.v{of.version}"):
        yield table, name


def _fqns(manifest: Manifest, unique_ids: Iterable[str]) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for unique_id in unique_ids:
        if unique_id in manifest.cards:
            known = manifest.cards[unique_id]
            found[known.resource_type, *known.fqn] += 1
        if unique_id in manifest.disabled:
            found.update(("", *each.fqn) for each in manifest.disabled[unique_id])
    return found


class Snapshot:
    """The sections of a snapshot of a merged parse, made of those of the kept one as far as they hold."""

    def __init__(self, renewal: Renewal, merge: Merge) -> None:
        self._renewal = renewal
        self._merge = merge
        self._kept = merge.kept
        shared = self._kept.section("shared", list[msgspec.Raw])
        self._writer = Writer(len(self._kept.sections["blobs"]), [memoryview(value) for value in shared])

    def sections(self, files: Sequence[Listed], now: int) -> dict[str, Pieces]:
        """The sections; `now`: when the files were listed, in ns. Raises snapshot.NOT_KEPT."""
        kept, merge, writer = self._kept, self._merge, self._writer
        manifest = merge.manifest
        edition = merge.edition
        about = About(
            manifest.project_name, manifest.adapter_type, edition.name, dict(edition.history), dict(edition.parts)
        )
        known, fresh = kept.places, merge.fresh
        places = [writer.resource(manifest.get(i)) if i in fresh else known[i] for i in manifest.cards]
        found: dict[str, Pieces] = {
            "about": _encode(about),
            "stamps": edition.stamps().tobytes(),
            "digests": packed(edition.digests().values()),
            "cards": _encode(self._cards()),
            "places": array("Q", places).tobytes(),
            "rest": _encode(self._rest()),
            **self._files(files, now),
            **self._cells(),
            "warnings": _encode([Warned.of(each) for each in merge.warnings]),
            "said": _encode(merge.said),
        }
        blobs = sum(map(len, writer.blobs)) + len(kept.sections["blobs"])
        if blobs > 3 * sum(place & ((1 << LENGTH) - 1) for place in places) + 10_000_000:
            raise TypeError("most of it would be of the past")
        values = [value if isinstance(value, bytes) else bytes(value) for value in writer.shared]
        found["shared"] = _encode([msgspec.Raw(value) for value in values])
        return found | {"blobs": [kept.sections["blobs"], *writer.blobs]}

    def _cards(self) -> list[Card | msgspec.Raw]:
        old = dict(zip(self._kept.manifest.cards, self._kept.section("cards", list[msgspec.Raw]), strict=True))
        fresh = self._merge.fresh
        return [each if i in fresh else old[i] for i, each in self._merge.manifest.cards.items()]

    def _rest(self) -> Rest:
        old, manifest, gone, write = self._kept.rest, self._merge.manifest, self._merge.part.gone, self._writer.resource
        remade = self._merge.part.remade

        def places(part: str) -> dict[str, int]:
            known: dict[str, int] = getattr(old, part)
            mine = getattr(manifest, part)
            return {i: known[i] if i in known and i not in gone else write(mine[i]) for i in mine}

        def off(unique_id: str) -> list[int]:
            if unique_id in old.disabled and unique_id not in gone:
                return old.disabled[unique_id]
            return [write(each) for each in manifest.disabled[unique_id]]

        uses = {i: place for i, place in old.uses.items() if i not in gone}
        uses |= {i: self._writer.value([found.vars, found.env_vars]) for i, found in remade.manifest.uses.items()}
        return Rest(
            macros=places("macros"), docs=places("docs"), groups=places("groups"),
            disabled={i: off(i) for i in manifest.disabled}, lines=manifest.lines,
            macro_lines=self._merge.macro_lines, uses=uses, inputs=manifest.inputs,
        )  # fmt: skip

    def _files(self, files: Sequence[Listed], now: int) -> dict[str, Pieces]:
        read, texts = self._renewal.read, self._kept.texts
        found = [
            Text(read[file.key].checksum, read[file.key].first_line) if file.key in read else texts[file.key]
            for file in files
        ]
        return {"listing": listing(files, now), "texts": _encode(found)}

    def _cells(self) -> dict[str, Pieces]:
        kept, part, renewal = self._kept, self._merge.part, self._renewal
        table = Table(kept.files, self._writer)
        table.raw, table.known, table.rows = part.raw, part.kept, [*kept.cells]
        table.answers = {answer.input: n for n, answer in enumerate(kept.answers)}
        table.users = [[cell for cell in users if cell not in part.dirty] for users in kept.users]
        units = list(zip(kept.numbers("unit_files"), kept.numbers("unit_cells"), strict=True))
        table.unit_files.extend([file for file, owner in units if owner not in part.dirty])
        table.unit_cells.extend([owner for _, owner in units if owner not in part.dirty])
        free, cells = sorted(part.dirty, reverse=True), part.remade.cells.all()
        numbers: dict[int, int] = {}
        for cell in cells:
            numbers[id(cell)] = free[-1] if free else len(table.rows)
            table.add(cell, free.pop() if free else None)
        for number in free:
            table.rows[number] = CellRow([])
        remade = part.remade.cells
        common = table.row(remade.common)
        common.inputs = sorted({*common.inputs, *kept.common.inputs})
        common.warnings = [Warned.of(warning) for warning in self._merge.common]
        texts = {answer.input: answer.digest for answer in kept.answers if answer.input[0] in FROM_FILES}
        found = table.sections(common, Inputs(self._merge.settings, texts | renewal.texts(part)))
        owners = dict(zip(resource_ids(kept.manifest), kept.numbers("owners"), strict=True))
        owners.update((unique_id, numbers[id(cell)]) for unique_id, cell in remade.owners())
        found["owners"] = array("I", [owners.get(i, NOBODY) for i in resource_ids(self._merge.manifest)]).tobytes()
        return found
