"""What nodes use of macros, as digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from understudy.core.nodes import Macro
from understudy.state.fingerprint import digest

SHORT = 16
"""As many digits of a digest are kept."""


OWN = "macro.dbt."
"""How the unique_ids of the engine's own macros begin."""


def implementations(own: str, project: str, adapter_type: str) -> tuple[str, ...]:
    """The unique_ids of macros with which a project can do itself what one of the engine's does: those that it looks for when
    it dispatches (dbt 1.11: adapter.dispatch).
    """
    name = own.removeprefix(OWN)
    return tuple(f"macro.{project}.{prefix}__{name}" for prefix in (adapter_type, "default"))


class MacroPrints:
    """Digests of what nodes use of the project's macros and those of packages. The engine's own are no code of the project's;
    what the project does itself in the place of one of them is.
    """

    def __init__(self, macros: Mapping[str, Macro], project: str, adapter_type: str) -> None:
        self._macros = macros
        self._project, self._adapter_type = project, adapter_type
        self._texts: dict[str, str] = {}

    def of(self, used: Iterable[str]) -> str:
        """A digest over the text of the macros that are used, however indirectly; empty where there is none."""
        found: dict[str, Macro] = {}
        waiting = list(used)
        while waiting:
            unique_id = waiting.pop()
            macro = self._macros.get(unique_id)
            if unique_id.startswith(OWN):
                waiting += implementations(unique_id, self._project, self._adapter_type)
            if macro is not None and macro.package_name != "dbt" and unique_id not in found:
                found[unique_id] = macro
                waiting += macro.depends_on.macros
        return digest([self._text_of(found[unique_id]) for unique_id in sorted(found)])[:SHORT] if found else ""

    def _text_of(self, macro: Macro) -> str:
        kept = self._texts.get(macro.unique_id)
        if kept is None:
            kept = self._texts[macro.unique_id] = hashlib.sha256(macro.macro_sql.encode()).hexdigest()
        return kept
