"""A snapshot's sections, each decoded when it is asked for."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from functools import cached_property
from typing import TypeVar

import msgspec

from understudy.cache.rows import About, Answer, CellRow, Rest, SaidRow, Text, Warned
from understudy.core.warning import Warning_
from understudy.project.files import FileKey, Listed

T = TypeVar("T")
_decode = msgspec.msgpack.decode


class Sections:
    """What a snapshot holds, as values. Everything of it raises msgspec.MsgspecError where a section is not what it should
    be, and KeyError where it is missing.
    """

    def __init__(self, sections: Mapping[str, memoryview]) -> None:
        self.sections = sections

    def section(self, name: str, type: type[T]) -> T:
        """A section as a value. Raises KeyError, or msgspec.MsgspecError."""
        return _decode(self.sections[name], type=type)

    @cached_property
    def about(self) -> About:
        """Whose parse it is."""
        return self.section("about", About)

    @cached_property
    def answers(self) -> list[Answer]:
        """The inputs of the parse."""
        return self.section("answers", list[Answer])

    @cached_property
    def files(self) -> list[FileKey]:
        """The files, by number."""
        return self.section("files", list[FileKey])

    @cached_property
    def cells(self) -> list[msgspec.Raw]:
        """The cells, by number."""
        return self.section("cells", list[msgspec.Raw])

    @cached_property
    def users(self) -> list[list[int]]:
        """The cells that depend on each input."""
        return self.section("users", list[list[int]])

    @cached_property
    def common(self) -> CellRow:
        """What belongs to no cell."""
        return self.section("common", CellRow)

    @cached_property
    def texts(self) -> dict[FileKey, Text]:
        """What was read of each file."""
        files = self.section("listing", list[Listed])
        return {file.key: text for file, text in zip(files, self.section("texts", list[Text]), strict=True)}

    def numbers(self, name: str) -> array[int]:
        """A section of numbers."""
        found = array("I")
        found.frombytes(self.sections[name])
        return found

    @cached_property
    def rest(self) -> Rest:
        """What is no card."""
        return self.section("rest", Rest)

    @cached_property
    def warnings(self) -> list[Warning_]:
        """What the parse gave cause to warn of, in its order."""
        return [warned.warning() for warned in self.section("warnings", list[Warned])]

    @cached_property
    def said(self) -> list[SaidRow]:
        """What templates said while they were parsed."""
        return self.section("said", list[SaidRow])
