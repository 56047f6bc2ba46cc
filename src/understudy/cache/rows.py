"""The sections of a snapshot as values: what is written, and what is read back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from understudy.core.input import Input
from understudy.core.warning import Warning_
from understudy.errors import Place
from understudy.project.files import Listed

if TYPE_CHECKING:
    from understudy.parse.cells import Said

_encode = msgspec.msgpack.Encoder().encode
UNSURE = 2_000_000_000
"""A file that changed so few ns before it was listed may have changed once more within the same tick of its clock."""
UNKNOWN = (0, 0, 0, 0)
"""The stamp of such a file, which is like no other."""


def _place(*parts: Any) -> Place | None:
    place = Place(*parts)
    return None if place == Place() else place


class About(msgspec.Struct, array_like=True, frozen=True):
    """Whose parse it is, and which: see cache.edition.Edition."""

    project_name: str
    adapter_type: str
    name: bytes
    history: dict[bytes, int]
    parts: dict[str, int] = {}


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
        return Warning_(self.name, self.message, _place(self.path, self.line, self.node))


class SaidRow(msgspec.Struct, array_like=True, frozen=True):
    """What a template said."""

    kind: str
    message: str
    path: str | None = None
    line: int | None = None
    node: str | None = None

    @classmethod
    def of(cls, said: Said) -> SaidRow:
        """What was said as it is kept."""
        place = said.place or Place()
        return cls(said.kind, said.message, place.path, place.line, place.node)

    @property
    def place(self) -> Place | None:
        """Where it was said."""
        return _place(self.path, self.line, self.node)


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
    said: list[SaidRow] = []


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
