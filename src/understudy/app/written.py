"""What a command leaves under the target directory: SQL as nodes finish, artifacts at the end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime

from understudy.app.document import secrets, write_manifest
from understudy.app.invocation import Invocation
from understudy.app.load import Project
from understudy.artifacts.compiled import write_sql
from understudy.artifacts.manifest import CompiledCode
from understudy.artifacts.metadata import RUN_RESULTS, metadata
from understudy.artifacts.run_results import PriorResult, RunResult, RunResults, Timing, write_run_results
from understudy.artifacts.unfinished import Head, Journal, remove
from understudy.compile.compiler import Compiler
from understudy.core.nodes import BaseNode, Node, Seed, UnitTest
from understudy.execute.results import NodeResult


class Written:
    """Remembers what was compiled and sent, so that the manifest can name it."""

    def __init__(self, invocation: Invocation, project: Project, compiler: Compiler | None = None) -> None:
        self._invocation = invocation
        self._project = project
        self._compiler = compiler
        self._compiled: dict[str, CompiledCode] = {}
        self._built: dict[str, str] = {}
        self._journal: Journal | None = None

    def node(self, result: NodeResult) -> str | None:
        """Write a node's compiled and run SQL. Returns the compiled file's path, relative to the project."""
        node = self._project.manifest.get(result.unique_id)
        if not self._invocation.options.write_json:
            return None
        if isinstance(node, UnitTest):
            sql = result.compiled_code
            return None if sql is None else write_sql(node, "compiled", sql, **self._where())
        if not isinstance(node, BaseNode):
            return None
        path = None
        if result.compiled_code is not None:
            path = self._write_compiled(node, result.compiled_code, result.ctes)
            for unique_id, _ in result.ctes:
                self._ephemeral(unique_id)
        if result.run_sql:
            self._built[result.unique_id] = write_sql(node, "run", result.run_sql, **self._where())
        failed = False
        for batch in result.batches:
            if batch.compiled_code is not None:
                written = write_sql(node, "compiled", batch.compiled_code, batch=batch.label, **self._where())
                path = path if failed else written  # the first one that failed is the one to look at
            failed = failed or batch.error is not None
            if batch.run_sql:
                write_sql(node, "run", batch.run_sql, batch=batch.label, **self._where())
        return path

    def _write_compiled(self, node: Node, sql: str, ctes: Sequence[tuple[str, str]]) -> str | None:
        path = write_sql(node, "compiled", sql, **self._where()) if sql else None  # dbt writes no empty files
        called = () if self._compiler is None else self._compiler.called(node.unique_id)
        self._compiled[node.unique_id] = CompiledCode(sql, ctes, path, called)
        return path

    def _ephemeral(self, unique_id: str) -> None:
        """An ephemeral model is no node of the run, but it was compiled on the way."""
        if unique_id in self._compiled or self._compiler is None:
            return
        compiled = self._compiler.compile(unique_id, None)
        self._write_compiled(self._project.manifest.nodes[unique_id], compiled.sql, compiled.ctes)

    def _where(self) -> dict[str, str]:
        return {"project_dir": self._project.settings.root.root, "target_path": self._project.settings.target_path}

    def manifest(self) -> None:
        """Write `manifest.json`. Raises ArtifactError."""
        write_manifest(self._invocation, self._project, self._compiled, self._built)

    def begin(self, ids: Sequence[str]) -> None:
        """Note what the run is about, for `retry` after a kill."""
        if self._invocation.options.write_json:
            args = self._invocation.options.as_args()
            head = Head(RUN_RESULTS, self._invocation.id, args, list(ids))
            self._journal = Journal(self._project.target_dir, head, secrets(self._invocation.environ))

    def done(self, result: NodeResult) -> None:
        """Note what came of a node."""
        if self._journal is not None:
            response = {name: value for name, value in result.adapter_response.items() if name == "rows_affected"}
            self._journal.done(
                PriorResult(result.unique_id, str(result.status), result.execution_time, response, result.batch_results)
            )

    def artifacts(self, results: Sequence[NodeResult], seconds: float) -> None:
        """Write `manifest.json` and `run_results.json`. Raises ArtifactError."""
        if self._journal is not None:
            self._journal.close()
        for result in results:
            if result.unique_id.startswith("operation."):  # hooks of the run are not told as nodes
                self.node(result)
        self.manifest()
        if not self._invocation.options.write_json:
            return
        environ = self._invocation.environ
        document = RunResults(
            metadata=metadata(RUN_RESULTS, self._project.settings, now=datetime.now(UTC), env=environ),
            results=[as_artifact(result, self._project) for result in results],
            elapsed_time=seconds,
            args=self._invocation.options.as_args(),
        )
        write_run_results(
            document, os.path.join(self._project.target_dir, "run_results.json"), secrets=secrets(environ)
        )
        remove(self._project.target_dir)


def as_artifact(result: NodeResult, project: Project) -> RunResult:
    """A node's result as `run_results.json` has it: seeds without their relation, skipped nodes with it (dbt 1.11)."""
    node = project.manifest.nodes.get(result.unique_id)
    relation_name = result.relation_name if node is None else node.relation_name
    return RunResult(
        status=result.status,
        timing=[Timing(each.name, each.started_at, each.completed_at) for each in result.timing],
        thread_id=result.thread_id,
        execution_time=result.execution_time,
        adapter_response=dict(result.adapter_response),
        message=result.message,
        failures=result.failures,
        unique_id=result.unique_id,
        compiled=None if result.compiled_code is None else True,
        compiled_code=result.compiled_code,
        relation_name=None if isinstance(node, Seed) else relation_name,
        batch_results=result.batch_results,
    )
