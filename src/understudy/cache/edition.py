"""Which parse a manifest is of, so that others can tell what changed since one that they knew."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

WHOLE = ("macros", "docs", "groups", "disabled", "links", "group_map")
"""What has one stamp for all of it: parts of the manifest, and the edges of the graph."""
REMEMBERED = 64
"""So many generations back others may be."""


class Edition(NamedTuple):
    """A parse of the whole project, or one that was made of another by renewing a part of it.

    Attributes:
        name: random, and no other parse's.
        history: the names of the parses of which it was made, itself among them -> how often the first one had been renewed
            by then.
        stamps: the generation in which each resource with a card was made, in their order; made when it is asked for.
        parts: of WHOLE, the generation in which each changed last; those that are not named never did.
        volatile: what was made anew in this run alone, and is not kept.
    """

    name: bytes
    history: Mapping[bytes, int]
    stamps: Callable[[], array[int]]
    parts: Mapping[str, int]
    volatile: frozenset[str] = frozenset()

    @property
    def generation(self) -> int:
        """How often the first parse was renewed."""
        return self.history[self.name]

    def changed(self, since: bytes, unique_ids: Iterable[str]) -> set[str]:
        """Of all resources with a card, in order, those that are not what they were. `since` is a name of the history."""
        if since == self.name:
            return set(self.volatile)
        generation = self.history[since]
        stamps = zip(unique_ids, self.stamps(), strict=True)
        return {unique_id for unique_id, stamp in stamps if stamp > generation} | self.volatile

    def changed_parts(self, since: bytes) -> set[str]:
        """Of WHOLE, what is not what it was."""
        generation = self.history[since]
        return {part for part, stamp in self.parts.items() if stamp > generation} | (
            {"links"} if self.volatile else set()
        )


def first(count: int) -> Edition:
    """A parse of the whole project, with so many cards."""
    name = os.urandom(12)
    return Edition(name, {name: 0}, lambda: array("I", bytes(4 * count)), {})


def following(edition: Edition) -> dict[bytes, int]:
    """The history of the next one, whose name is the last."""
    remembered = sorted(edition.history.items(), key=lambda item: item[1])[-REMEMBERED:]
    return {**dict(remembered), os.urandom(12): edition.generation + 1}
