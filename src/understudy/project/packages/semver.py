"""Semantic versions and the conditions on them that packages state (dbt 1.11: dbt_common.semver)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from understudy.errors import ProjectError

_NUMBER = r"(?:0|[1-9]\d*)"
_PART = r"(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_SPEC = re.compile(
    rf"(?P<op>>=|<=|>|<|=)?(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER})"
    rf"(?:-?(?P<pre>{_PART}(?:\.{_PART})*))?(?:\+[0-9A-Za-z.-]*)?",
    re.ASCII,
)

PrePart = tuple[int, int, str]


class Spec(msgspec.Struct, frozen=True):
    """A version, and how a version must stand to it: `=`, `>=`, `>`, `<=`, `<`. A bare version is `=`."""

    text: str
    op: str
    number: tuple[int, int, int]
    pre: tuple[PrePart, ...] | None

    @property
    def order(self) -> tuple[tuple[int, int, int], bool, tuple[PrePart, ...]]:
        """The version's place in the order of versions; a pre-release comes before its release."""
        return self.number, self.pre is None, self.pre or ()

    def admits(self, version: Spec) -> bool:
        """Whether a version meets the condition. `<2.0.0` excludes the pre-releases of 2.0.0, as in dbt."""
        ours, theirs = self.order, version.order
        if self.op == "<" and self.pre is None and version.number == self.number:
            return False
        return {
            "=": theirs == ours,
            ">=": theirs >= ours,
            ">": theirs > ours,
            "<=": theirs <= ours,
            "<": theirs < ours,
        }[self.op]


def parse(text: str) -> Spec:
    """Raises ProjectError where the text is no semantic version with an optional comparison."""
    match = _SPEC.fullmatch(text)
    if match is None:
        hint = 'Write three numbers ("1.2.0"), or a list of conditions ([">=1.2.0", "<2.0.0"])'
        raise ProjectError(f"'{text}' is no semantic version", hint=hint)
    pre = match["pre"]
    parts = None if pre is None else tuple(_part(part) for part in pre.split("."))
    return Spec(text, match["op"] or "=", (int(match["major"]), int(match["minor"]), int(match["patch"])), parts)


def in_order(texts: Iterable[str]) -> list[Spec]:
    """The versions among some texts, oldest first. What is no version is left out: a hub may hold anything."""
    return sorted((parse(text) for text in texts if _SPEC.fullmatch(text)), key=lambda version: version.order)


def newest(versions: Sequence[Spec], conditions: Iterable[Spec]) -> Spec | None:
    """The last of the versions, given in order, that meets all conditions."""
    wanted = list(conditions)
    return next((each for each in reversed(versions) if all(spec.admits(each) for spec in wanted)), None)


def _part(text: str) -> PrePart:
    """Numbers come before words (semver 2, rule 11)."""
    return (0, int(text), "") if text.isdigit() else (1, 0, text)
