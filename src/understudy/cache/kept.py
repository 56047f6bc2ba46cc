"""A snapshot, opened: what the last run parsed, as far as anybody asks for it."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar

import msgspec

from understudy.cache.codec import Reader
from understudy.cache.edition import Edition, unpacked
from understudy.cache.rows import listing
from understudy.cache.sections import Sections
from understudy.cache.slots import load, save
from understudy.core.card import Card
from understudy.core.manifest import PART_OF, Manifest, Uses
from understudy.core.shelf import Shelf
from understudy.graph.dag import Dag
from understudy.project.files import Listed

T = TypeVar("T")
_decode = msgspec.msgpack.decode


class Kept(Sections):
    """A parse that is kept, as it was.

    Who opens it asks for `about` and `manifest` at once, and takes an error of them as if there were no snapshot.
    """

    def __init__(self, sections: Mapping[str, memoryview]) -> None:
        super().__init__(sections)
        self._reader = Reader(sections["blobs"], _decode(sections["shared"], type=list[msgspec.Raw]))

    @property
    def macro_lines(self) -> dict[str, int]:
        """The line of each macro's block."""
        return self.rest.macro_lines

    @cached_property
    def edition(self) -> Edition:
        """Which parse it is."""
        about = self.about
        stamps = partial(self.numbers, "stamps")
        return Edition(about.name, about.history, stamps, about.parts, digests=lambda: self._digests)

    @cached_property
    def _digests(self) -> dict[str, bytes]:
        return unpacked(self.sections["digests"], self.manifest.cards)

    @property
    def dag(self) -> Dag | None:
        """Nobody has drawn the graph yet."""
        return None

    def value(self, place: int) -> Any:
        """A value at a place."""
        return self._reader.value(place)

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each resource with a card lies."""
        places = array("Q")
        places.frombytes(self.sections["places"])
        return dict(zip(self.manifest.cards, places, strict=True))

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest; its resources are decoded one by one."""
        rest, take = self.rest, self._reader.resource
        cards = self.section("cards", list[Card])
        places = array("Q")
        places.frombytes(self.sections["places"])
        parts: dict[str, dict[str, int]] = {part: {} for part in PART_OF.values()}
        parts["nodes"] = {}
        for card, place in zip(cards, places, strict=True):
            parts[PART_OF.get(card.resource_type, "nodes")][card.unique_id] = place
        disabled = list(rest.disabled.values())
        manifest = Manifest(
            self.about.project_name,
            self.about.adapter_type,
            **{part: _Part(each, self._reader) for part, each in parts.items()},
            macros=Shelf(rest.macros, take),
            docs=Shelf(rest.docs, take),
            groups=Shelf(rest.groups, take),
            disabled=Shelf(
                {unique_id: n for n, unique_id in enumerate(rest.disabled)}, lambda n: [*map(take, disabled[n])]
            ),
            lines=rest.lines,
            uses=Shelf(rest.uses, self._uses),
            inputs=rest.inputs,
        )
        manifest.cards = {card.unique_id: card for card in cards}
        return manifest

    def _uses(self, place: int) -> Uses:
        vars_, env_vars = self._reader.value(place)
        return Uses(vars_, env_vars)


def open_kept(path: str) -> Kept | None:
    """The parse that a file keeps; None: there is none that can be used."""
    sections = load(path)
    try:
        kept = None if sections is None else Kept(sections)
        if kept is not None:
            _ = kept.about, kept.answers, kept.manifest
    except (KeyError, ValueError, msgspec.MsgspecError):
        return None
    return kept


def refresh(path: str, kept: Kept, files: Sequence[Listed], now: int) -> None:
    """Note the stamps of files that were touched, so that they need not be read again. `now`: when they were listed."""
    stamps = listing(files, now)
    if stamps != kept.sections["listing"]:
        save(path, {**kept.sections, "listing": stamps})


class _Part(Shelf[Any]):
    """A part of the manifest; a config can be had without its resource."""

    __slots__ = ("_reader",)

    def __init__(self, places: Mapping[str, Any], reader: Reader) -> None:
        super().__init__(places, reader.resource)
        self._reader = reader

    def like(self, storage: Mapping[str, Any]) -> Shelf[Any]:
        """A part with other resources or places."""
        return _Part(storage, self._reader)

    def config(self, key: str) -> Any:
        """The config of a resource. Raises KeyError."""
        place = self.place(key)
        return self[key].config if place is None else self._reader.config(place)
