"""Run a plan: schemas, on-run-start, every step on its thread's connection, on-run-end."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from understudy.adapters.base import Adapter
from understudy.core.statement import Statement
from understudy.errors import Cancelled
from understudy.execute.clock import Clock
from understudy.execute.cloning import CloningWorker
from understudy.execute.comments import query_comment
from understudy.execute.database import LiveDatabase, RelationCache
from understudy.execute.events import NodeEvent, NodeFinished, NodeStarted
from understudy.execute.hook_results import HookResult
from understudy.execute.microbatch import is_microbatch
from understudy.execute.plan import Plan, Step, stores_failures
from understudy.execute.results import BLOCKING, NodeResult
from understudy.execute.scheduler import Hooks, Tasks, Worker, run_steps
from understudy.execute.worker import Compiler, RunOptions, Session, Work, skipped
from understudy.sql.comment import Comment
from understudy.sql.dialect import Dialect


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
        self.tasks: Tasks = queue.SimpleQueue()
        self.work = Work(compiler, adapter, options, self.tasks.put)

    def go(self) -> list[NodeResult]:
        """Everything in its order."""
        main = self.database()
        try:
            if self.plan.steps:
                main.comment = self._comment(main)
            self._create_schemas(main)
            before = self._operations(main, self.plan.on_run_start, "on-run-start", {})
            results = run_steps(
                self.plan.steps,
                self._worker,
                Hooks(self._started, self._finished, skipped),
                threads=self._threads(),
                blocks=self._blocks,
                fail_fast=self.options.fail_fast,
                tasks=self.tasks,
            )
            hooks = self.plan.on_run_end
            if not hooks or any(isinstance(result.error, Cancelled) for result in results):
                return [*before, *results]
            return [*before, *results, *self._operations(main, hooks, "on-run-end", self._extras(results))]
        finally:
            main.close()

    def _comment(self, database: LiveDatabase) -> Comment | None:
        """What statements of the run itself carry."""
        return query_comment(self.compiler.settings, lambda: self.compiler.session(None, database), None)

    def _worker(self) -> Worker:
        database = self.database()
        return CloningWorker(self.work, database) if self.worker is None else self.worker(database)

    def _threads(self) -> int:
        """As many as there are nodes, and not more than were asked for; batches of one node can use more."""
        nodes = self.compiler.manifest.nodes
        found = (nodes.get(step.unique_id) for step in self.plan.steps)
        if any(node is not None and is_microbatch(node.config) for node in found):
            return self.options.threads
        return min(self.options.threads, len(self.plan.steps))

    def database(self) -> LiveDatabase:
        """A database for one thread; it connects when it is used."""
        return LiveDatabase(self.adapter.connect, self.cache, self.adapter.dialect, self.options.observe)

    def _create_schemas(self, database: LiveDatabase) -> None:
        """The schemas that are missing, once; one list of schemas per database."""
        session = self.compiler.session(None, database)
        existing: dict[str | None, set[str]] = {}
        dialect: Dialect = self.adapter.dialect
        for name in self.plan.schemas:
            if name.database not in existing:
                existing[name.database] = {
                    _key(dialect, name.database, schema) for schema in _schemas(session, database, name.database)
                }
            key = _key(dialect, name.database, name.schema)
            if key not in existing[name.database]:
                session.call("create_schema", dialect.relation(name.database, name.schema, None))
                existing[name.database].add(key)

    def _blocks(self, result: NodeResult) -> bool:
        """An error keeps everything below from running; in `build` a failed test does, too."""
        return result.status in BLOCKING or (self.plan.tests_block and result.status == "fail")

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
        for index, unique_id in enumerate(ids, 1):
            node = self.compiler.manifest.nodes[unique_id]
            name = f"{node.package_name}.{kind}.{index - 1}"
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
                database.comment = self._comment(database)
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
        manifest = self.compiler.manifest
        nodes = manifest.nodes
        pairs = dict.fromkeys(
            (node.database, node.schema)
            for result in results
            if result.status not in (*BLOCKING, "fail", "skipped") and (node := nodes.get(result.unique_id)) is not None
            if node.resource_type in ("model", "seed", "snapshot") or stores_failures(node, self.options.store_failures)
        )
        return {
            "results": [HookResult(result, manifest.get(result.unique_id)) for result in results],
            "schemas": list(dict.fromkeys(schema for _, schema in pairs)),
            "database_schemas": list(pairs),
        }


def _schemas(session: Session, database: LiveDatabase, name: str | None) -> Iterable[str]:
    """The schemas of a database; the project's own macro gives a table with a row each."""
    if session.overridden("list_schemas"):
        return [str(row.values()[0]) for row in session.call("list_schemas", name).rows]
    return database.schemas(name)


def _key(dialect: Dialect, database: str | None, schema: str) -> str:
    return str(dialect.key(dialect.relation(database, schema, None))[1])
