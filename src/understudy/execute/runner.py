"""Run a plan: schemas, on-run-start, every step on its thread's connection, on-run-end."""

from __future__ import annotations

import os.path
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from understudy.adapters.base import Adapter
from understudy.core.manifest import Manifest
from understudy.core.nodes import Node, Seed
from understudy.core.relation import Relation
from understudy.core.statement import Statement
from understudy.errors import Cancelled, ExecutionError, UnderstudyError
from understudy.execute.build import Build, Macros, Outcome, SeedFile, drive
from understudy.execute.database import LiveDatabase, Observer, RelationCache
from understudy.execute.events import NodeEvent, NodeFinished, NodeStarted
from understudy.execute.judge import judge
from understudy.execute.materialize import is_temporary, materialization, temporary_names
from understudy.execute.parts import KEYS, declares
from understudy.execute.plan import Plan, Step, stores_failures
from understudy.execute.results import NodeResult, Timing
from understudy.execute.scheduler import INTERRUPTED, Hooks, Worker, run_steps
from understudy.execute.seed_file import inspect_seed
from understudy.sql.dialect import Dialect


class Compiled(Protocol):
    """compile.Compiled, as far as it is used here."""

    @property
    def sql(self) -> str:
        """The node's SQL, CTEs included."""

    @property
    def ctes(self) -> tuple[tuple[str, str], ...]:
        """(unique_id, SQL) of the ephemeral models in it."""


class Session(Macros, Protocol):
    """template.Session, as far as it is used here."""

    def set(self, name: str, value: Any) -> None:
        """Add a name to the templates' context."""


class Compiler(Protocol):
    """compile.Compiler, as far as it is used here."""

    manifest: Manifest

    def compile(self, unique_id: str, database: Any) -> Compiled:
        """Compile a node. Raises JinjaError, LinkError ..."""

    def session(self, unique_id: str, database: Any) -> Session:
        """The node's templates."""

    def relation(self, unique_id: str) -> Relation:
        """The node's own relation."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a plan is run. `warn_error`: a test that would warn fails. `observe` is told of every statement."""

    threads: int = 1
    fail_fast: bool = False
    store_failures: bool = False
    warn_error: bool = False
    observe: Observer | None = None


def run(
    plan: Plan,
    compiler: Compiler,
    adapter: Adapter,
    options: RunOptions,
    on_event: Callable[[NodeEvent], None] = lambda event: None,
    *,
    cache: RelationCache | None = None,
    worker: Callable[[LiveDatabase], Worker] | None = None,
) -> list[NodeResult]:
    """Run all steps of a plan and its hooks; every error of a node is a result.

    `cache` may hold what was listed before (the frontier's schemas). `worker` makes what does the steps on a connection,
    where that is something else than to build and to test. Events come from the calling thread. Raises
    DatabaseError when a schema cannot be created: then nothing was run.
    """
    return _Runner(plan, compiler, adapter, options, on_event, cache or RelationCache(adapter.dialect), worker).go()


