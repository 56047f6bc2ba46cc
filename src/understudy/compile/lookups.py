"""Where the references of one node go: names are looked up as when the graph was linked, relations in the Resolution."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from understudy.core.batch import Batch, Narrowed, Window
from understudy.core.manifest import Manifest
from understudy.core.nodes import CompilableNode, Node, Source, Version
from understudy.core.relation import Relation, quote
from understudy.defer.resolution import Decision, Resolution
from understudy.errors import LinkError
from understudy.graph.names import Names
from understudy.sql.dialect import Dialect
from understudy.template.relations import cte_relation, node_relation, source_relation


class Part(msgspec.Struct, frozen=True):
    """What is read of everything that a node refers to: no rows (`--empty`), or those of a window of time (`--sample`)."""

    empty: bool = False
    sample: tuple[datetime, datetime] | None = None


WHOLE = Part()


class References:
    """How unique_ids become relations in this run; the same for all nodes."""

    def __init__(
        self,
        manifest: Manifest,
        names: Names,
        resolution: Resolution,
        dialect: Dialect,
        quoting: Mapping[str, bool],
        part: Part = WHOLE,
    ) -> None:
        self.manifest = manifest
        self.part = part
        self.names = names
        self.resolution = resolution
        self.dialect = dialect
        self.quoting = quoting

    def own(self, unique_id: str) -> Relation:
        """The node's own relation, which `this` is. Raises KeyError for an unknown node."""
        return node_relation(self._node(unique_id), self.dialect, self.quoting)

    def decided(self, unique_id: str) -> tuple[Relation, Decision | None]:
        """The relation that stands for a node in this run, and the decision when a state's relation was taken."""
        decision = self.resolution.get(unique_id)
        if decision is not None and decision.deferred and decision.relation is not None:
            return decision.relation, decision
        return self.own(unique_id), None

    def _node(self, unique_id: str) -> Node:
        node: Node | None = self.manifest.nodes.get(unique_id) or self.manifest.functions.get(unique_id)
        if node is None:
            raise KeyError(unique_id)
        return node


class NodeLookups:
    """The `Lookups` of one node (None: an operation without a node).

    `ctes` are the ephemeral models that were referred to, `deferred` the references that went to a state, in order.
    `inline` False: what is rendered is not compiled further, so an ephemeral model cannot be referred to.
    `batch`: of relations that say what their event time is, the rows of the batch's window are read.
    """

    def __init__(self, references: References, node: Node | None, *, inline: bool, batch: Batch | None = None) -> None:
        self.references = references
        self.node = node
        self.inline = inline
        self.batch = batch
        self.ctes: dict[str, None] = {}
        self.deferred: dict[str, Decision] = {}

    def ref(self, package: str | None, name: str, version: Version | None) -> Relation | Narrowed:
        """The relation that stands for the node, or the part of it that is read; an ephemeral one as its CTE's name.

        Raises LinkError for a name of nothing, and for a node that was not found while the project was parsed.
        """
        target = self.references.names.ref(package, name, version, self._package)
        if target.found is None:
            raise self.references.names.error(self._unique_id, target)
        found = self.references.manifest.nodes[target.found]
        self._known(target.found, _call("ref", package, name, version=version))
        if found.is_ephemeral:
            if not self.inline:
                raise self._not_ephemeral(name)
            self.ctes[target.found] = None
            return self._read(found, cte_relation(found, self.references.dialect))
        return self._read(found, self._decided(target.found))

    def source(self, source_name: str, table_name: str) -> Relation | Narrowed:
        """The source's relation, or the part of it that is read. Raises LinkError."""
        target = self.references.names.source(source_name, table_name, self._package)
        if target.found is None:
            raise self.references.names.error(self._unique_id, target)
        found = self.references.manifest.sources[target.found]
        return self._read(found, source_relation(found, self.references.dialect))

    def function(self, package: str | None, name: str) -> Relation:
        """The function's qualified name. Raises LinkError."""
        target = self.references.names.function(package, name, self._package)
        if target.found is None:
            raise self.references.names.error(self._unique_id, target)
        return self._decided(target.found).with_type("function")

    def _read(self, found: Node | Source, relation: Relation) -> Relation | Narrowed:
        """The part of a relation that this run, or this batch, is about."""
        limit, window = (0 if self.references.part.empty else None), self._window(found)
        if limit is None and window is None:
            return relation
        return Narrowed(relation, limit, window, alias=self.references.dialect.subquery_alias)

    def _window(self, found: Node | Source) -> Window | None:
        """The rows of the batch and of the sample, of a relation with an event time (dbt 1.11: resolve_event_time_filter)."""
        column = event_time(found, self.references.dialect)
        sample = self.references.part.sample
        if column is None or self.node is None or self.node.resource_type not in ("model", "snapshot"):
            return None
        if self.batch is None:
            return Window(column, *sample) if sample is not None else None
        start, end = self.batch.event_time_start, self.batch.event_time_end
        return Window(column, max(start, sample[0]), min(end, sample[1])) if sample else Window(column, start, end)

    def _decided(self, unique_id: str) -> Relation:
        relation, decision = self.references.decided(unique_id)
        if decision is not None:
            self.deferred[unique_id] = decision
        return relation

    def _known(self, unique_id: str, call: str) -> None:
        """The graph must have the edge, else the order of the run would be wrong (dbt 1.11: RefBadContextError)."""
        if not isinstance(self.node, CompilableNode) or unique_id in self.node.depends_on.nodes:
            return
        if self.node.unique_id == unique_id and self.node.resource_type == "snapshot":
            return
        raise self._error(
            f'dbt was unable to infer all dependencies for the model "{self.node.name}". '
            "This typically happens when ref() is placed within a conditional block",
            hint=f"To fix this, add the following hint to the top of the model: -- depends_on: {{{{ {call} }}}}",
        )

    def _not_ephemeral(self, name: str) -> LinkError:
        if getattr(self.node, "language", "sql") == "python":
            hint = f"Materialize '{name}' as a view or a table."
            return self._error(f"Python models can not ref() ephemeral models, but {name} is ephemeral", hint)
        return self._error(f"Operations can not ref() ephemeral nodes, but {name} is ephemeral")

    def _error(self, message: str, hint: str | None = None) -> LinkError:
        place = self.references.manifest.place(self.node.unique_id) if self.node is not None else None
        return LinkError(message, place=place, hint=hint)

    @property
    def _package(self) -> str:
        return self.references.manifest.project_name if self.node is None else self.node.package_name

    @property
    def _unique_id(self) -> str:
        return "The operation" if self.node is None else self.node.unique_id


def event_time(found: Node | Source, dialect: Dialect) -> str | None:
    """The column that is configured as `event_time`, quoted where the column, or its source, says so."""
    name = found.config.get("event_time")
    if not name:
        return None
    quoted = (found.quoting if isinstance(found, Source) else {}).get("column")
    own = next((column.get("quote") for column in found.columns.values() if column.get("name") == name), None)
    return quote(str(name), dialect.quote_character) if (quoted if own is None else own) else str(name)


def _call(function: str, *args: Any, **kwargs: Any) -> str:
    shown = [repr(argument) for argument in args if argument is not None]
    shown += [f"{key}={value!r}" for key, value in kwargs.items() if value is not None]
    return f"{function}({', '.join(shown)})"
