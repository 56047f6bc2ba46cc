"""The sections of a snapshot as values: what is written, and what is read back."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from understudy.core.input import Input
from understudy.core.warning import Warning_
from understudy.errors import Place
from understudy.project.files import Listed

_encode = msgspec.msgpack.Encoder().encode
UNSURE = 2_000_000_000
"""A file that changed so few ns before it was listed may have changed once more within the same tick of its clock."""
UNKNOWN = (0, 0, 0, 0)
"""The stamp of such a file, which is like no other."""


class About(msgspec.Struct, array_like=True, frozen=True):
    """Whose parse it is. A lineage is a parse of the whole project and all that were made of it, one generation each."""

    project_name: str
    adapter_type: str
    lineage: bytes
    generation: int = 0


class Text(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What was read of a listed file: the digest of its stripped text, and the line at which that begins."""

    checksum: str
    first_line: int


class Warned(msgspec.Struct, array_like=True, frozen=True):
    """A warning."""

    name: str
    message: str
    path: str | None = None
    line: int | None = None
    node: str | None = None

    @classmethod
    def of(cls, warning: Warning_) -> Warned:
        """A warning as it is kept."""
        place = warning.place or Place()
        return cls(warning.name, warning.message, place.path, place.line, place.node)

    def warning(self) -> Warning_:
        """The warning as it was given."""
        place = Place(self.path, self.line, self.node)
        return Warning_(self.name, self.message, None if place == Place() else place)


class UnitRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A unit, its file by number; an entry of a properties file with its place and digest."""

    file: int
    part: str
    name: str = ""
    n: int = 0
    place: int = -1
    digest: bytes = b""


class CellRow(msgspec.Struct, array_like=True):
    """A cell: its inputs and warnings by number."""

    units: list[UnitRow]
    inputs: list[int] = []
    warnings: list[Warned] = []


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """An input, and the digest that it had."""

    input: Input
    digest: bytes


class Rest(msgspec.Struct, array_like=True):
    """What is no card: the other resources by place, and the engine's notes."""

    macros: dict[str, int]
    docs: dict[str, int]
    groups: dict[str, int]
    disabled: dict[str, list[int]]
    lines: dict[str, int]
    macro_lines: dict[str, int]
    uses: dict[str, int]
    inputs: dict[str, tuple[str | None, ...]]


def listing(files: Iterable[Listed], now: int) -> bytes:
    """The listing as it is kept. `now`: when it was made, in ns; who changed just before that is asked again."""
    return _encode([f if f.stamp[1] < now - UNSURE else msgspec.structs.replace(f, stamp=UNKNOWN) for f in files])
