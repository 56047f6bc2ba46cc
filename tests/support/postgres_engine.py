"""The engine without a project, as `support.engine`, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from support import postgres
from support.engine import PROJECT, Engine, StubCompiler

from understudy.adapters.postgres.adapter import open_adapter
from understudy.core.manifest import Manifest
from understudy.core.nodes import Macro, Node
from understudy.core.project import Package, Settings
from understudy.core.relation import Relation
from understudy.execute.plan import make_plan
from understudy.execute.results import NodeResult
from understudy.execute.runner import run
from understudy.execute.worker import RunOptions
from understudy.graph.dag import Dag
from understudy.sql.dialect import dialect
from understudy.stdlib.registry import BUILTINS
from understudy.template.macros import MacroIndex
from understudy.template.relations import node_relation
from understudy.template.renderer import Renderer

PG = dialect("postgres")


class PostgresCompiler(StubCompiler):
    def relation(self, unique_id: str) -> Relation:
        return node_relation(self.manifest.nodes[unique_id], PG, {})


@dataclass
class PostgresEngine(Engine):
    """Nodes in one database; `fields` are of the profile."""

    def __init__(self, server: Any, database: str, **fields: Any) -> None:
        self.macros, self.sent, self.events, self.runs = {}, [], [], 0
        self.target = postgres.target(server, database=database, **fields)
        self.adapter = open_adapter(self.target, "")  # type: ignore[assignment]

    def run(
        self, *nodes: Node, command: str = "build", flags: Mapping[str, Any] | None = None, **options: Any
    ) -> list[NodeResult]:
        self.sent.clear()
        self.events.clear()
        self.runs += 1
        for node in nodes:
            node.database = self.target.database
        manifest = Manifest(PROJECT, "postgres", nodes={node.unique_id: node for node in nodes})
        compiler = PostgresCompiler(manifest, self.renderer(flags))
        stores = options.get("store_failures", False)
        plan = make_plan(manifest, Dag.of(manifest), list(manifest.nodes), command, store_failures=stores)
        chosen = RunOptions(observe=self.sent.append, **options)
        return run(plan, compiler, self.adapter, chosen, self.events.append)

    def renderer(self, flags: Mapping[str, Any] | None = None) -> Renderer:
        """A renderer for this target; every run has an id of its own."""
        root = Package(PROJECT, "")
        settings = Settings(
            root, (root,), self.target, {}, dict(flags or {}), lambda name: None, invocation_id=f"run-{self.runs}"
        )
        own = {
            f"macro.{PROJECT}.{name}": Macro(
                name=name, package_name=PROJECT, path="m.sql", original_file_path="m.sql",
                unique_id=f"macro.{PROJECT}.{name}", macro_sql=text,
            )
            for name, text in self.macros.items()
        }  # fmt: skip
        return Renderer(settings, MacroIndex(own, BUILTINS, PROJECT, [PROJECT], [], "postgres"), PG)

    def kinds(self, schema: str = "dev") -> dict[str, str]:
        kind = "case relkind when 'v' then 'view' when 'm' then 'materialized_view' else 'table' end"
        where = f"relnamespace = '{schema}'::regnamespace and relkind in ('r', 'v', 'm', 'p')"
        return dict(self.query(f"select relname, {kind} from pg_class where {where} order by 1"))
