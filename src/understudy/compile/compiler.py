"""Compiles nodes: renders their templates against the run's Resolution, and puts ephemeral models in front as CTEs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import msgspec

from understudy.compile.ctes import Cte, cte, inject, merged
from understudy.compile.graph import flat_graph
from understudy.compile.lookups import WHOLE, NodeLookups, Part, References
from understudy.compile.unit_tests import UnitTestCompiler
from understudy.core.batch import Batch, Narrowed
from understudy.core.manifest import Manifest
from understudy.core.nodes import Model, Node, Seed
from understudy.core.relation import Relation
from understudy.defer.resolution import Decision, Resolution
from understudy.errors import JinjaError
from understudy.graph.names import Names
from understudy.sql.dialect import Dialect
from understudy.template import literal
from understudy.template.relations import cte_relation
from understudy.template.renderer import Lazy, Renderer, Session
from understudy.template.scope import Captured, Database


class Compiled(msgspec.Struct, frozen=True):
    """One node's SQL.

    Attributes:
        sql: the query with CTEs, as dbt's `compiled_code`.
        ctes: (unique_id, SQL) of the ephemeral models in it, in order (`extra_ctes`).
        deferred: the decisions of the references that read a state's relation, those of the CTEs included.
        query: the query without the CTEs.
        uses: what the templates looked up and called.
    """

    sql: str
    ctes: tuple[tuple[str, str], ...]
    deferred: tuple[Decision, ...]
    query: str
    uses: Captured


class _Rendered(msgspec.Struct, frozen=True):
    sql: str
    ephemerals: tuple[str, ...]
    deferred: tuple[Decision, ...]
    uses: Captured


class Compiler:
    """Compiles nodes of one run, each once. Shared by threads.

    Args:
        manifest: linked.
        names: of the manifest.
        resolution: where references go.
        renderer: of the project.
        dialect: the target engine's.
        selected: what templates see as `selected_resources`.
        part: what is read of what nodes refer to.
    """

    def __init__(
        self,
        manifest: Manifest,
        names: Names,
        resolution: Resolution,
        renderer: Renderer,
        dialect: Dialect,
        *,
        selected: Sequence[str] = (),
        part: Part = WHOLE,
    ) -> None:
        self.manifest = manifest
        self.renderer = renderer
        self.settings = renderer.settings
        self._references = References(manifest, names, resolution, dialect, renderer.settings.root.quoting, part)
        self._rendered: dict[str, _Rendered] = {}
        self._compiled: dict[str, Compiled] = {}
        self._locks: dict[str, Lock] = {}
        self._lock = Lock()
        self._graph: dict[str, Any] | None = None
        renderer.provide(graph=Lazy(self._flat_graph), selected_resources=list(selected))

    def compile(self, unique_id: str, database: Database | None, *, batch: Batch | None = None) -> Compiled:
        """The node's SQL, with the ephemeral models that it refers to; of a `batch` it is made anew each time.

        `database` answers what templates ask while they are rendered. Raises JinjaError, LinkError, DatabaseError.
        """
        if batch is not None:
            rendered = self._render_node(self._node(unique_id), database, batch)
            for each in rendered.ephemerals:
                self.compile(each, database)
            return self._inject(rendered)
        if unique_id in self.manifest.unit_tests:
            return self._unit_test(unique_id, database)
        stack = [unique_id]
        while stack:
            current = stack[-1]
            if current in self._compiled:
                stack.pop()
                continue
            rendered = self._render(current, database)
            missing = [each for each in rendered.ephemerals if each not in self._compiled]
            if missing:
                stack.extend(reversed(missing))
            else:
                self._compiled[current] = self._inject(rendered)
        return self._compiled[unique_id]

    def called(self, unique_id: str) -> tuple[str, ...]:
        """The macros that a node's text called when it was compiled; none as long as it was not."""
        rendered = self._rendered.get(unique_id)
        return () if rendered is None else tuple(rendered.uses.macros)

    def session(
        self,
        unique_id: str | None,
        database: Database | None,
        *,
        extra: Mapping[str, Any] | None = None,
        batch: Batch | None = None,
    ) -> Session:
        """The node's templates beside its own text: hooks, macros, materializations; None for `run-operation`."""
        node = None if unique_id is None else self._node(unique_id)
        lookups = NodeLookups(self._references, node, inline=False, batch=batch)
        session = self.renderer.session(node, lookups, database=database, extra=extra)
        session.batch = batch
        return session

    def relation(self, unique_id: str) -> Relation:
        """The node's own relation; never another environment's. Raises KeyError."""
        return self._references.own(unique_id)

    def reference(self, expression: str, node: Node) -> Relation:
        """What a written `ref('a')` or `source('s', 't')` stands for (foreign keys). Raises JinjaError, LinkError."""
        pieces = literal.pieces(f"{{{{ {expression} }}}}") or []
        calls = [piece for piece in pieces if isinstance(piece, literal.Call)]
        captured = literal.scan(f"{{{{ {expression} }}}}") if len(calls) == 1 else None
        if captured is None or not (captured.refs or captured.sources):
            place = self.manifest.place(node.unique_id)
            hint = "Write ref('model') or source('source', 'table')."
            raise JinjaError(f"'{expression}' is neither a ref nor a source", place=place, hint=hint)
        lookups = NodeLookups(self._references, node, inline=False)
        if captured.refs:
            ref = captured.refs[0]
            found = lookups.ref(ref.package, ref.name, ref.version)
        else:
            found = lookups.source(*captured.sources[0])
        return found.relation if isinstance(found, Narrowed) else found

    def _node(self, unique_id: str) -> Node:
        node: Node | None = self.manifest.nodes.get(unique_id) or self.manifest.functions.get(unique_id)
        if node is None:
            raise KeyError(unique_id)
        return node

    def _render(self, unique_id: str, database: Database | None) -> _Rendered:
        with self._lock:
            lock = self._locks.setdefault(unique_id, Lock())
        with lock:
            rendered = self._rendered.get(unique_id)
            if rendered is None:
                rendered = self._rendered[unique_id] = self._render_node(self._node(unique_id), database)
            return rendered

    def _unit_test(self, unique_id: str, database: Database | None) -> Compiled:
        compiled = self._compiled.get(unique_id)
        if compiled is None:
            test = UnitTestCompiler(self._references, self.renderer, self.manifest.unit_tests[unique_id], database)
            sql, ctes, query = test.compile()
            pairs = tuple((item.unique_id, item.sql) for item in ctes)
            compiled = Compiled(sql, pairs, tuple(test.deferred.values()), query, test.uses)
            self._compiled[unique_id] = compiled
        return compiled

    def _render_node(self, node: Node, database: Database | None, batch: Batch | None = None) -> _Rendered:
        is_sql = getattr(node, "language", "sql") == "sql"
        if isinstance(node, Seed) or not (is_sql or isinstance(node, Model)):
            return _Rendered(node.raw_code, (), (), Captured())
        lookups = NodeLookups(self._references, node, inline=is_sql, batch=batch)
        session = self.renderer.session(node, lookups, database=database)
        session.batch = batch
        if is_sql:
            sql = session.render(node.raw_code)
        else:  # Python is no template: references are handed to it
            sql = f"{node.raw_code}\n\n\n{session.call('py_script_postfix', session.model)}"
        return _Rendered(sql, tuple(lookups.ctes), tuple(lookups.deferred.values()), session.uses)

    def _inject(self, rendered: _Rendered) -> Compiled:
        groups: list[Sequence[Cte]] = []
        deferred = {decision.unique_id: decision for decision in rendered.deferred}
        for unique_id in rendered.ephemerals:
            inner = self._compiled[unique_id]
            groups.append([Cte(*item) for item in inner.ctes])
            name = cte_relation(self._node(unique_id), self._references.dialect).render()
            groups.append([cte(unique_id, name, inner.query)])
            deferred.update({decision.unique_id: decision for decision in inner.deferred})
        ctes = merged(groups)
        pairs = tuple((item.unique_id, item.sql) for item in ctes)
        return Compiled(inject(rendered.sql, ctes), pairs, tuple(deferred.values()), rendered.sql, rendered.uses)

    def _flat_graph(self) -> dict[str, Any]:
        with self._lock:
            if self._graph is None:
                self._graph = flat_graph(self.manifest, self._references.resolution)
            return self._graph
