"""A state's `manifest.json`, read once: where each entry stands in it, and a digest of what of it is compared.

What is known holds as long as the file is the same, by size, time and inode, or else by its digest. Entries are then read
from their places, a few of ten thousand.
"""

from __future__ import annotations

import hashlib
import os
import time
from array import array
from collections.abc import Iterator, Mapping
from typing import Any
from weakref import finalize

import msgspec

from understudy.artifacts.state_files import StateFile, read_bytes, standing
from understudy.cache.slots import FOLDER, load, save
from understudy.errors import StateError
from understudy.state.fingerprint import raw_digest
from understudy.state.macros import own_packages
from understudy.state.prior import BUILT, Document, Metadata, Prior, PriorDigested, damaged, decode_prior

SECOND = 1_000_000_000
UNSURE = 2 * SECOND
"""A file that changed so few ns before it was read may have changed once more within the same tick of its clock."""
PARTS = (
    "nodes", "sources", "macros", "exposures", "metrics", "semantic_models", "saved_queries", "unit_tests", "functions",
)  # fmt: skip

_encode = msgspec.msgpack.Encoder().encode


class About(msgspec.Struct, array_like=True, frozen=True):
    """Which file it is. `read_at` is in ns; `text` its digest; the rest belongs to the Prior."""

    path: str
    stamp: tuple[int, int, int]
    read_at: int
    text: bytes
    metadata: Metadata
    source_text: bool
    relations: int = 0


class Where(msgspec.Struct, array_like=True, frozen=True):
    """The entries of one part: their keys, and where each begins and ends in the file."""

    keys: list[str]
    starts: bytes
    ends: bytes


