"""`modules`: the parts of four Python modules that templates may use, and nothing more."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Callable
from typing import Any

EXPORTS: dict[str, tuple[str, ...]] = {
    "datetime": ("date", "datetime", "time", "timedelta", "tzinfo"),
    "re": (
        "compile", "escape", "findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn", "error",
        "A", "I", "L", "M", "S", "U", "X", "ASCII", "IGNORECASE", "LOCALE", "MULTILINE", "DOTALL", "UNICODE", "VERBOSE",
    ),
    "itertools": (
        "count", "cycle", "repeat", "accumulate", "chain", "compress", "islice", "starmap", "tee", "zip_longest",
        "product", "permutations", "combinations", "combinations_with_replacement",
    ),
    "pytz": (
        "timezone", "utc", "UTC", "FixedOffset", "all_timezones", "common_timezones", "country_timezones", "country_names",
        "UnknownTimeZoneError", "AmbiguousTimeError", "NonExistentTimeError", "InvalidTimeError",
    ),
}  # fmt: skip


class Modules:
    """The modules by name, each as a dict of what it exports; pytz is imported when it is asked for."""

    __slots__ = ("_clock", "_old")

    def __init__(
        self, clock: Callable[[], None] = lambda: None, old: Callable[[str], None] = lambda name: None
    ) -> None:
        self._clock = clock
        """Hears when somebody might look at the time."""
        self._old = old
        """Hears of the call of a function that dbt means to end."""

    def __getitem__(self, name: str) -> dict[str, Any]:
        if name == "datetime":
            self._clock()
        if name == "pytz":
            import pytz

            return _exports(name, pytz)
        if name == "itertools":
            return {export: self._told(export, function) for export, function in _exports(name, itertools).items()}
        modules = {"datetime": datetime, "re": re}
        return _exports(name, modules[name])

    def _told(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._old(name)
            return function(*args, **kwargs)

        return call


def _exports(name: str, module: Any) -> dict[str, Any]:
    return {export: getattr(module, export) for export in EXPORTS[name]}
