"""Cloning: a relation of a state's environment, whole, under the node's own name.

`clone` does that instead of building; a build with `--clone-incrementals` does it first, and adds its rows then. A build
that fails takes the clone away with it: what stood there before stands there again, or nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing, suppress
from typing import Any

import msgspec
from msgspec.structs import replace as changed

from understudy.core.nodes import Contract, Model, Node
from understudy.core.relation import Relation
from understudy.core.statement import Result, Statement
from understudy.defer.clones import Clone
from understudy.defer.resolution import plain
from understudy.errors import UnderstudyError
from understudy.execute.batches import StepWorker
from understudy.execute.build import Build, Outcome, Steps, drive
from understudy.execute.clock import Clock
from understudy.execute.custom import own_materialization
from understudy.execute.database import anew
from understudy.execute.materialize import BUILT_IN
from understudy.execute.microbatch import is_microbatch
from understudy.execute.parts import after, before, begin, commit, drop, rename, replace, swap
from understudy.execute.plan import Step
from understudy.execute.results import NodeResult
from understudy.execute.worker import error_text
from understudy.template.objects import unwrap

MATERIALIZATION = "clone"
"""Under this name a project can write its own (dbt 1.11: materialization clone)."""


def clone(build: Build) -> Steps:
    """The rows of the state's table, or a view upon its view, in place of whatever stands there.

    No hooks run: nothing is built. Without a copy of the engine's own (`can_clone_table`, `create_or_replace_clone`, which a
    project may override), the query of `get_clone_query_sql` fills a table.
    """
    found = build.clone
    assert found is not None  # only what can be cloned gets here
    assert found.source is not None
    call, source = build.macros.call, found.source
    if found.kind == "view":
        return (yield from replace(changed(build, sql=f"select * from {source}"), "view"))
    if source.type == "table" and build.limit is None and call("can_clone_table"):
        return (yield from _zero_copy(build, source))
    query = str(call("get_clone_query_sql", source, build.limit))
    return (yield from replace(changed(build, sql=query), "table"))


def _zero_copy(build: Build, source: Relation) -> Steps:
    """The engine's own copy, which replaces a table by itself; anything else is swapped out."""
    target, existing = build.this.with_type("table"), build.existing
    alone = existing is None or existing.type == "table"
    place = target if alone else unwrap(build.macros.call("make_intermediate_relation", target)).with_type("table")
    yield from before(build)
    sql = str(build.macros.call("create_or_replace_clone", place, source))
    result = yield Statement(sql, purpose="main")
    if not alone:
        yield from swap(build, place, target)
    yield from after(build, target, fresh=False)
    return Outcome(result, sql, (target,))


def set_aside(build: Build, backup: Relation) -> Steps:
    """Give what stands there another name, as long as the build may fail."""
    assert build.existing is not None
    yield from begin(build)
    for leftover in build.leftovers:
        yield from drop(build, leftover)
    yield from rename(build, build.existing, backup)
    yield from commit(build)
    return Outcome(Result(), "")


def put_back(build: Build, backup: Relation | None) -> Steps:
    """Take the clone away, and let what stood there have its name again."""
    ddl = build.dialect.ddl
    yield from begin(build)
    yield Statement(ddl.drop(build.this.with_type("table")), purpose="drop")
    if backup is not None:
        yield Statement(ddl.rename(backup, build.this.identifier or ""), purpose="rename")
    yield from commit(build)
    return Outcome(Result(), "")


def let_go(build: Build, backup: Relation) -> Steps:
    """The build has succeeded: nobody needs what stood there."""
    yield from begin(build)
    yield Statement(build.dialect.ddl.drop(backup), purpose="drop")
    yield from commit(build)
    return Outcome(Result(), "")


def unbound(node: Node) -> Node:
    """The node without its contract, for relations that were built by another one."""
    if not isinstance(node, Model) or not node.contract.enforced:
        return node
    config = {**node.config, "contract": {**(node.config.get("contract") or {}), "enforced": False}}
    return msgspec.structs.replace(node, config=config, contract=Contract(enforced=False))


