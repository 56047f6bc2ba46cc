"""`source freshness`: how old the sources' data is (dbt 1.11: FreshnessTask)."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from understudy.app import announce, deferral
from understudy.app.commands import COMMANDS
from understudy.app.document import secrets
from understudy.app.execution import run_options, told
from understudy.app.invocation import Invocation, Outcome
from understudy.app.load import Project
from understudy.app.ready import Ready, ready
from understudy.app.written import Written
from understudy.artifacts.metadata import SOURCES, metadata, scrubber
from understudy.artifacts.run_results import Timing
from understudy.artifacts.sources import SourceError, SourceFreshness, Sources, write_sources
from understudy.artifacts.state_files import SOURCES as FILE
from understudy.core.warning import Warning_
from understudy.errors import Cancelled
from understudy.execute.freshness import FreshnessWorker, Measured, is_checked
from understudy.execute.plan import Plan, Step, hooks_of
from understudy.execute.results import FAILED, NodeResult
from understudy.execute.runner import run

OUTPUT_WARNING = "CustomOutputPathInSourceFreshnessDeprecation"
HOOKS_WARNING = "SourceFreshnessProjectHooksNotRun"


def freshness(invocation: Invocation) -> Outcome:
    """Measure the selected sources that expect to be fresh, and write `sources.json`.

    Exit code 1 when one is too old, or could not be asked. Raises what `ready` raises, and ArtifactError.
    """
    if invocation.options.output:
        text = f"dbt plans to drop --output of source freshness; --target-path and {FILE} there stay"
        invocation.warn(Warning_(OUTPUT_WARNING, text))
    found: dict[str, Measured] = {}
    with ready(invocation, COMMANDS["source freshness"]) as all_set:
        project = all_set.project
        plan = _plan(invocation, project, all_set.selection.nodes)
        announce.selected(invocation, project, [step.unique_id for step in plan.steps], all_set.deferral)
        deferral.tell(invocation, all_set.deferral)
        started = time.perf_counter()
        results = _measure(invocation, all_set, plan, found)
    seconds = time.perf_counter() - started
    interrupted = any(isinstance(result.error, Cancelled) for result in results)
    Written(invocation, project).manifest()
    checked = [result for result in results if result.unique_id in project.manifest.sources]
    document = _document(invocation, project, checked, found, seconds)
    if invocation.options.write_json:
        given = invocation.options.output
        write_sources(
            document, os.path.join(invocation.cwd, given) if given else os.path.join(project.target_dir, FILE)
        )
    announce.total(invocation, project, results, seconds, None, {}, interrupted=interrupted)
    failed = interrupted or any(result.status in FAILED for result in results)
    return Outcome(int(failed), document)


def _plan(invocation: Invocation, project: Project, ids: Sequence[str]) -> Plan:
    """The sources to ask; hooks of the project run with them unless its flag says otherwise."""
    manifest = project.manifest
    steps = tuple(Step(each, "source") for each in ids if is_checked(manifest.sources[each]))
    before, after = hooks_of(manifest, "on-run-start"), hooks_of(manifest, "on-run-end")
    if not steps:
        return Plan(())
    if project.settings.flags.get("source_freshness_run_project_hooks", True):
        return Plan(steps, on_run_start=before, on_run_end=after)
    if before or after:
        text = (
            "The project's hooks do not run with source freshness: its flag source_freshness_run_project_hooks is off"
        )
        invocation.warn(Warning_(HOOKS_WARNING, text))
    return Plan(steps)


def _measure(invocation: Invocation, all_set: Ready, plan: Plan, found: dict[str, Measured]) -> list[NodeResult]:
    written = Written(invocation, all_set.project, all_set.compiler)
    return run(
        plan,
        all_set.compiler,
        all_set.adapter,
        run_options(invocation, all_set.project),
        lambda event: told(invocation, all_set.project, written, event),
        cache=all_set.cache,
        worker=lambda database: FreshnessWorker(all_set.compiler, all_set.project.dialect, database, found),
    )


def _document(
    invocation: Invocation,
    project: Project,
    results: Sequence[NodeResult],
    found: Mapping[str, Measured],
    seconds: float,
) -> Sources:
    """`sources.json`."""
    environ = invocation.environ
    scrub = scrubber(secrets(environ))
    document = Sources(
        metadata=metadata(SOURCES, project.settings, now=datetime.now(UTC), env=environ),
        results=[as_artifact(project, result, found.get(result.unique_id)) for result in results],
        elapsed_time=seconds,
    )
    for each in document.results:
        if isinstance(each, SourceError):
            each.error = scrub(each.error)
    return document


def as_artifact(project: Project, result: NodeResult, measured: Measured | None) -> SourceFreshness | SourceError:
    """A source's result as `sources.json` has it."""
    if measured is None:
        return SourceError(unique_id=result.unique_id, error=result.message)
    return SourceFreshness(
        unique_id=result.unique_id,
        max_loaded_at=measured.max_loaded_at.isoformat(),
        snapshotted_at=measured.snapshotted_at.isoformat(),
        max_loaded_at_time_ago_in_s=measured.age,
        status=result.status,
        criteria=dict(project.manifest.sources[result.unique_id].freshness or {}),
        adapter_response=dict(result.adapter_response),
        timing=[Timing(each.name, each.started_at, each.completed_at) for each in result.timing],
        thread_id=result.thread_id,
        execution_time=result.execution_time,
    )
