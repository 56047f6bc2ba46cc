"""What one thread does with a node: compile it, materialize or test it, on the thread's connection."""

from __future__ import annotations

import os.path
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from understudy.adapters.base import Adapter
from understudy.core.batch import Batch
from understudy.core.manifest import Manifest
from understudy.core.nodes import Model, Node, Seed, UnitTest
from understudy.core.project import Settings
from understudy.core.relation import Relation
from understudy.core.statement import Statement
from understudy.defer.clones import Clone
from understudy.errors import Cancelled, ExecutionError, UnderstudyError
from understudy.execute.build import BOTH, Build, Macros, Outcome, SeedFile, Steps, drive, sender
from understudy.execute.clock import Clock
from understudy.execute.comments import query_comment
from understudy.execute.custom import own_materialization, run_custom, wrong_language
from understudy.execute.database import LiveDatabase, Observer
from understudy.execute.judge import judge
from understudy.execute.materialize import BUILT_IN, PYTHON, is_temporary, materialization, temporary_names
from understudy.execute.parts import KEYS, declares
from understudy.execute.plan import Step, stores_failures
from understudy.execute.results import Moments, NodeResult
from understudy.execute.scheduler import INTERRUPTED, Task
from understudy.execute.seed_file import delimiter_of, inspect_seed, seed_rows
from understudy.execute.unit_tests import run_unit_test
from understudy.template.agate_tables import to_agate
from understudy.template.macros import Found
from understudy.template.objects import unwrap


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

    settings: Settings
    node: Node | None

    def set(self, name: str, value: Any) -> None:
        """Add a name to the templates' context."""


class Compiler(Protocol):
    """compile.Compiler, as far as it is used here."""

    manifest: Manifest
    settings: Settings

    def compile(self, unique_id: str, database: Any, *, batch: Batch | None = None) -> Compiled:
        """Compile a node, or a batch of it. Raises JinjaError, LinkError ..."""

    def session(self, unique_id: str | None, database: Any, *, batch: Batch | None = None) -> Session:
        """The node's templates."""

    def relation(self, unique_id: str) -> Relation:
        """The node's own relation."""


class RunOptions(msgspec.Struct, frozen=True):
    """How a plan is run.

    `warn_error`: a test that would warn fails. `observe` is told of every statement. `full_refresh`, `now`, `event_time_start`
    and `event_time_end` say which batches microbatch models have; `again` has the batches of those that are retried.
    `batch_own_strategies`: also models whose strategy is the project's own macro. `clone_limit`: the rows of a clone.
    """

    threads: int = 1
    fail_fast: bool = False
    store_failures: bool = False
    warn_error: bool = False
    observe: Observer | None = None
    full_refresh: bool = False
    now: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))
    event_time_start: datetime | None = None
    event_time_end: datetime | None = None
    again: Mapping[str, Again] = msgspec.field(default_factory=dict)
    batch_own_strategies: bool = False
    clone_limit: int | None = None


class Again(msgspec.Struct, frozen=True):
    """Of a microbatch model that is retried: the windows that failed, and those that were built before."""

    failed: tuple[Moments, ...]
    successful: tuple[Moments, ...] = ()


class Work(msgspec.Struct, frozen=True):
    """What the workers of a run share. `share` gives a part of a step to whichever worker has time."""

    compiler: Compiler
    adapter: Adapter
    options: RunOptions
    share: Callable[[Task], None] = lambda task: None
    keys: threading.Lock = msgspec.field(default_factory=threading.Lock)
    """Held while a table with keys is built, on engines where two that share a table would be in each other's way."""