class File:
    """An open file, closed when nobody holds it any more."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.number = os.open(path, os.O_RDONLY)
        finalize(self, os.close, self.number)


class Ranges(Mapping[str, bytes]):
    """Entries that are read from their place in a file when they are asked for."""

    def __init__(self, file: File, where: Where, flag: str) -> None:
        self._file = file
        self._flag = flag
        starts, ends = array("Q"), array("Q")
        starts.frombytes(where.starts)
        ends.frombytes(where.ends)
        self._places = dict(zip(where.keys, zip(starts, ends, strict=True), strict=True))

    def __getitem__(self, key: str) -> bytes:
        start, end = self._places[key]
        data = os.pread(self._file.number, end - start, start)
        if len(data) < end - start:
            what = f"{key!r}: the file became shorter while it was read"
            raise damaged(self._file.path, what, self._flag)
        return data

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def read_state(state: StateFile, root: str) -> Prior:
    """The state as `read_prior` reads it, its manifest by what is known of that. `root`: the project's folder, which holds
    the cache.

    Raises StateError: something is missing, cannot be read, is damaged, or of an unreadable version.
    """
    path, built = standing(state)
    prior = _manifest(state, path, root)
    return prior if built is None else prior.as_built(built)


def _manifest(state: StateFile, origin: str, root: str) -> Prior:
    path = os.path.realpath(origin)
    home = os.path.join(root, FOLDER, f"state-{hashlib.blake2b(path.encode(), digest_size=12).hexdigest()}")
    read_at = time.time_ns()
    sections = load(home)
    try:
        about = None if sections is None else msgspec.msgpack.decode(sections["about"], type=About)
        file = File(path)
    except (KeyError, OSError, msgspec.MsgspecError):
        return decode_prior(read_bytes(state, origin), origin=origin, flag=state.flag)
    status = os.fstat(file.number)
    stamp = status.st_size, status.st_mtime_ns, status.st_ino
    sure = about is not None and about.stamp == stamp and stamp[1] < about.read_at - UNSURE
    if about is not None and sections is not None and sure:
        return _known(state, origin, about, sections, file)
    data = read_bytes(state, origin)
    text = hashlib.sha256(data).digest()
    if about is not None and sections is not None and about.text == text and len(data) == stamp[0]:
        about = msgspec.structs.replace(about, stamp=stamp, read_at=read_at)
        save(home, {**sections, "about": _encode(about)})
        return _known(state, origin, about, sections, file)
    prior = decode_prior(data, origin=origin, flag=state.flag)
    found = _sections(prior, data, About(path, stamp, read_at, text, prior.metadata, prior.source_text))
    if found is not None:
        save(home, found)
    return prior


def _known(state: StateFile, origin: str, about: About, sections: Mapping[str, memoryview], file: File) -> Prior:
    """The manifest out of what is known of it."""
    parts = msgspec.msgpack.decode(sections["parts"], type=dict[str, Where])
    ranges: dict[str, Any] = {name: Ranges(file, where, state.flag) for name, where in parts.items()}
    document = Document(about.metadata, **ranges)
    prior = Prior(document, origin=origin, flag=state.flag, source_text=about.source_text)
    prior.counted = about.relations
    prior.digests = _digests(sections)
    return prior


def _digests(sections: Mapping[str, memoryview]) -> dict[str, bytes]:
    return msgspec.msgpack.decode(sections["digests"], type=dict[str, bytes])


def _sections(prior: Prior, data: bytes, about: About) -> dict[str, bytes] | None:
    """What is kept of a state that was decoded; None where it is written in a way that it cannot be found again."""
    try:
        parts = {name: Where(*found) for name, found in _places(data)}
        prior.digests, prior.counted = digested(prior)
    except (ValueError, StateError):  # a damaged entry is told when it is asked for
        return None
    about = msgspec.structs.replace(about, relations=prior.counted)
    return {"about": _encode(about), "parts": _encode(parts), "digests": _encode(prior.digests)}


def digested(prior: Prior) -> tuple[dict[str, bytes], int]:
    """The digest of each node and source, and how many nodes have a relation. Raises StateError for a damaged entry.

    What names a macro that the state lacks has no digest: that is told when it is compared.
    """
    packages = own_packages(prior.metadata.adapter_type or "")
    known, digests, relations = prior.macros, dict[str, bytes](), 0
    for part in (prior.nodes, prior.functions):
        for unique_id, side in part.passing(PriorDigested):
            strange = [macro for macro in side.depends_on.macros if macro not in known]
            if all(macro.count(".") >= 2 and macro.split(".", 2)[1] in packages for macro in strange):
                digests[unique_id] = raw_digest(side)
            if part is prior.nodes and unique_id.startswith(BUILT):
                relations += bool(side.schema) and side.materialized != "ephemeral"
    digests.update((unique_id, raw_digest(source)) for unique_id, source in prior.sources.items())
    return {unique_id: digest for unique_id, digest in digests.items() if digest}, relations


def _places(data: bytes) -> Iterator[tuple[str, tuple[list[str], bytes, bytes]]]:
    """The entries of each part of a manifest with their places. Raises ValueError where they are not found."""
    position = data.index(b"{") + 1
    for name, part in msgspec.json.decode(data, type=dict[str, msgspec.Raw]).items():
        position = _value_of(data, name, position)
        end = position + memoryview(part).nbytes
        if name in PARTS:
            yield name, _entries(data, part, position)
        position = end


def _entries(data: bytes, part: msgspec.Raw, position: int) -> tuple[list[str], bytes, bytes]:
    keys, starts, ends = list[str](), array("Q"), array("Q")
    for key, value in msgspec.json.decode(part, type=dict[str, msgspec.Raw]).items():
        position = _value_of(data, key, position)
        keys.append(key)
        starts.append(position)
        position += memoryview(value).nbytes
        ends.append(position)
    return keys, starts.tobytes(), ends.tobytes()


def _value_of(data: bytes, key: str, position: int) -> int:
    """Where the value of a key begins; the key is the next one. Raises ValueError where it is written in another way."""
    text = b'"' + key.encode() + b'"'
    before, position = position, data.index(text, position)
    if data[before:position].strip(b",{ \n\r\t"):
        raise ValueError(key)
    position += len(text)
    while data[position] in b": \n\r\t":
        position += 1
    return position
