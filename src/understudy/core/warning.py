"""A warning: something that a person should know, and that `--warn-error` makes an error."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.errors import Place


@dataclass(frozen=True, slots=True)
class Warning_:
    """`name` is dbt's name of the event (`NoNodeForYamlKey`), which `--warn-error-options` speaks of."""

    name: str
    message: str
    place: Place | None = None