class NodeWorker:
    """One thread's work: nodes, one after the other, on one connection."""

    def __init__(self, work: Work, database: LiveDatabase) -> None:
        self.work, self.database, self.cancelled = work, database, False
        self.compiler, self.options, self.adapter, self.keys = work.compiler, work.options, work.adapter, work.keys

    def cancel(self) -> None:
        """Interrupt the statement that runs."""
        self.cancelled = True
        self.database.cancel()

    def close(self) -> None:
        """Leave the connection."""
        self.database.close()

    def run(self, step: Step) -> NodeResult:
        """Compile and execute a node; whatever goes wrong is the node's error."""
        clock = Clock()
        if step.action in ("exposure", "saved_query"):
            return clock.result(step.unique_id, "no-op", "NO-OP", failures=0)
        if step.action == "unit_test":
            return self._unit_test(step, clock)
        node = self.compiler.manifest.node(step.unique_id)
        known: dict[str, Any] = {"relation_name": node.relation_name}
        try:
            self.prepare(node)
            self._bring_back(node)
            with clock.phase("compile"):
                sql = ""
                if not isinstance(node, Seed):
                    compiled = self.compiler.compile(step.unique_id, self.database)
                    sql = compiled.sql
                    known.update(compiled_code=sql, ctes=compiled.ctes)
            with clock.phase("execute"):
                outcome, verdict = self._execute(node, sql)
        except Exception as error:  # noqa: BLE001 - every error of a node is its result
            self.undo()
            return clock.result(step.unique_id, "error", error_text(error, node), error=error, **known)
        known["run_sql"] = outcome.sql
        return clock.result(step.unique_id, adapter_response=outcome.result.adapter_response(), **verdict, **known)

    def _unit_test(self, step: Step, clock: Clock) -> NodeResult:
        test, known = self.compiler.manifest.unit_tests[step.unique_id], dict[str, Any]()
        try:
            with clock.phase("compile"):
                compiled = self.compiler.compile(step.unique_id, self.database)
                known.update(compiled_code=compiled.sql, ctes=compiled.ctes)
            with clock.phase("execute"):
                session = self.compiler.session(test.depends_on.nodes[0], self.database)
                result, verdict = run_unit_test(test, compiled.sql, session, self.database, self.adapter.dialect)
        except Exception as error:  # noqa: BLE001 - every error of a unit test is its result
            self.undo()
            return clock.result(step.unique_id, "error", error_text(error, test), error=error, **known)
        return clock.result(step.unique_id, adapter_response=result.adapter_response(), **verdict, **known)

    def _execute(self, node: Node, sql: str) -> tuple[Outcome, dict[str, Any]]:
        """The materialization, and the status, message and failures that come of it."""
        outcome = self.materialize(self.build(node, sql))
        if node.resource_type != "test":
            return outcome, {"status": "success", "message": outcome.result.message}
        rows = outcome.result.rows
        if len(rows) != 1:
            raise ExecutionError(f"The test's query must give one row; it gave {len(rows)}")
        verdict = judge(rows[0], node.config, warn_error=self.options.warn_error)
        return outcome, {"status": verdict.status, "message": verdict.message, "failures": verdict.failures}

    def materialize(self, build: Build) -> Outcome:
        """Build it, and note what stands then. Raises what goes wrong; the cache is as it was."""
        node = build.node
        engine = self.adapter.dialect.name
        if build.is_python and not self.adapter.capabilities.python:
            raise ExecutionError(f"Python models cannot be run on {engine}", hint="Write the model in SQL.")
        own = own_materialization(build.macros, node, engine, BUILT_IN)
        if build.is_python and own is None and node.materialized not in PYTHON:
            raise wrong_language(f"materialization_{node.materialized}_default", ["sql"], "python")
        return self.carry_out(build, None if own else materialization(node.materialized, engine), own)

    def carry_out(self, build: Build, steps: Callable[[Build], Steps] | None, own: Found | None) -> Outcome:
        """Do what a materialization says: ours (`steps`) or the project's `own`."""
        self.database.changed |= bool(build.config.get("sql_header"))
        keyed = self.adapter.dialect.ddl.keys_hold_tables and declares(build.node, *KEYS)
        try:
            with self.keys if keyed else nullcontext():  # two that share a table would be in each other's way
                send = sender(build.macros, self.database.execute)
                outcome = drive(steps(build), send) if steps else run_custom(build, self.database, own)
        except BaseException:
            self._restore(build)
            raise
        for leftover in build.leftovers if steps else ():
            self.database.dropped(leftover)
        for relation in outcome.relations:
            self.database.added(relation)
        return outcome

    def build(self, node: Node, sql: str, *, batch: Batch | None = None, **more: Any) -> Build:
        """What a materialization needs to know; `more` are fields of Build."""
        this = self.compiler.relation(node.unique_id)
        session = self.compiler.session(node.unique_id, self.database, batch=batch)
        clone: Clone | None = more.get("clone")
        if clone is not None:
            session.node = node  # which may have been freed of its contract
            session.set("defer_relation", clone.source)
        session.set("sql", sql)
        session.set("compiled_code", sql)
        for kind in BOTH - more.get("hooks", BOTH):
            session.set(kind.replace("-", "_") + "s", [])
        if more.get("extends"):
            session.set("is_incremental", lambda: True)
            session.set("should_full_refresh", lambda: False)
        seed = _seed_file(node) if isinstance(node, Seed) and clone is None else None
        if seed is not None:
            session.set("load_agate_table", lambda: to_agate(seed_rows(seed)))
        stored = node.resource_type == "test" and stores_failures(node, self.options.store_failures)
        built = node.resource_type not in ("test", "function")
        return Build(
            node,
            this,
            sql,
            session,
            self.adapter.dialect,
            existing=self._existing(session, node, this) if built or stored else None,
            leftovers=self._leftovers(this) if built else (),
            transactions=self.adapter.capabilities.transactions,
            root=_root(session.settings, node),
            seed=seed,
            store_failures=stored,
            added=self.database.added,
            **more,
        )

    def _existing(self, session: Session, node: Node, this: Relation) -> Relation | None:
        """What stands under the node's name; the project's own macros may know it better."""
        found = None
        if node.resource_type == "snapshot" and session.overridden("get_or_create_relation"):
            exists, relation = session.call(
                "get_or_create_relation", this.database, this.schema, this.identifier, "table"
            )
            found = relation if exists else None
        elif session.overridden("load_cached_relation"):
            found = session.call("load_cached_relation", this)
        else:
            return self.find(this)
        return None if found is None else replace(unwrap(found), quoting=this.quoting)

    def find(self, relation: Relation) -> Relation | None:
        """The relation with its type, quoted as the node wants it."""
        found = self.database.relation(relation.database, relation.schema or "", relation.identifier or "")
        return replace(found, quoting=relation.quoting) if found is not None else None

    def _leftovers(self, this: Relation) -> tuple[Relation, ...]:
        """What a killed run left of the relation; without transactions its names differ from run to run."""
        if self.adapter.capabilities.transactions:
            return tuple(found for name in temporary_names(this) if (found := self.find(name)))
        key, name = self.adapter.dialect.key, self.adapter.dialect.key(this)[2] or ""
        present = self.database.relations(this.schema_name)
        return tuple(
            replace(relation, quoting=this.quoting)
            for relation in present
            if is_temporary(key(relation)[2] or "", name)
        )

    def _bring_back(self, node: Node) -> None:
        """Without transactions: a run that was killed in the moment of a swap has left the old table under the backup's
        name. It gets its own name again before anybody asks for it (`is_incremental()`, the materialization)."""
        if self.adapter.capabilities.transactions or not isinstance(node, Model | Seed):
            return
        this = self.compiler.relation(node.unique_id)
        backup = self.find(temporary_names(this)[1])
        if backup is not None and self.find(this) is None:
            rename = self.adapter.dialect.ddl.rename(backup, this.identifier or "")
            self.database.execute(Statement(rename, purpose="restore"))
            self.database.renamed(backup, this.with_type(backup.type))

    def _restore(self, build: Build) -> None:
        """What was there before is what is there, once the transaction is undone."""
        if build.existing is not None:
            self.database.added(build.existing)
        else:
            self.database.dropped(build.this)

    def prepare(self, node: Node) -> None:
        """Before a node's first statement: its comment. Raises what a template raises."""
        compiler, database = self.compiler, self.database
        database.comment = query_comment(compiler.settings, lambda: compiler.session(node.unique_id, database), node)

    def undo(self) -> None:
        """Undo an open transaction."""
        try:
            self.database.rollback()
        except UnderstudyError:
            return  # the node's own error is the one to tell


def _root(settings: Settings, node: Node) -> str:
    package = settings.package(node.package_name)
    return package.root if package is not None else settings.root.root


def _seed_file(node: Seed) -> SeedFile:
    return inspect_seed(
        os.path.join(node.root_path or "", node.original_file_path),
        delimiter=delimiter_of(node.config),
        text_columns=frozenset(node.config.get("column_types") or ()),
    )


def skipped(step: Step, cause: str | None, message: str | None) -> NodeResult:
    """The result of a step that does not run; dbt gives a message for --fail-fast only."""
    error = Cancelled("Interrupted") if message == INTERRUPTED else None
    return NodeResult(
        step.unique_id, "skipped", message, thread_id=threading.current_thread().name, cause=cause, error=error
    )


def error_text(error: BaseException, node: Node | UnitTest) -> str:
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
