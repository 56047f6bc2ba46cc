"""From which code a relation is built: what is recorded of it, and how that differs from today's.

A `Print` has its parts apart, so that the difference can be named. What a node reads counts with its own print, and so on up
the graph: a change far above shows in each print below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import msgspec

from understudy.core.manifest import Manifest
from understudy.state.fingerprint import (
    BODY,
    CONFIGS,
    CONTRACT,
    EXTERNAL,
    RELATION,
    SIGNATURE,
    digest,
    fingerprint,
    get,
    plain,
)
from understudy.state.macro_prints import SHORT, MacroPrints

COUNTS = (BODY, CONFIGS, CONTRACT, SIGNATURE)
"""The parts of a fingerprint that are code: a description or a folder makes no other relation."""
OF_SOURCES = (RELATION, EXTERNAL)
"""What counts of a source: which table it is."""


class Print(msgspec.Struct, frozen=True):
    """The code of a node, as it is today or was when its relation was built.

    `vars` and `env` are the values that its rendering looked up (of secrets their digest). `inputs`: each node and source
    that it reads -> the digest of that one's whole print.
    """

    code: str
    macros: str = ""
    vars: dict[str, Any] = {}
    env: dict[str, str] = {}
    inputs: dict[str, str] = {}

    @property
    def whole(self) -> str:
        """One digest of all."""
        return digest(self)[:SHORT]


class Parents(Protocol):
    """What is needed of graph.dag.Dag."""

    def parents(self, unique_id: str, /) -> Iterable[str]:
        """The direct parents of a node."""


class Prints:
    """The prints of today's nodes, made when they are asked for, and kept."""

    def __init__(self, manifest: Manifest, parents: Parents) -> None:
        self._manifest = manifest
        self._parents = parents
        self._kept: dict[str, Print] = {}
        self._wholes: dict[str, str] = {}
        self._macros = MacroPrints(manifest.macros, manifest.project_name, manifest.adapter_type)

    def of(self, unique_id: str) -> Print:
        """The print of a node or source. Raises KeyError for one that today's project lacks."""
        waiting = [unique_id]
        while waiting:
            current = waiting[-1]
            missing = [each for each in self._inputs(current) if each not in self._kept]
            waiting += missing
            if not missing:
                waiting.pop()
                if current not in self._kept:
                    self._kept[current] = made = self._make(current)
                    self._wholes[current] = made.whole
        return self._kept[unique_id]

    def _inputs(self, unique_id: str) -> list[str]:
        known = (self._manifest.nodes, self._manifest.sources, self._manifest.functions)
        return [each for each in self._parents.parents(unique_id) if any(each in part for part in known)]

    def _make(self, unique_id: str) -> Print:
        node: Any = self._manifest.get(unique_id) or self._manifest.functions[unique_id]
        parts, counts = fingerprint(node), OF_SOURCES if unique_id in self._manifest.sources else COUNTS
        uses = self._manifest.uses.get(unique_id)
        macros = get(get(node, "depends_on"), "macros") or ()
        return Print(
            code=digest({check: parts[check] for check in counts if check in parts})[:SHORT],
            macros=self._macros.of(macros),
            vars={} if uses is None else plain(uses.vars),
            env={} if uses is None else dict(uses.env_vars),
            inputs={each: self._wholes[each] for each in self._inputs(unique_id)},
        )


HASHED = "sha256:"
"""What stands before the digest of a value that is not written down."""


def without_values(found: Print) -> Print:
    """The print with digests in place of the environment's values, for files that leave the machine."""
    return msgspec.structs.replace(found, env={name: _hashed(value) for name, value in found.env.items()})


def _hashed(value: Any) -> Any:
    if not isinstance(value, str) or value.startswith(HASHED):
        return value
    return f"{HASHED}{digest(value)[:SHORT]}"


def difference(then: Print, now: Print) -> str | None:
    """Why a relation that was built then is not what would be built now, in words; None: it is."""
    if then.code != now.code:
        return "its code has changed since it was built"
    if then.macros != now.macros:
        return "a macro that it uses has changed since it was built"
    for what, old, new in (("var", then.vars, now.vars), ("env_var", then.env, now.env)):
        for name in sorted({*old, *new}):
            if _hashed(old.get(name)) != _hashed(new.get(name)) or (name in old) != (name in new):
                return f"{what}('{name}') has another value than when it was built"
    changed = changed_inputs(then, now)
    return of_inputs(changed) if changed else None


def changed_inputs(then: Print, now: Print) -> tuple[str, ...]:
    """The nodes and sources that are read and were built otherwise then, or not read."""
    both = sorted({*then.inputs, *now.inputs})
    return tuple(each for each in both if then.inputs.get(each) != now.inputs.get(each))


def of_inputs(changed: Sequence[str]) -> str:
    """In words, that what a node reads has changed."""
    names = ", ".join(each.split(".", 2)[-1] for each in changed)
    return f"{names}, which it reads, {'has' if len(changed) == 1 else 'have'} changed since it was built"
