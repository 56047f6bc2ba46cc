"""Data tests of one relation, asked by one query; what that does not settle is left to the tests one by one.

A test is settled only when the query says that no row fails. Then its result is what its own query would have given;
whatever fails, cannot be understood or ends in an error is run singly, with dbt's counts, messages and stored rows.
"""

from __future__ import annotations

import time

import msgspec
from msgspec.structs import replace

from understudy.core.nodes import Node
from understudy.core.statement import Result, Statement
from understudy.errors import UnderstudyError
from understudy.execute.build import Outcome, Steps
from understudy.execute.clock import Clock
from understudy.execute.custom import own_materialization
from understudy.execute.judge import judge
from understudy.execute.materialize import BUILT_IN, test
from understudy.execute.plan import Bundle, Step
from understudy.execute.results import NodeResult, Timing
from understudy.execute.worker import NodeWorker
from understudy.sql.fused import Check, fuse, recognise

OVERRIDES = ("get_test_sql", "get_limit_subquery_sql", "statement")
"""Where the project makes a test's query in a way of its own, nobody else knows what it counts."""
NOTHING_FAILS = (0, False, False)


class _Asked(msgspec.Struct):
    """A test that waits for its answer: its materialization stands before its main statement."""

    step: Step
    node: Node
    compiled: str
    ctes: tuple[tuple[str, str], ...]
    check: Check
    materialization: Steps
    clock: Clock
    seconds: float


def run_together(worker: NodeWorker, bundle: Bundle) -> list[NodeResult]:
    """The results of those tests that one query per relation settles. Raises nothing: the others are run singly."""
    by_relation: dict[str, list[_Asked]] = {}
    for step in bundle.steps:
        asked = _asked(worker, step)
        if asked is not None:
            by_relation.setdefault(asked.check.relation, []).append(asked)
    return [result for group in by_relation.values() if len(group) > 1 for result in _ask(worker, group)]


def _asked(worker: NodeWorker, step: Step) -> _Asked | None:
    """The test up to its main statement; None where it has to be run by itself, to its end or to its error."""
    clock, node = Clock(), worker.compiler.manifest.node(step.unique_id)
    try:
        with clock.phase("compile"):
            compiled = worker.compiler.compile(step.unique_id, worker.database)
        check = recognise(compiled.sql)
        if check is None:
            return None
        build = worker.build(node, compiled.sql)
        if own_materialization(build.macros, node, worker.adapter.dialect.name, BUILT_IN):
            return None
        if any(build.macros.overridden(macro) for macro in OVERRIDES):
            return None
        materialization = test(build)
        next(materialization)
    except Exception:  # noqa: BLE001 - run by itself, the test tells what is wrong
        return None
    seconds = time.perf_counter() - clock.started
    return _Asked(step, node, compiled.sql, compiled.ctes, check, materialization, clock, seconds)


def _ask(worker: NodeWorker, group: list[_Asked]) -> list[NodeResult]:
    execute = Clock()
    try:
        worker.prepare(group[0].node)
        with execute.phase("execute"):
            answer = worker.database.execute(
                Statement(fuse([each.check for each in group]), fetch=True, purpose="main")
            )
        (counts,) = answer.rows
    except (UnderstudyError, ValueError):
        worker.undo()
        counts = (None,) * len(group)
    share = (time.perf_counter() - execute.started) / len(group)
    found = []
    for asked, count in zip(group, counts, strict=True):
        if count == 0:
            found.append(_settled(asked, answer, execute.phases, share))
        else:
            asked.materialization.close()
    return found


def _settled(asked: _Asked, answer: Result, phases: list[Timing], share: float) -> NodeResult:
    """The result as the test's own query would have given it: a row that says that nothing fails."""
    row = replace(answer, columns=(), types=(), rows=(NOTHING_FAILS,))
    try:
        asked.materialization.send(row)
    except StopIteration as stop:
        outcome: Outcome = stop.value
    verdict = judge(NOTHING_FAILS, asked.node.config)
    asked.clock.phases += phases
    result = asked.clock.result(
        asked.step.unique_id,
        verdict.status,
        verdict.message,
        failures=verdict.failures,
        adapter_response=row.adapter_response(),
        relation_name=asked.node.relation_name,
        compiled_code=asked.compiled,
        ctes=asked.ctes,
        run_sql=outcome.sql,
    )
    return replace(result, execution_time=asked.seconds + share)