class _Runner:
    def __init__(
        self,
        plan: Plan,
        compiler: Compiler,
        adapter: Adapter,
        options: RunOptions,
        on_event: Callable[[NodeEvent], None],
        cache: RelationCache,
        worker: Callable[[LiveDatabase], Worker] | None,
    ) -> None:
        self.plan, self.compiler, self.adapter, self.options, self.on_event = plan, compiler, adapter, options, on_event
        self.cache, self.worker = cache, worker
        self.begun: dict[str, int] = {}
        self.keys = threading.Lock()

    def go(self) -> list[NodeResult]:
        """Everything in its order."""
        main = self.database()
        try:
            self._create_schemas(main)
            before = self._operations(main, self.plan.on_run_start, "on-run-start", {})
            results = run_steps(
                self.plan.steps,
                lambda: NodeWorker(self) if self.worker is None else self.worker(self.database()),
                Hooks(self._started, self._finished, skipped),
                threads=self.options.threads,
                blocks=self._blocks,
                fail_fast=self.options.fail_fast,
            )
            interrupted = any(isinstance(result.error, Cancelled) for result in results)
            after = (
                [] if interrupted else self._operations(main, self.plan.on_run_end, "on-run-end", self._extras(results))
            )
            return [*before, *results, *after]
        finally:
            main.close()

    def database(self) -> LiveDatabase:
        """A database for one thread; it connects when it is used."""
        return LiveDatabase(self.adapter.connect, self.cache, self.adapter.dialect, self.options.observe)

    def _create_schemas(self, database: LiveDatabase) -> None:
        """The schemas that are missing, once; one list of schemas per database."""
        existing: dict[str | None, set[str]] = {}
        dialect: Dialect = self.adapter.dialect
        for name in self.plan.schemas:
            if name.database not in existing:
                existing[name.database] = {
                    _key(dialect, name.database, schema) for schema in database.schemas(name.database)
                }
            key = _key(dialect, name.database, name.schema)
            if key not in existing[name.database]:
                session = self.compiler.session(self.plan.steps[0].unique_id, database)
                session.call("create_schema", dialect.relation(name.database, name.schema, None))
                existing[name.database].add(key)

    def _blocks(self, result: NodeResult) -> bool:
        """An error keeps everything below from running; in `build` a failed test does, too."""
        return result.status == "error" or (self.plan.tests_block and result.status == "fail")

    def _started(self, step: Step) -> None:
        self.begun[step.unique_id] = len(self.begun) + 1
        self.on_event(NodeStarted(step.unique_id, self.begun[step.unique_id], len(self.plan.steps)))

    def _finished(self, result: NodeResult) -> None:
        index = self.begun.setdefault(result.unique_id, len(self.begun) + 1)
        self.on_event(NodeFinished(result, index, len(self.plan.steps)))

    def _operations(
        self, database: LiveDatabase, ids: Sequence[str], kind: str, extras: Mapping[str, Any]
    ) -> list[NodeResult]:
        """Run hooks one after the other; after a failure the rest of them is skipped (dbt 1.11: safe_run_hooks)."""
        results: list[NodeResult] = []
        failed = False
        counts: dict[str, int] = {}
        for index, unique_id in enumerate(ids, 1):
            node = self.compiler.manifest.nodes[unique_id]
            number = counts[node.package_name] = counts.get(node.package_name, -1) + 1
            name = f"{node.package_name}.{kind}.{number}"
            if failed:
                result = NodeResult(unique_id, "skipped", f"{name} skipped", failures=1, thread_id="main")
            else:
                self.on_event(NodeStarted(unique_id, index, len(ids)))
                result = self._operation(database, unique_id, name, extras)
            self.on_event(NodeFinished(result, index, len(ids)))
            failed = failed or result.status == "error"
            results.append(result)
        return results

    def _operation(self, database: LiveDatabase, unique_id: str, name: str, extras: Mapping[str, Any]) -> NodeResult:
        clock = Clock()
        node: Any = self.compiler.manifest.nodes[unique_id]
        sql = None
        try:
            with clock.phase("compile"):
                session = self.compiler.session(unique_id, database)
                for key, value in extras.items():
                    session.set(key, value)
                sql = session.render(node.raw_code)
            with clock.phase("execute"):
                if sql.strip():
                    database.execute(Statement(sql.strip(), purpose="hook", in_transaction=False))
        except Exception as error:  # noqa: BLE001 - a hook's error is its result
            database.rollback()
            message = f"{name} failed, error:\n {error}"
            return clock.result(
                unique_id, "error", message, failures=1, error=error, compiled_code=sql, thread_id="main"
            )
        return clock.result(unique_id, "success", f"{name} passed", failures=0, compiled_code=sql, thread_id="main")

    def _extras(self, results: Sequence[NodeResult]) -> dict[str, Any]:
        """What on-run-end hooks know beside the usual: `results`, `schemas`, `database_schemas` (dbt 1.11: after_run)."""
        nodes = self.compiler.manifest.nodes
        pairs = dict.fromkeys(
            (node.database, node.schema)
            for result in results
            if result.status not in ("error", "fail", "skipped") and (node := nodes.get(result.unique_id)) is not None
            if node.resource_type in ("model", "seed", "snapshot") or stores_failures(node, self.options.store_failures)
        )
        return {
            "results": [HookResult(result, nodes.get(result.unique_id)) for result in results],
            "schemas": list(dict.fromkeys(schema for _, schema in pairs)),
            "database_schemas": list(pairs),
        }


