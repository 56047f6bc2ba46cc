"""A warning: something that a person should know, and that `--warn-error` makes an error."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from understudy.errors import Place


class Warning_(msgspec.Struct, frozen=True):
    """`name` is dbt's name of the event (`NoNodeForYamlKey`), which `--warn-error-options` speaks of."""

    name: str
    message: str
    place: Place | None = None


def in_order(warnings: Iterable[Warning_]) -> list[Warning_]:
    """Warnings by file and line, so that they come in one order however the project was read."""

    def key(warning: Warning_) -> tuple[str, int, str, str]:
        place = warning.place or Place()
        return place.path or "", place.line or 0, warning.name, warning.message

    return sorted(warnings, key=key)
