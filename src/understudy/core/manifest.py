"""The manifest: everything that a project declares, by unique_id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from understudy.core.nodes import Doc, Exposure, Group, Macro, Node, Resource, Source
from understudy.errors import Place


@dataclass(slots=True)
class Uses:
    """What the rendering of a node looked up: names with their values (secrets by hash only)."""

    vars: dict[str, Any] = field(default_factory=dict)
    env_vars: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Manifest:
    """The project as data. Dicts are keyed by unique_id, in the order in which the project was read (stable).

    `disabled` holds what is switched off, several per unique_id where several files claim it.
    `metrics`, `semantic_models`, `saved_queries`, `unit_tests` and `functions` are kept as parsed.
    `lines` and `uses` are the engine's own notes and are not written to `manifest.json`.
    """

    project_name: str
    adapter_type: str
    nodes: dict[str, Node] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    exposures: dict[str, Exposure] = field(default_factory=dict)
    macros: dict[str, Macro] = field(default_factory=dict)
    docs: dict[str, Doc] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    semantic_models: dict[str, Any] = field(default_factory=dict)
    saved_queries: dict[str, Any] = field(default_factory=dict)
    unit_tests: dict[str, Any] = field(default_factory=dict)
    functions: dict[str, Any] = field(default_factory=dict)
    selectors: dict[str, Any] = field(default_factory=dict)
    disabled: dict[str, list[Resource]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    uses: dict[str, Uses] = field(default_factory=dict)

    def resources(self) -> Iterator[Resource]:
        """Everything that a selection can name: nodes, sources, exposures."""
        yield from self.nodes.values()
        yield from self.sources.values()
        yield from self.exposures.values()

    def get(self, unique_id: str) -> Resource | None:
        """The node, source or exposure of that unique_id."""
        return self.nodes.get(unique_id) or self.sources.get(unique_id) or self.exposures.get(unique_id)

    def place(self, unique_id: str) -> Place:
        """Where a resource stands, for errors."""
        resource = self.get(unique_id)
        path = resource.original_file_path if resource is not None else None
        return Place(path=path, line=self.lines.get(unique_id), node=unique_id)
