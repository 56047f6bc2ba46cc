"""Secrets: values that are never printed. Everything that leaves the program as text passes here."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

PREFIX = "DBT_ENV_SECRET"
MASK = "*****"
SHORTEST = 3
"""Shorter values of a profile are no secrets, but would black out half of the text."""


class Scrubber:
    """Replaces the values of `DBT_ENV_SECRET_*` variables, and those that it is told of, by asterisks."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._values = {value for name, value in environ.items() if name.startswith(PREFIX) and value.strip()}
        self._pattern = _pattern(self._values)

    def add(self, values: Iterable[str]) -> None:
        """More values to hide from now on."""
        self._values |= {value for value in values if len(value.strip()) >= SHORTEST}
        self._pattern = _pattern(self._values)

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def clean(self, value: Any) -> Any:
        """A value without secrets: texts in records, errors and collections are replaced; other objects stay."""
        if self._pattern is None:
            return value
        match value:
            case str():
                return self(value)
            case tuple() | list():
                return getattr(value, "_make", type(value))(map(self.clean, value))
            case dict():
                return {key: self.clean(each) for key, each in value.items()}
            case BaseException():
                return self._error(value)
            case Struct():
                return replace(value, **{name: self.clean(getattr(value, name)) for name in value.__struct_fields__})
        return value

    def _error(self, error: BaseException) -> BaseException:
        """The error itself where it holds no secret, else a copy without."""
        shown = [str(error), *(str(getattr(error, name, "")) for name in ("message", "hint"))]
        if all(self(text) == text for text in shown):
            return error
        copied = copy.copy(error)
        copied.args = tuple(self.clean(list(error.args)))
        for name, value in vars(error).items():
            setattr(copied, name, self.clean(value))
        return copied


def _pattern(values: Iterable[str]) -> re.Pattern[str] | None:
    """The longest first: a secret may begin with another."""
    found = "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True))
    return re.compile(found) if found else None
