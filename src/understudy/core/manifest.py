"""The manifest: everything that a project declares, by unique_id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec

from understudy.core.card import Card, card
from understudy.core.nodes import (
    Config,
    Doc,
    Exposure,
    Function,
    Group,
    Macro,
    Metric,
    Node,
    Resource,
    SavedQuery,
    SemanticModel,
    Source,
    UnitTest,
)
from understudy.errors import Place

PARTS = (
    "nodes", "sources", "exposures", "macros", "docs", "groups", "metrics", "semantic_models", "saved_queries",
    "unit_tests", "functions", "disabled",
)  # fmt: skip
"""The maps that hold resources."""
PART_OF: Mapping[str, str] = {
    "source": "sources", "exposure": "exposures", "metric": "metrics", "semantic_model": "semantic_models",
    "saved_query": "saved_queries", "unit_test": "unit_tests", "function": "functions",
}  # fmt: skip
"""Type of a resource -> the map in which it stands; all other types stand in `nodes`."""


class Uses(msgspec.Struct):
    """What the rendering of a node looked up: names with their values (secrets by hash only)."""

    vars: dict[str, Any] = msgspec.field(default_factory=dict)
    env_vars: dict[str, str] = msgspec.field(default_factory=dict)


class Manifest(msgspec.Struct, dict=True):
    """The project as data. Maps are keyed by unique_id, and sorted by it once the project is read and linked (`arrange`).

    `cards` holds what selection, the graph and listings need of every resource that can be selected, in the order of the
    parts. It is made when it is first asked for, so not before the manifest is linked.
    `disabled` holds what is switched off, several per unique_id where several files claim it.
    `lines`, `uses` and `inputs` are the engine's own notes and are not written to `manifest.json`; `inputs` holds for each
    unit test which node or source each of its `given` stands for (None: nothing has that name).
    """

    project_name: str
    adapter_type: str
    nodes: dict[str, Node] = msgspec.field(default_factory=dict)
    sources: dict[str, Source] = msgspec.field(default_factory=dict)
    exposures: dict[str, Exposure] = msgspec.field(default_factory=dict)
    macros: dict[str, Macro] = msgspec.field(default_factory=dict)
    docs: dict[str, Doc] = msgspec.field(default_factory=dict)
    groups: dict[str, Group] = msgspec.field(default_factory=dict)
    metrics: dict[str, Metric] = msgspec.field(default_factory=dict)
    semantic_models: dict[str, SemanticModel] = msgspec.field(default_factory=dict)
    saved_queries: dict[str, SavedQuery] = msgspec.field(default_factory=dict)
    unit_tests: dict[str, UnitTest] = msgspec.field(default_factory=dict)
    functions: dict[str, Function] = msgspec.field(default_factory=dict)
    selectors: dict[str, Any] = msgspec.field(default_factory=dict)
    disabled: dict[str, list[Resource]] = msgspec.field(default_factory=dict)
    lines: dict[str, int] = msgspec.field(default_factory=dict)
    uses: dict[str, Uses] = msgspec.field(default_factory=dict)
    inputs: dict[str, tuple[str | None, ...]] = msgspec.field(default_factory=dict)

    @cached_property
    def cards(self) -> dict[str, Card]:
        """unique_id -> card."""
        return {unique_id: card(each) for part in self.selectable() for unique_id, each in part.items()}

    def known(self) -> Iterator[tuple[str, Any]]:
        """What can be selected, as it is at hand: its card where cards are made, else itself."""
        if "cards" in self.__dict__:
            yield from self.cards.items()
        else:
            for part in self.selectable():
                yield from part.items()

    def config(self, unique_id: str) -> Config:
        """The config of a resource that can be selected. Raises KeyError."""
        part: Any = next((part for part in self.selectable() if unique_id in part), {})
        found: Config = part.config(unique_id) if hasattr(part, "config") else part[unique_id].config
        return found

    def arrange(self) -> None:
        """Put every map in the order of its keys, so that what is written does not depend on how the project was read."""
        for part in PARTS:
            setattr(self, part, dict(sorted(getattr(self, part).items())))

    def resources(self) -> Iterator[Resource]:
        """Everything that a selection can name."""
        for part in self.selectable():
            yield from part.values()

    def get(self, unique_id: str) -> Resource | None:
        """The resource of that unique_id."""
        node: Node | None = self.nodes.get(unique_id)  # which nearly all are
        if node is not None:
            return node
        return next((part[unique_id] for part in self.selectable() if unique_id in part), None)

    def has(self, unique_id: str) -> bool:
        """Whether a selection can name it."""
        return any(unique_id in part for part in self.selectable())

    def node(self, unique_id: str) -> Node:
        """A node or function: what is compiled and built. Raises KeyError."""
        node: Node | None = self.nodes.get(unique_id)
        return node if node is not None else self.functions[unique_id]

    def selectable(self) -> tuple[Mapping[str, Resource], ...]:
        """The maps of what a selection can name."""
        return (
            self.nodes, self.sources, self.exposures, self.functions, self.metrics, self.semantic_models,
            self.saved_queries, self.unit_tests,
        )  # fmt: skip

    def place(self, unique_id: str) -> Place:
        """Where a resource stands, for errors."""
        resource = self.get(unique_id)
        path = resource.original_file_path if resource is not None else None
        return Place(path=path, line=self.lines.get(unique_id), node=unique_id)
