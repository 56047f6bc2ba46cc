"""Secrets: values that are never printed. Everything that leaves the program as text passes here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

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


def _pattern(values: Iterable[str]) -> re.Pattern[str] | None:
    """The longest first: a secret may begin with another."""
    found = "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True))
    return re.compile(found) if found else None
