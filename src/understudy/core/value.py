"""Values: structs of msgspec, which Python makes ten times faster than dataclasses when a module is imported, and the dataclasses
that need what a struct does not have (inheritance, `cached_property`, fields that are not compared).
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def replace(value: T, **changes: Any) -> T:
    """The same value with some fields changed."""
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **changes)
    return dataclasses.replace(value, **changes)  # type: ignore[type-var]


def fields(value: object) -> tuple[str, ...]:
    """The names of a value's fields; none where it is something else."""
    if isinstance(value, msgspec.Struct):
        return value.__struct_fields__
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return tuple(field.name for field in dataclasses.fields(value))
    return ()
