"""The engine without a project: nodes made by hand, their templates rendered for real, on a real DuckDB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy.adapters.duckdb.adapter import DuckDBAdapter
from understudy.adapters.duckdb.profile import Profile
from understudy.core.batch import Batch
from understudy.core.manifest import Manifest
from understudy.core.nodes import Checksum, Macro, Model, Node, Seed, SingularTest
from understudy.core.project import Package, Settings, Target
from understudy.core.relation import Relation
from understudy.core.statement import Load, Request, Result, Statement
from understudy.execute.events import NodeEvent
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
from understudy.template.session import Session

PROJECT = "shop"


def settings(flags: Mapping[str, Any] | None = None, database: str = "memory", schema: str = "dev") -> Settings:
    """Settings of a project that exists only here."""
    target = Target("shop", "dev", "duckdb", database, schema, 1, {})
    root = Package(PROJECT, "")
    return Settings(root, (root,), target, {}, dict(flags or {}), lambda name: None, invocation_id="run-1")


def renderer(macros: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None) -> Renderer:
    """A renderer with the built-in macros, and the project's own by name -> Jinja."""
    own = {
        f"macro.{PROJECT}.{name}": Macro(
            name=name, package_name=PROJECT, path="m.sql", original_file_path="m.sql", unique_id=f"macro.{PROJECT}.{name}", macro_sql=text,
        )
        for name, text in (macros or {}).items()
    }  # fmt: skip
    index = MacroIndex(own, BUILTINS, PROJECT, [PROJECT], [], "duckdb")
    return Renderer(settings(flags), index, dialect("duckdb"))


def model(
    name: str, sql: str = "select 1 as id", materialized: str = "table", needs: tuple[str, ...] = (), **config: Any
) -> Model:
    """A model; `needs` are names of other models."""
    columns = config.pop("columns", {})
    schema = config.pop("schema", "dev")
    node = Model(**_base("model", name, schema, materialized, config), raw_code=sql, columns=columns)
    node.contract.enforced = bool((config.get("contract") or {}).get("enforced"))
    node.depends_on.nodes.extend(f"model.{PROJECT}.{need}" for need in needs)
    return node


def seed(name: str, root: str, **config: Any) -> Seed:
    """A seed whose file is `<name>.csv` in `root`."""
    base = _base("seed", name, "dev", "seed", config)
    base["original_file_path"] = f"{name}.csv"
    return Seed(**base, root_path=root)


def check(name: str, sql: str, needs: tuple[str, ...], **config: Any) -> SingularTest:
    """A singular test of models."""
    values = {"severity": "ERROR", "fail_calc": "count(*)", "warn_if": "!= 0", "error_if": "!= 0", **config}
    node = SingularTest(**_base("test", name, "dev_dbt_test__audit", "test", values), raw_code=sql)
    node.depends_on.nodes.extend(f"model.{PROJECT}.{need}" for need in needs)
    return node


def _base(kind: str, name: str, schema: str, materialized: str, config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "database": "memory", "schema": schema, "name": name, "package_name": PROJECT, "path": f"{name}.sql",
        "original_file_path": f"models/{name}.sql", "unique_id": f"{kind}.{PROJECT}.{name}", "fqn": [PROJECT, name],
        "alias": config.get("alias", name), "checksum": Checksum("none", ""),
        "config": {"materialized": materialized, **config},
    }  # fmt: skip


@dataclass
class Compiled:
    """The SQL of a node."""

    sql: str
    ctes: tuple[tuple[str, str], ...] = ()


@dataclass
class StubCompiler:
    """`compile.Compiler` for nodes whose SQL names relations itself."""

    manifest: Manifest
    renderer: Renderer

    @property
    def settings(self) -> Settings:
        return self.renderer.settings

    def compile(self, unique_id: str, database: Any, *, batch: Batch | None = None) -> Compiled:
        node: Any = self.manifest.nodes[unique_id]
        return Compiled(self.session(unique_id, database, batch=batch).render(node.raw_code))

    def session(self, unique_id: str | None, database: Any, *, batch: Batch | None = None) -> Session:
        node = None if unique_id is None else self.manifest.nodes[unique_id]
        session = self.renderer.session(node, None, database=database)
        session.batch = batch
        return session

    def relation(self, unique_id: str) -> Relation:
        return node_relation(self.manifest.nodes[unique_id], dialect("duckdb"), {})


@dataclass
class Engine:
    """Nodes on one DuckDB, which stays open from run to run. `sent` collects the statements of the last run."""

    macros: dict[str, str] = field(default_factory=dict)
    adapter: DuckDBAdapter = field(default_factory=lambda: DuckDBAdapter(Profile(), ""))
    sent: list[Request] = field(default_factory=list)
    events: list[NodeEvent] = field(default_factory=list)

    def run(
        self, *nodes: Node, command: str = "build", flags: Mapping[str, Any] | None = None, **options: Any
    ) -> list[NodeResult]:
        """Run nodes as a command would; `flags` are Jinja's."""
        self.sent.clear()
        self.events.clear()
        manifest = Manifest(PROJECT, "duckdb", nodes={node.unique_id: node for node in nodes})
        compiler = StubCompiler(manifest, renderer(self.macros, flags))
        plan = make_plan(
            manifest,
            Dag.of(manifest),
            list(manifest.nodes),
            command,
            store_failures=options.get("store_failures", False),
        )
        chosen = RunOptions(observe=self.sent.append, **options)
        return run(plan, compiler, self.adapter, chosen, self.events.append)

    def one(self, node: Node, **options: Any) -> NodeResult:
        """Run one node."""
        return self.run(node, **options)[0]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows, on a connection of its own."""
        connection = self.adapter.connect()
        try:
            return list(connection.execute(Statement(sql, fetch=True)).rows)
        finally:
            connection.close()

    def do(self, sql: str) -> None:
        """A statement of somebody else's."""
        self.query(sql)

    def kinds(self, schema: str = "dev") -> dict[str, str]:
        """The relations of a schema with their types."""
        return dict(
            self.query(
                f"select table_name, case table_type when 'VIEW' then 'view' else 'table' end from information_schema.tables "
                f"where table_schema = '{schema}' order by 1"
            )
        )

    def purposes(self) -> list[str]:
        """What was sent, in a word each."""
        return [request.purpose for request in self.sent]


__all__ = ["Engine", "Load", "Result", "check", "model", "renderer", "seed", "settings"]
