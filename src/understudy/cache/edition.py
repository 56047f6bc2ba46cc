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
        digests: of nodes and sources what a comparison looks at (state.fingerprint.raw_digest); made when it is asked for.
    """

    name: bytes
    history: Mapping[bytes, int]
    stamps: Callable[[], array[int]]
    parts: Mapping[str, int]
    volatile: frozenset[str] = frozenset()
    digests: Callable[[], Mapping[str, bytes]] = dict[str, bytes]

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


def first(digests: Mapping[str, bytes]) -> Edition:
    """A parse of the whole project. `digests`: of every resource with a card, some empty."""
    name = os.urandom(12)
    return Edition(name, {name: 0}, lambda: array("I", bytes(4 * len(digests))), {}, digests=lambda: digests)


SIZE = 16
"""The length of a digest in bytes."""


def packed(digests: Iterable[bytes]) -> bytes:
    """Digests as bytes; one that is empty has a place, too."""
    return b"".join([digest or bytes(SIZE) for digest in digests])


def unpacked(data: memoryview, unique_ids: Iterable[str]) -> dict[str, bytes]:
    """The digests by unique_id, without those that are empty."""
    parts = (bytes(data[start : start + SIZE]) for start in range(0, len(data), SIZE))
    empty = bytes(SIZE)
    return {unique_id: part for unique_id, part in zip(unique_ids, parts, strict=True) if part != empty}


def following(edition: Edition) -> dict[bytes, int]:
    """The history of the next one, whose name is the last."""
    remembered = sorted(edition.history.items(), key=lambda item: item[1])[-REMEMBERED:]
    return {**dict(remembered), os.urandom(12): edition.generation + 1}