class CloningWorker(StepWorker):
    """One thread's work: nodes are built, cloned, or first cloned and then built upon."""

    def run(self, step: Step) -> NodeResult:
        """Clone where the step says so; whatever goes wrong is the node's error."""
        if step.clone is None:
            return super().run(step)
        node, clock = self.compiler.manifest.nodes[step.unique_id], Clock()
        known: dict[str, Any] = {"relation_name": node.relation_name}
        if not step.clone.cloned:
            return clock.result(step.unique_id, "no-op", f"No-op: {step.clone.fate}", **known)
        first = step.action != "clone"
        try:
            self.prepare(node)
            with clock.phase("compile"):
                build, backup = self._begun(node, step.clone, first=first)
            with clock.phase("execute"):
                outcome = self._cloned(build, backup)
        except Exception as error:  # noqa: BLE001 - every error of a node is its result
            self.undo()
            return clock.result(step.unique_id, "error", error_text(error, node), error=error, **known)
        if first:
            return self._upon(step, build, backup, clock)
        result = outcome.result
        known.update(adapter_response=_response(result.adapter_response(), build), run_sql=outcome.sql)
        return clock.result(step.unique_id, "success", result.message, **known)

    def _begun(self, node: Node, found: Clone, *, first: bool) -> tuple[Build, Relation | None]:
        """The clone as a build, and the name under which what stands there waits, where nothing else keeps it."""
        bound = found.same_contract and found.kind == "table"
        together = self._together(node)
        build = self.build(
            node if bound else unbound(node),
            "",
            hooks=frozenset(),
            clone=found,
            limit=self.options.clone_limit,
            commits=not (first and together),
        )
        if not first or together or build.existing is None:
            return build, None
        return build, unwrap(build.macros.call("make_backup_relation", build.existing, build.existing.type))

    def _together(self, node: Node) -> bool:
        """Whether clone and build are one transaction: not where the build has several, or something outside of it."""
        outside = any(not hook.get("transaction", True) for hook in node.config.get("pre-hook") or ())
        return self.adapter.capabilities.transactions and not is_microbatch(node.config) and not outside

    def _cloned(self, build: Build, backup: Relation | None) -> Outcome:
        if backup is not None:
            drive(set_aside(build, backup), self.database.execute)
            self.database.dropped(backup)  # else it would be taken for what a killed run has left
        try:
            own = own_materialization(build.macros, build.node, self.adapter.dialect.name, BUILT_IN, MATERIALIZATION)
            bare = build if backup is None else changed(build, existing=None, leftovers=())
            return self.carry_out(bare, None if own else clone, own)
        except BaseException:
            self.undo()
            if backup is not None:
                self._put_back(build, backup)
            raise

    def _upon(self, step: Step, build: Build, backup: Relation | None, clock: Clock) -> NodeResult:
        """Build upon the clone. When that fails, what was there before is what is there."""
        result, more = super().run(step), ""
        if result.status == "error":
            if build.commits:
                more = self._put_back(build, backup)
            else:  # it went with the transaction
                self._restore(build)
        elif backup is not None:
            with suppress(UnderstudyError):  # it goes with the next run, as what a killed one has left
                drive(let_go(build, backup), self.database.execute)
        return changed(
            result,
            message=f"{result.message}{more}" if more else result.message,
            adapter_response=_response(result.adapter_response, build) if result.status != "error" else {},
            timing=(*clock.phases, *result.timing),
            execution_time=time.perf_counter() - clock.started,
        )

    def _put_back(self, build: Build, backup: Relation | None) -> str:
        """On a connection of its own, which no interrupt and no lost server has reached; what goes wrong is told."""
        try:
            with closing(anew(self.database)) as database:
                drive(put_back(build, backup), database.execute)
            self._restore(build)
        except UnderstudyError as error:
            return f"\n  What was cloned into {build.this} could not be taken away: {error.message}"
        return ""


def _response(response: Mapping[str, Any], build: Build) -> dict[str, Any]:
    source = build.clone.source if build.clone is not None else None
    return {**response, "cloned_from": plain(source)} if source is not None else dict(response)
