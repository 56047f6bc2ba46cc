"""The form of every file of the cache: named sections, each with its length and checksum, written whole.

Whatever is not exactly that (cut short, a flipped bit, another program's file) reads as if nothing were there.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from zlib import crc32

import msgspec

from understudy.artifacts import atomic

MAGIC = b"understd"
HEAD = struct.Struct("<8sIII")
"""Magic, the version of the form, length and checksum of the table of sections."""
FORM = 1

Pieces = bytes | memoryview | Sequence[bytes | memoryview]


class Section(msgspec.Struct, array_like=True, frozen=True):
    """One section of a file."""

    name: str
    length: int
    checksum: int


_decode = msgspec.msgpack.Decoder(list[Section]).decode


def write(path: str, sections: Mapping[str, Pieces]) -> None:
    """Write a file. It may be lost, so nobody waits for the disk. Raises ArtifactError."""
    table, body = [], list[bytes | memoryview]()
    for name, content in sections.items():
        pieces = (content,) if isinstance(content, bytes | memoryview) else content
        checksum = 0
        for piece in pieces:
            checksum = crc32(piece, checksum)
        table.append(Section(name, sum(map(len, pieces)), checksum))
        body += pieces
    head = msgspec.msgpack.encode(table)
    atomic.write(path, [HEAD.pack(MAGIC, FORM, len(head), crc32(head)), head, *body], durable=False)


def read(path: str) -> dict[str, memoryview] | None:
    """The sections of a file, or None: there is none, or it is not whole."""
    try:
        with open(path, "rb", buffering=0) as file:
            data = memoryview(file.read())
    except OSError:
        return None
    try:
        magic, form, length, checksum = HEAD.unpack_from(data)
        head = data[HEAD.size : HEAD.size + length]
        if (magic, form, checksum) != (MAGIC, FORM, crc32(head)):
            return None
        sections, start = {}, HEAD.size + length
        for section in _decode(head):
            part = data[start : start + section.length]
            if len(part) != section.length or crc32(part) != section.checksum:
                return None
            sections[section.name] = part
            start += section.length
    except (struct.error, msgspec.MsgspecError):
        return None
    return sections if start == len(data) else None
