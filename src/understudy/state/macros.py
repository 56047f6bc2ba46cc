"""Which macros changed, and which of them reach a node (dbt 1.11: check_macros_modified)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from understudy.core.nodes import Macro
from understudy.state.change import Change
from understudy.state.macro_prints import OWN, implementations
from understudy.state.prior import Prior, damaged

MACROS = "macros"
ENGINES = (
    "athena", "bigquery", "clickhouse", "databricks", "duckdb", "fabric", "postgres", "redshift", "snowflake", "spark",
    "sqlserver", "trino",
)  # fmt: skip
"""Adapters whose macros may stand in a state."""


def own_packages(*adapter_types: str) -> frozenset[str]:
    """The packages of the engines' own macros."""
    return frozenset({"dbt", *(f"dbt_{name}" for name in {*ENGINES, *adapter_types})})


class ChangedMacros:
    """The macros that changed, and every macro that calls one of them.

    The macros of the engine itself (package `dbt` and those of its adapters) do not count: they differ between engines, not
    between projects. What the project does itself in the place of one of them (`default__test_not_null`) does.
    """

    def __init__(self, macros: Mapping[str, Macro], prior: Prior, adapter_type: str, project: str = "") -> None:
        self._implementations = implementations(OWN, project, adapter_type)
        self._own_packages = own_packages(adapter_type, prior.metadata.adapter_type or adapter_type)
        self._prior = prior
        self._changed = self._compare(macros, prior)
        self._cause = self._spread(macros)

    def _compare(self, macros: Mapping[str, Macro], prior: Prior) -> dict[str, Change]:
        changed = {}
        for unique_id in dict.fromkeys((*macros, *prior.macros)):
            if self._is_own(unique_id):
                continue
            new = macros[unique_id].macro_sql if unique_id in macros else None
            old = prior.macros[unique_id].macro_sql if unique_id in prior.macros else None
            if new != old:
                changed[unique_id] = Change(MACROS, unique_id, old, new)
        return changed

    def _is_own(self, unique_id: str) -> bool:
        return unique_id.split(".", 2)[1] in self._own_packages

    def _spread(self, macros: Mapping[str, Macro]) -> dict[str, str]:
        """Each macro that is changed or calls, however indirectly, a changed one -> the changed one that is nearest."""
        if not self._changed:
            return {}
        callers: dict[str, list[str]] = {}
        for unique_id, macro in macros.items():
            for called in macro.depends_on.macros:
                callers.setdefault(called, []).append(unique_id)
        for unique_id in self._changed:
            for beginning in self._implementations:
                if unique_id.startswith(beginning):
                    callers.setdefault(unique_id, []).append(f"{OWN}{unique_id.removeprefix(beginning)}")
        cause = {unique_id: unique_id for unique_id in self._changed}
        waiting = deque(cause)
        while waiting:
            called = waiting.popleft()
            for caller in callers.get(called, ()):
                if caller not in cause:
                    cause[caller] = cause[called]
                    waiting.append(caller)
        return cause

    def reaching(self, used: list[str]) -> tuple[Change, ...]:
        """The changed macros behind those that a node uses, each once."""
        if not self._cause:
            return ()
        causes = dict.fromkeys(self._cause[unique_id] for unique_id in used if unique_id in self._cause)
        return tuple(self._changed[unique_id] for unique_id in causes)

    def check(self, node_id: str, used: list[str]) -> None:
        """Raise StateError when a node of the state names a macro of the project or a package that the state does not hold."""
        for unique_id in used:
            if unique_id not in self._prior.macros and not (unique_id.count(".") >= 2 and self._is_own(unique_id)):
                what = f"{node_id}, which uses the unknown macro {unique_id!r}"
                raise damaged(self._prior.origin, what, self._prior.flag)
