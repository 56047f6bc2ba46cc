"""`manifest.json` again: what did not change is copied from the file that is there, and a file in which nothing would change
is left alone.

Beside the cache stands, for each such file, how long every entry is. It holds as long as the file is the one that was written
then, by size, time and inode.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import msgspec

from understudy.artifacts import atomic
from understudy.artifacts.manifest import END, Part, entry, head, opening
from understudy.artifacts.metadata import CLOCKS, ManifestMetadata
from understudy.cache.edition import Edition
from understudy.cache.slots import FOLDER, load, save
from understudy.errors import ArtifactError

CHUNK = 1 << 20
FRESH = 3600
"""So many seconds a file is left alone in which nothing would change but its times: others tell by them how old it is."""
STAMPED = {
    "parent_map": "links",
    "child_map": "links",
    **{name: name for name in ("macros", "docs", "groups", "disabled", "group_map")},
}
"""Parts of the document of which all or nothing changes, with what tells it (edition.WHOLE)."""
ALWAYS = "selectors"
"""The part that is written each time; it is short."""

_encode = msgspec.msgpack.Encoder().encode


class Known(msgspec.Struct, array_like=True):
    """One part of the file that is there: its keys, and how long each entry is."""

    name: str
    keys: list[str]
    lengths: bytes


class Index(msgspec.Struct, array_like=True):
    """The file that is there: which one, when it was written (s), and of what it is made.

    `edition` names the parse. `head` is the length of what stands before the parts, `same` a digest of what of it is no
    time. `extras`: what runs added to nodes, by digest.
    """

    stamp: tuple[int, int, int]
    edition: bytes
    written: float
    head: int
    same: bytes
    extras: dict[str, bytes]
    parts: list[Known]


class Copy(NamedTuple):
    """Bytes of the file that is there."""

    start: int
    end: int


class Document(NamedTuple):
    """What is to be written. `extras`: a digest for each node that this run compiled or built."""

    metadata: ManifestMetadata
    parts: Sequence[Part]
    extras: Mapping[str, bytes]
    unique_ids: Iterable[str]
    """Of all resources with a card."""


def write(
    path: str, root: str, document: Document, edition: Edition, *, now: float, durable: bool, refresh: bool
) -> None:
    """Write the document. Raises ArtifactError.

    Args:
        root: the project's folder, which holds the cache.
        now: seconds since 1970.
        durable: wait until it is on the disk.
        refresh: write it for its times alone.
    """
    home = os.path.join(
        root, FOLDER, f"manifest-{hashlib.blake2b(os.path.realpath(path).encode(), digest_size=12).hexdigest()}"
    )
    index = _known(home, path, edition)
    same = _same(document)
    writing = _Writing(document, index, edition)
    if (
        not refresh
        and index is not None
        and now - index.written < FRESH
        and same == index.same
        and writing.nothing_changed()
    ):
        return
    first = head(document.metadata)
    try:
        status = atomic.write(path, writing.pieces(first, path), durable=durable)
    except ArtifactError:
        if index is None:
            raise
        writing = _Writing(document, None, edition)  # the file that is there may be gone by now
        status = atomic.write(path, writing.pieces(first, path), durable=durable)
    fresh = Index(
        (status.st_size, status.st_mtime_ns, status.st_ino), edition.name, now, len(first), same,
        dict(document.extras), writing.known,
    )  # fmt: skip
    save(home, {"index": _encode(fresh)})


def _same(document: Document) -> bytes:
    """A digest of what of the head is no time and no run, and of the part that is written each time."""
    head_ = {key: value for key, value in msgspec.to_builtins(document.metadata).items() if key not in CLOCKS}
    always = [entry(part, key) for part in document.parts if part.name == ALWAYS for key in part.keys]
    return hashlib.blake2b(_encode([head_, always]), digest_size=16).digest()


def _known(home: str, path: str, edition: Edition) -> Index | None:
    """What is known of the file that is there; None: nothing, or it is of another parse."""
    sections = load(home)
    if sections is None:
        return None
    try:
        index = msgspec.msgpack.decode(sections["index"], type=Index)
        status = os.stat(path)
    except (KeyError, OSError, msgspec.MsgspecError):
        return None
    it_is = index.stamp == (status.st_size, status.st_mtime_ns, status.st_ino)
    return index if it_is and index.edition in edition.history else None


class _Writing:
    """One document, as far as possible out of the file that is there. `known` is filled while pieces are taken."""

    def __init__(self, document: Document, index: Index | None, edition: Edition) -> None:
        self._document = document
        self._index = index
        self.known: list[Known] = []
        self._changed: set[str] = set()
        self._whole: set[str] = set()
        if index is not None:
            self._changed = edition.changed(index.edition, document.unique_ids)
            self._whole = edition.changed_parts(index.edition)
            extras = index.extras.keys() | document.extras.keys()
            self._changed |= {i for i in extras if index.extras.get(i) != document.extras.get(i)}

    def nothing_changed(self) -> bool:
        """Whether the document would be the one that is there, but for its head."""
        return self._index is not None and not (self._changed or self._whole)

    def pieces(self, first: bytes, path: str) -> Iterator[bytes]:
        """The document as bytes. Raises OSError where the file that is there cannot be read."""
        if self._index is None:
            for piece in self._all(first):
                assert isinstance(piece, bytes)
                yield piece
            return
        with open(path, "rb", buffering=0) as file:
            for piece in self._all(first):
                if isinstance(piece, bytes):
                    yield piece
                else:
                    yield from _read(file.fileno(), piece)

    def _all(self, first: bytes) -> Iterator[bytes | Copy]:
        yield first
        start = 0 if self._index is None else self._index.head
        for n, part in enumerate(self._document.parts):
            text = opening(part.name)
            start += len(text)
            old = None if self._index is None else self._index.parts[n]
            lengths = array("I", b"" if old is None else old.lengths)
            yield text
            yield from self._part(part, old, lengths, start)
            yield b"}"
            start += sum(lengths) + max(len(lengths) - 1, 0) + 1
        yield END

    def _part(self, part: Part, old: Known | None, lengths: array[int], start: int) -> Iterator[bytes | Copy]:
        """The entries of a part. `start`: where the old ones begin."""
        stamp = STAMPED.get(part.name)
        keys = list(part.keys)
        if old is None or part.name == ALWAYS or stamp in self._whole:
            yield from self._anew(part, keys)
        elif stamp is not None or (keys == old.keys and self._changed.isdisjoint(keys)):
            self.known.append(old)
            if lengths:
                yield Copy(start, start + sum(lengths) + len(lengths) - 1)
        else:
            yield from self._mixed(part, keys, old, lengths, start)

    def _anew(self, part: Part, keys: list[str]) -> Iterator[bytes]:
        lengths, separator = array("I"), b""
        for key in keys:
            text = entry(part, key)
            lengths.append(len(text))
            yield separator + text
            separator = b","
        self.known.append(Known(part.name, keys, lengths.tobytes()))

    def _mixed(
        self, part: Part, keys: list[str], old: Known, lengths: array[int], start: int
    ) -> Iterator[bytes | Copy]:
        """Runs of entries that stand, and those between them that are new."""
        ends = list(
            accumulate(lengths, lambda end, length: end + length + 1, initial=start)
        )  # each with a comma after it
        fresh, separator, at = array("I"), b"", 0
        run: tuple[int, int] | None = None  # the numbers of the old entries that are copied next
        for key in keys:
            if at >= len(old.keys) or old.keys[at] != key:
                at = bisect_left(old.keys, key, at)
            stands = at < len(old.keys) and old.keys[at] == key and key not in self._changed
            if run is not None and not (stands and run[1] == at):
                yield separator
                yield Copy(ends[run[0]], ends[run[1]] - 1)
                separator, run = b",", None
            if stands:
                run = (at if run is None else run[0]), at + 1
                fresh.append(lengths[at])
                at += 1
            else:
                text = entry(part, key)
                fresh.append(len(text))
                yield separator + text
                separator = b","
        if run is not None:
            yield separator
            yield Copy(ends[run[0]], ends[run[1]] - 1)
        self.known.append(Known(part.name, keys, fresh.tobytes()))


def _read(file: int, copy: Copy) -> Iterator[bytes]:
    position = copy.start
    while position < copy.end:
        data = os.pread(file, min(CHUNK, copy.end - position), position)
        if not data:
            raise OSError("the file became shorter while it was read")
        position += len(data)
        yield data