@dataclass(frozen=True, slots=True)
class HookResult:
    """A result as on-run-end hooks see it: the fields of `run_results.json` and the node."""

    result: NodeResult
    node: Node | None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.result, name)


class NodeWorker:
    """One thread's work: nodes, one after the other, on one connection."""

    def __init__(self, runner: _Runner) -> None:
        self.compiler, self.options, self.adapter = runner.compiler, runner.options, runner.adapter
        self.keys = runner.keys
        self.database = runner.database()

    def cancel(self) -> None:
        """Interrupt the statement that runs."""
        self.database.cancel()

    def close(self) -> None:
        """Leave the connection."""
        self.database.close()

    def run(self, step: Step) -> NodeResult:
        """Compile and execute a node; whatever goes wrong is the node's error."""
        clock = Clock()
        if step.action == "exposure":
            return clock.result(step.unique_id, "no-op", "NO-OP", failures=0)
        node = self.compiler.manifest.nodes[step.unique_id]
        known: dict[str, Any] = {"relation_name": node.relation_name}
        try:
            with clock.phase("compile"):
                sql = ""
                if not isinstance(node, Seed):
                    compiled = self.compiler.compile(step.unique_id, self.database)
                    sql = compiled.sql
                    known.update(compiled_code=sql, ctes=compiled.ctes)
            with clock.phase("execute"):
                outcome, verdict = self._execute(node, sql)
        except Exception as error:  # noqa: BLE001 - every error of a node is its result
            self._undo()
            return clock.result(step.unique_id, "error", error_text(error, node), error=error, **known)
        known["run_sql"] = outcome.sql
        return clock.result(step.unique_id, adapter_response=outcome.result.adapter_response(), **verdict, **known)

    def _execute(self, node: Node, sql: str) -> tuple[Outcome, dict[str, Any]]:
        """The materialization, and the status, message and failures that come of it."""
        if getattr(node, "language", "sql") != "sql":
            raise ExecutionError("Python models cannot be run yet", hint="Write the model in SQL, or leave it out.")
        steps = materialization(node.materialized, self.adapter.dialect.name)
        build = self._build(node, sql)
        keyed = self.adapter.dialect.ddl.keys_hold_tables and declares(node, *KEYS)
        try:
            with self.keys if keyed else nullcontext():  # two that share a table would be in each other's way
                outcome = drive(steps(build), self.database.send)
        except BaseException:
            self._restore(build)
            raise
        for leftover in build.leftovers:
            self.database.dropped(leftover)
        for relation in outcome.relations:
            self.database.added(relation)
        if node.resource_type != "test":
            return outcome, {"status": "success", "message": outcome.result.message}
        rows = outcome.result.rows
        if len(rows) != 1:
            raise ExecutionError(f"The test's query must give one row; it gave {len(rows)}")
        verdict = judge(rows[0], node.config, warn_error=self.options.warn_error)
        return outcome, {"status": verdict.status, "message": verdict.message, "failures": verdict.failures}

    def _build(self, node: Node, sql: str) -> Build:
        this = self.compiler.relation(node.unique_id)
        session = self.compiler.session(node.unique_id, self.database)
        session.set("sql", sql)
        session.set("compiled_code", sql)
        stored = node.resource_type == "test" and stores_failures(node, self.options.store_failures)
        built = node.resource_type != "test"
        return Build(
            node,
            this,
            sql,
            session,
            self.adapter.dialect,
            existing=self._find(this) if built or stored else None,
            leftovers=self._leftovers(this) if built else (),
            transactions=self.adapter.capabilities.transactions,
            seed=_seed_file(node) if isinstance(node, Seed) else None,
            store_failures=stored,
            added=self.database.added,
        )

    def _find(self, relation: Relation) -> Relation | None:
        """The relation with its type, quoted as the node wants it."""
        found = self.database.relation(relation.database, relation.schema or "", relation.identifier or "")
        return replace(found, quoting=relation.quoting) if found is not None else None

    def _leftovers(self, this: Relation) -> tuple[Relation, ...]:
        """What a killed run left of the relation; without transactions its names differ from run to run."""
        if self.adapter.capabilities.transactions:
            return tuple(found for name in temporary_names(this) if (found := self._find(name)))
        key, name = self.adapter.dialect.key, self.adapter.dialect.key(this)[2] or ""
        present = self.database.relations(this.schema_name)
        return tuple(
            replace(relation, quoting=this.quoting)
            for relation in present
            if is_temporary(key(relation)[2] or "", name)
        )

    def _restore(self, build: Build) -> None:
        """What was there before is what is there, once the transaction is undone."""
        if build.existing is not None:
            self.database.added(build.existing)
        else:
            self.database.dropped(build.this)

    def _undo(self) -> None:
        try:
            self.database.rollback()
        except UnderstudyError:
            return  # the node's own error is the one to tell


