"""A walk over plain data: maps, lists, texts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

KeyPath = tuple[str | int, ...]


def walk(value: Any, text: Callable[[str], Any], late: Callable[[KeyPath], bool] = lambda path: False) -> Any:
    """A copy of a value in which every text went through `text` and every date is ISO text.

    Leaves where `late` answers true for their key path stay as they are.
    """

    def visit(value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            return {key: visit(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [visit(item, (*path, n)) for n, item in enumerate(value)]
        if late(path):
            return value
        if isinstance(value, str):
            return text(value)
        return value.isoformat() if isinstance(value, date) else value

    return visit(value, ())


def plain(value: Any) -> Any:
    """A value as it is read back from an artifact: dates are ISO text, and what is walked is a list."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value), key=str)
    return value.isoformat() if isinstance(value, date) else value


def has_jinja(text: str) -> bool:
    """Whether Jinja would find anything to do in a text, but cut off its last line break."""
    return "{{" in text or "{%" in text or "{#" in text


def deep_merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Maps merged at every depth; lists add up, those of `over` first; anything else of `over` replaces (dbt 1.11)."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = deep_merge(old, value)
        elif isinstance(old, list | tuple) and isinstance(value, list | tuple):
            result[key] = [*value, *old]
        else:
            result[key] = value
    return result
