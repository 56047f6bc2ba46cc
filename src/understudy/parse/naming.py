"""What relations are called: database, schema and alias by the `generate_*_name` macros, and how the parts are quoted."""

from __future__ import annotations

from typing import Any, Literal

from understudy.core.nodes import Node, Source
from understudy.core.project import Settings
from understudy.parse.cells import Cells
from understudy.sql.dialect import Dialect
from understudy.template.renderer import Renderer


class Naming:
    """The names of one parse."""

    def __init__(self, settings: Settings, renderer: Renderer, dialect: Dialect, cells: Cells) -> None:
        self._settings = settings
        self._renderer = renderer
        self._dialect = dialect
        self._cells = cells
        self._generated: dict[tuple[str, str | None], str | None] = {}
        self._own_names: frozenset[str] | None = None

    def generated(self, kind: Literal["schema", "database"], custom: str | None, node: Node) -> str | None:
        """A node's schema or database. Unless somebody overrides the macro, it depends on the custom name alone."""
        if self._own_names is None:
            own = (name for names in self._renderer.macros.packages.values() for name in names)
            self._own_names = frozenset(name.split("__")[-1] for name in own)
        if f"generate_{kind}_name" in self._own_names:
            return self.generate(kind, custom, node)
        key = kind, custom
        if key not in self._generated:
            self._generated[key] = self.generate(kind, custom, node)
        return self._generated[key]

    def generate(self, kind: Literal["schema", "alias", "database"], custom: str | None, node: Node) -> str | None:
        """What a `generate_*_name` macro makes. What it depends on concerns all nodes, for it is asked once for many."""
        at_work = self._cells.current
        self._cells.resume()
        try:
            return self._renderer.generate_name(kind, custom, node)
        finally:
            self._cells.resume(at_work)

    def quoting(self, node: Node | Source) -> dict[str, Any]:
        """How the parts of a relation's name are quoted: the root project's word, and the resource's over it."""
        own = node.quoting if isinstance(node, Source) else node.config.get("quoting") or {}
        return {**self._settings.root.quoting, **{part: value for part, value in own.items() if value is not None}}

    def relation_name(self, node: Node | Source, identifier: str) -> str:
        """The relation's name as SQL text."""
        return self._dialect.relation(node.database, node.schema, identifier, self.quoting(node)).render()