def _seed_file(node: Seed) -> SeedFile:
    return inspect_seed(
        os.path.join(node.root_path or "", node.original_file_path),
        delimiter=str(node.config.get("delimiter") or ","),
        text_columns=frozenset(node.config.get("column_types") or ()),
    )


def skipped(step: Step, cause: str | None, message: str | None) -> NodeResult:
    """The result of a step that does not run; dbt gives a message for --fail-fast only."""
    error = Cancelled("Interrupted") if message == INTERRUPTED else None
    return NodeResult(
        step.unique_id, "skipped", message, thread_id=threading.current_thread().name, cause=cause, error=error
    )


def error_text(error: BaseException, node: Node) -> str:
    """The message of a node's error: what, in which node and file, the driver's words, the next step."""
    if not isinstance(error, UnderstudyError):
        return f"{type(error).__name__}: {error}"
    line = error.place.line if error.place is not None and error.place.path == node.original_file_path else None
    where = f"{node.original_file_path}:{line}" if line else node.original_file_path
    lines = [f"{error.title} in {node.resource_type} {node.name} ({where})"]
    lines += [f"  {line}" for line in error.message.splitlines()]
    if error.hint:
        lines.append(f"  {error.hint}")
    return "\n".join(lines)


def _key(dialect: Dialect, database: str | None, schema: str) -> str:
    return str(dialect.key(dialect.relation(database, schema, None))[1])


class Clock:
    """Measures the phases of one node."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.phases: list[Timing] = []

    def phase(self, name: str) -> _Phase:
        """A context whose time is noted, also when it fails."""
        return _Phase(self, name)

    def result(self, unique_id: str, status: Any, message: str | None = None, **more: Any) -> NodeResult:
        """A result with the times so far."""
        more.setdefault("thread_id", threading.current_thread().name)
        elapsed = time.perf_counter() - self.started
        return NodeResult(unique_id, status, message, timing=tuple(self.phases), execution_time=elapsed, **more)


class _Phase:
    def __init__(self, clock: Clock, name: str) -> None:
        self.clock, self.name = clock, name

    def __enter__(self) -> None:
        self.begin = _now()

    def __exit__(self, *error: object) -> None:
        self.clock.phases.append(Timing(self.name, self.begin, _now()))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
