"""Why a node counts as changed, as data."""

from __future__ import annotations

from typing import Any

import msgspec


class Change(msgspec.Struct, frozen=True):
    """One difference: which check found it, where, and the value then and now (None: was, or is, not there).

    `breaking` is for contracts: something that was promised is taken away.
    """

    check: str
    key: str
    old: Any = None
    new: Any = None
    breaking: bool = False

    def __str__(self) -> str:
        name = f"{self.check}: {self.key}" if self.key and self.key != self.check else self.check
        return name if self.old is None and self.new is None else f"{name}: {_short(self.old)} -> {_short(self.new)}"


def _short(value: Any, limit: int = 60) -> str:
    text = "nothing" if value is None else str(value).replace("\n", " ")
    return text if len(text) <= limit else text[: limit - 1] + "…"
