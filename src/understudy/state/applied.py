"""From which code a relation is built: what is recorded of it, and how that differs from today's.

A `Print` has its parts apart, so that the difference can be named. What a node reads counts with its own print, and so on up
the graph: a change far above shows in each print below it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from understudy.core.manifest import Manifest
from understudy.core.nodes import Macro
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
from understudy.state.macros import OWN, implementations

COUNTS = (BODY, CONFIGS, CONTRACT, SIGNATURE)
"""The parts of a fingerprint that are code: a description or a folder makes no other relation."""
OF_SOURCES = (RELATION, EXTERNAL)
"""What counts of a source: which table it is."""
SHORT = 16
"""As many digits of a digest are kept."""


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
        self._macros: dict[str, str] = {}

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
            macros=self._macros_of(macros),
            vars={} if uses is None else plain(uses.vars),
            env={} if uses is None else dict(uses.env_vars),
            inputs={each: self._wholes[each] for each in self._inputs(unique_id)},
        )

    def _macros_of(self, used: Iterable[str]) -> str:
        """A digest over the text of the project's and the packages' macros that are used, however indirectly; the engine's
        own are no code of the project's.
        """
        found: dict[str, Macro] = {}
        waiting = list(used)
        while waiting:
            unique_id = waiting.pop()
            macro = self._manifest.macros.get(unique_id)
            if unique_id.startswith(OWN):
                waiting += implementations(unique_id, self._manifest.project_name, self._manifest.adapter_type)
            if macro is not None and macro.package_name != "dbt" and unique_id not in found:
                found[unique_id] = macro
                waiting += macro.depends_on.macros
        return digest([self._text_of(found[unique_id]) for unique_id in sorted(found)])[:SHORT] if found else ""

    def _text_of(self, macro: Macro) -> str:
        kept = self._macros.get(macro.unique_id)
        if kept is None:
            kept = self._macros[macro.unique_id] = hashlib.sha256(macro.macro_sql.encode()).hexdigest()
        return kept


def difference(then: Print, now: Print) -> str | None:
    """Why a relation that was built then is not what would be built now, in words; None: it is."""
    if then.code != now.code:
        return "its code has changed since it was built"
    if then.macros != now.macros:
        return "a macro that it uses has changed since it was built"
    for what, old, new in (("var", then.vars, now.vars), ("env_var", then.env, now.env)):
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name) or (name in old) != (name in new):
                return f"{what}('{name}') has another value than when it was built"
    changed = [each for each in sorted({*then.inputs, *now.inputs}) if then.inputs.get(each) != now.inputs.get(each)]
    if changed:
        names = ", ".join(each.split(".", 2)[-1] for each in changed)
        return f"{names}, which it reads, {'has' if len(changed) == 1 else 'have'} changed since it was built"
    return None
