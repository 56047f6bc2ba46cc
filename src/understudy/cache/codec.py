"""Resources as bytes, each decoded by itself.

A resource is its type's number and the list of its fields, without their names. Configs, which most nodes have in common,
stand once in a table of their own; so do the usual keys of columns, which are not written at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple, cast

import msgspec

from understudy.core import nodes

TYPES: tuple[type[msgspec.Struct], ...] = (
    nodes.Model, nodes.Seed, nodes.Snapshot, nodes.Function, nodes.Analysis, nodes.SingularTest, nodes.GenericTest,
    nodes.Operation, nodes.Source, nodes.Exposure, nodes.UnitTest, nodes.Metric, nodes.SemanticModel, nodes.SavedQuery,
    nodes.Group, nodes.Macro, nodes.Doc,
)  # fmt: skip
NUMBERS = {kind: number for number, kind in enumerate(TYPES)}
IN_COMMON = ("config", "unrendered_config")
COLUMN = (
    "name", "description", "meta", "data_type", "constraints", "quote", "config", "tags", "granularity", "doc_blocks",
)  # fmt: skip
"""The keys of a column without any of the project's own."""
LENGTH = 24
"""Bits of a place that hold a length; what is longer is not kept."""

_encode = msgspec.msgpack.Encoder().encode


DATE, MOMENT = 1, 2
"""Types of extensions: a date, a date with a time."""


def with_dates(value: Any) -> Any:
    """A copy of plain data in which dates are written as such; msgpack's own way to write them is their text."""
    if isinstance(value, dict):
        return {key: with_dates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_dates(item) for item in value]
    if isinstance(value, date):
        kind = MOMENT if isinstance(value, datetime) else DATE
        return msgspec.msgpack.Ext(kind, value.isoformat().encode())
    return value


def _extension(kind: int, data: memoryview) -> date:
    text = bytes(data).decode()
    return datetime.fromisoformat(text) if kind == MOMENT else date.fromisoformat(text)


_value = msgspec.msgpack.Decoder(ext_hook=_extension).decode


class TooLarge(Exception):
    """A value that cannot be kept. Never leaves the cache."""


class Form(NamedTuple):
    """How one type is written: the names of its fields, and where those stand that are not written as they are."""

    names: tuple[str, ...]
    shared: tuple[int, ...]
    columns: int | None
    decoder: msgspec.msgpack.Decoder[tuple[Any, ...]]


@cache
def form(kind: Any) -> Form:
    """The form of a type."""
    fields = msgspec.structs.fields(kind)
    names = tuple(field.name for field in fields)
    written = tuple(int if f.name in IN_COMMON else Any if f.name == "columns" else f.type for f in fields)
    decoder: Any = msgspec.msgpack.Decoder(tuple.__class_getitem__(written))
    shared = tuple(n for n, name in enumerate(names) if name in IN_COMMON)
    return Form(names, shared, names.index("columns") if "columns" in names else None, decoder)


class Writer:
    """Takes resources and values in, and says where each lies. `start`: what stands before them."""

    def __init__(self, start: int = 0, shared: Sequence[bytes | memoryview] = ()) -> None:
        self.blobs: list[bytes] = []
        self.shared: list[bytes | memoryview] = list(shared)
        self._end = start
        self._numbers = {bytes(value): n for n, value in enumerate(shared)}
        self._known: dict[int, int] = {}
        self._held: list[Any] = []

    def resource(self, resource: Any) -> int:
        """The place of a resource. Raises TooLarge, or TypeError for a value that is no plain data."""
        kind: Any = type(resource)
        _, shared, columns, _ = form(kind)
        values = list(msgspec.structs.astuple(resource))
        for n in shared:
            values[n] = self._number(values[n])
        if columns is not None:
            values[columns] = {
                name: list(column.values()) if tuple(column) == COLUMN else column
                for name, column in values[columns].items()
            }
        return self._put(bytes((NUMBERS[kind],)) + _encode(values))

    def value(self, value: Any) -> int:
        """The place of plain data."""
        return self._put(_encode(value))

    def _put(self, blob: bytes) -> int:
        if len(blob) >= 1 << LENGTH:
            raise TooLarge
        place = self._end << LENGTH | len(blob)
        self.blobs.append(blob)
        self._end += len(blob)
        return place

    def _number(self, value: Any) -> int:
        """Where a value stands among those in common."""
        number = self._known.get(id(value))
        if number is None:
            encoded = _encode(value)
            number = self._numbers.setdefault(encoded, len(self.shared))
            if number == len(self.shared):
                self.shared.append(encoded)
            self._known[id(value)] = number
            self._held.append(value)  # its id must not become another's
        return number


class Reader:
    """Takes resources and values down again. Raises msgspec.MsgspecError for what is none."""

    def __init__(self, blobs: memoryview, shared: Sequence[bytes | memoryview]) -> None:
        self._blobs = blobs
        self._shared = shared
        self._decoded: dict[int, Any] = {}

    def blob(self, place: int) -> memoryview:
        """The bytes at a place."""
        start = place >> LENGTH
        return self._blobs[start : start + (place & ((1 << LENGTH) - 1))]

    def value(self, place: int) -> Any:
        """Plain data."""
        return _value(self.blob(place))

    def resource(self, place: int) -> Any:
        """A resource."""
        blob = self.blob(place)
        kind = TYPES[blob[0]]
        names, shared, columns, decoder = form(kind)
        values = list(decoder.decode(blob[1:]))
        for n in shared:
            values[n] = self._common(values[n])
        if columns is not None:
            values[columns] = {
                name: dict(zip(COLUMN, column, strict=True)) if type(column) is list else column
                for name, column in values[columns].items()
            }
        return cast(Any, kind)(**dict(zip(names, values, strict=True)))

    def config(self, place: int) -> Any:
        """The config of a resource, without the rest of it."""
        blob = self.blob(place)
        position = form(TYPES[blob[0]]).names.index("config")
        return self._common(_value(blob[1:])[position])

    def _common(self, number: int) -> Any:
        value = self._decoded.get(number)
        if value is None:
            value = self._decoded[number] = _value(self._shared[number])
        return value
