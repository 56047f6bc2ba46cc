"""Execute and write: run what was selected, tell of it as it goes, leave artifacts behind."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from functools import partial
from itertools import islice

from understudy.app import announce, deferral, planning
from understudy.app.commands import COMMANDS
from understudy.app.event_time import Window, event_window, sample_window
from understudy.app.events import NodeFinished, NodeStarted, Table
from understudy.app.invocation import Invocation, Outcome
from understudy.app.load import Project
from understudy.app.publishing import publish, stands
from understudy.app.ready import Ready, exists, holding, observer, ready
from understudy.app.written import Written
from understudy.core.nodes import Seed
from understudy.errors import ArtifactError, Cancelled
from understudy.execute import events as node_events
from understudy.execute.results import FAILED, NodeResult, with_nodes
from understudy.execute.runner import run
from understudy.execute.worker import RunOptions

SHOWN_ROWS = 10
"""How many rows of a seed `--show` prints, as dbt does."""


def execute(invocation: Invocation) -> Outcome:
    """`run`, `test`, `seed` and `build`. Exit code 1 when a node failed; errors before the first statement are raised."""
    options = invocation.options
    window = sample_window(options, invocation.started) or event_window(options)
    with ready(invocation, COMMANDS[options.command]) as all_set, holding(invocation, all_set.project):
        project, decided = all_set.project, all_set.deferral
        plan = planning.planned(invocation, all_set)
        announce.selected(invocation, project, [step.unique_id for step in plan.steps], decided)
        deferral.tell(invocation, decided)
        if options.explain:
            planning.tell(invocation, all_set, plan)
        written = Written(invocation, project, all_set.compiler)
        all_set.applied.announce(
            plan,
            partial(exists, all_set.adapter, all_set.cache),
            transactions=all_set.adapter.capabilities.transactions,
        )
        written.begin([step.unique_id for step in plan.steps])
        started = time.perf_counter()
        told_of: list[NodeResult] = []
        try:
            results = run(
                plan,
                all_set.compiler,
                all_set.adapter,
                run_options(invocation, project, window),
                lambda event: _noted(invocation, all_set, written, event, told_of),
                cache=all_set.cache,
            )
        except BaseException:
            with contextlib.suppress(ArtifactError):  # the first error is the one to tell
                _leave(invocation, all_set, written, told_of, time.perf_counter() - started)
            raise
        for result in results:  # of a run that was cut short, not every node was told
            all_set.applied.confirm(result)
        seconds = time.perf_counter() - started
        _leave(invocation, all_set, written, results, seconds)
    interrupted = any(isinstance(result.error, Cancelled) for result in results)
    durations = all_set.states.durations()
    if options.show:
        _show_seeds(invocation, project, results)
    announce.total(invocation, project, results, seconds, decided, durations, interrupted=interrupted)
    failed = interrupted or any(result.status in FAILED for result in results)
    return Outcome(int(failed), with_nodes(results, project.manifest.get, seconds))


def _leave(
    invocation: Invocation, all_set: Ready, written: Written, results: Sequence[NodeResult], seconds: float
) -> None:
    """Write down what was done, and what is built by now, while the engine is closed. Raises ArtifactError."""
    built = stands(invocation, all_set) if COMMANDS[invocation.options.command].builds else None
    all_set.release()
    written.artifacts(results, seconds)
    if built is not None:
        publish(invocation, all_set.project, built)


def _noted(
    invocation: Invocation, all_set: Ready, written: Written, event: node_events.NodeEvent, results: list[NodeResult]
) -> None:
    """Record what a node left behind before anybody is told."""
    if isinstance(event, node_events.NodeFinished):
        results.append(event.result)
        all_set.applied.confirm(event.result)
        written.done(event.result)
    told(invocation, all_set.project, written, event)


def _show_seeds(invocation: Invocation, project: Project, results: Sequence[NodeResult]) -> None:
    """The first rows of each seed that was loaded (`--show`)."""
    from understudy.app.showing import seed_preview

    for result in results:
        node = project.manifest.nodes.get(result.unique_id)
        if isinstance(node, Seed) and result.status == "success":
            rows = seed_preview(node, SHOWN_ROWS)
            invocation.emit(Table(f"{node.schema}.{node.alias}", rows.columns, rows.rows))


def run_options(invocation: Invocation, project: Project, window: Window = (None, None)) -> RunOptions:
    """How the runner is to run; `window` is the command line's, for microbatch models."""
    options, retried = invocation.options, invocation.retried
    return RunOptions(
        threads=project.settings.target.threads,
        fail_fast=options.fail_fast,
        store_failures=options.store_failures,
        warn_error=invocation.rules.verdict("LogTestResult") == "error",
        observe=observer(invocation),
        full_refresh=options.full_refresh,
        now=invocation.started,
        event_time_start=window[0],
        event_time_end=window[1],
        again=retried.batches if retried is not None else {},
        clone_limit=0 if options.empty else options.clone_limit,
        batch_own_strategies=bool(
            project.settings.flags.get("require_batched_execution_for_custom_microbatch_strategy")
        ),
    )


def told(invocation: Invocation, project: Project, written: Written, event: node_events.NodeEvent) -> None:
    """Tell of a node, and write its SQL when it is done."""
    match event:
        case node_events.NodeStarted(unique_id, index, total):
            kind, name = announce.label(project, unique_id)
            invocation.emit(NodeStarted(unique_id, kind, name, index, total))
        case node_events.NodeFinished(result, index, total):
            compiled_path = written.node(result)
            invocation.emit(finished(project, result, compiled_path, index, total))


def finished(project: Project, result: NodeResult, compiled_path: str | None, index: int, total: int) -> NodeFinished:
    """A node's result as it is told."""
    kind, name = announce.label(project, result.unique_id)
    place = project.manifest.place(result.unique_id)
    rows = result.failures if kind == "test" else result.adapter_response.get("rows_affected")
    plain = result.status in ("success", "pass") or result.message == "NO-OP"
    skipped_for = f"because of {result.cause}" if result.cause else None
    return NodeFinished(
        unique_id=result.unique_id,
        kind=kind,
        name=name,
        status=result.status,
        seconds=result.execution_time,
        rows=rows if isinstance(rows, int) and rows >= 0 else None,
        message="" if plain else (_message(result) or skipped_for or ""),
        path=place.path,
        line=place.line,
        compiled_path=compiled_path,
        index=index,
        total=total,
    )


def _message(result: NodeResult) -> str:
    """What went wrong; for a microbatch model with the batches that failed, those of one error together."""
    failed: dict[str, list[str]] = {}
    for each in result.batches:
        if each.error is not None:
            failed.setdefault(each.message or "", []).append(each.label)
    head = [] if failed and result.message == "ERROR" else [result.message or ""]
    told = [f"{_batches(labels)}: {message}" for message, labels in islice(failed.items(), ERRORS_TOLD)]
    left = sum(len(labels) for labels in islice(failed.values(), ERRORS_TOLD, None))
    return "\n".join([*head, *told, *([f"and {left} more with errors of their own"] if left else [])])


ERRORS_TOLD = 5
"""How many different errors of a model's batches are told; there can be a thousand batches."""


def _batches(labels: Sequence[str]) -> str:
    match labels:
        case [label]:
            return f"batch {label}"
        case [*some, last] if len(labels) <= 3:
            return f"batches {', '.join(some)} and {last}"
    return f"batches {', '.join(labels[:2])} and {len(labels) - 2} more"
