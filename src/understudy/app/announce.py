"""The head and the sum of a run: what was found, what was selected, what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set

from understudy import __version__
from understudy.app.deferral import Deferral, deferred_to
from understudy.app.events import RunFinished, Selected, Started
from understudy.app.invocation import Invocation
from understudy.app.load import Project
from understudy.app.states import States
from understudy.core.nodes import BUILT
from understudy.defer.clones import sources
from understudy.defer.resolution import plain
from understudy.execute.results import NodeResult


def head(invocation: Invocation, project: Project, states: States) -> None:
    """Who runs, for which target, with which states."""
    target, command = project.settings.target, invocation.options.command
    invocation.emit(Started(__version__, command, target.name, target.type, states.in_use(), invocation.id))


def selected(invocation: Invocation, project: Project, ids: Sequence[str], deferral: Deferral | None) -> None:
    """What will be done, and how many references are deferred."""
    options = invocation.options
    types = Counter(unique_id.partition(".")[0] for unique_id in ids)
    models = types.pop("model", 0)
    resolution = deferral.resolution if deferral else None
    cloned = sources(deferral.clones) if deferral else ()
    labels = [label(project, unique_id) for unique_id in ids]
    invocation.emit(
        Selected(
            models=models,
            of_models=sum(unique_id.startswith("model.") for unique_id in project.manifest.nodes),
            others=tuple(sorted(types.items())),
            criteria=criteria(options.select, options.exclude, options.selector),
            deferred=len(resolution.deferred()) if resolution else 0,
            deferred_to=deferred_to(resolution) if resolution else (),
            cloned=len(cloned),
            cloned_from=tuple(sorted({plain(source).rpartition(".")[0] for source in cloned})),
            total=len(ids),
            kinds=tuple(sorted({kind for kind, _ in labels})),
            longest=max((len(name) for _, name in labels), default=0),
        )
    )


def criteria(select: Iterable[str], exclude: Iterable[str], selector: str | None) -> str:
    """The selection as the user gave it."""
    parts = [" ".join(select)] if select else []
    if selector:
        parts.append(f"--selector {selector}")
    if exclude:
        parts.append(f"--exclude {' '.join(exclude)}")
    return " ".join(parts)


def label(project: Project, unique_id: str) -> tuple[str, str]:
    """What a node is called in a line of output: its kind, and `dev.orders` or the name of a test."""
    node = project.manifest.nodes.get(unique_id)
    if node is None:
        kind, _, name = unique_id.partition(".")
        return kind, name.partition(".")[2]
    if node.resource_type in BUILT:
        return node.materialized, f"{node.schema}.{node.alias}"
    return ("hook" if node.resource_type == "operation" else node.resource_type), node.name


def stood_in(project: Project, deferral: Deferral, ran: Set[str]) -> list[str]:
    """What the run would have had to build first without deferral: the deferred nodes, and all that they depend on."""
    deferred = [decision.unique_id for decision in deferral.resolution.deferred()]
    nodes, cards = project.manifest.nodes, project.manifest.cards
    return sorted(
        unique_id
        for unique_id in project.dag.ancestors(deferred) | set(deferred)
        if unique_id not in ran and unique_id in nodes and cards[unique_id].resource_type in BUILT
    )


def _hook_that_worked(result: NodeResult) -> bool:
    """Hooks leave no relation; only those that fail count."""
    return result.unique_id.startswith("operation.") and result.status == "success"


def total(
    invocation: Invocation,
    project: Project,
    results: Sequence[NodeResult],
    seconds: float,
    deferral: Deferral | None,
    durations: Mapping[str, float],
    *,
    interrupted: bool = False,
) -> None:
    """What came of the run, and what deferral saved."""
    statuses = Counter(result.status for result in results if not _hook_that_worked(result))
    clones = invocation.options.command == "clone"
    spared = stood_in(project, deferral, {result.unique_id for result in results}) if deferral else []
    known = [durations[unique_id] for unique_id in spared if unique_id in durations]
    invocation.emit(
        RunFinished(
            seconds=seconds,
            built=0 if clones else statuses["success"],
            cloned=statuses["success"] if clones else 0,
            left=statuses["no-op"] if clones else 0,
            passed=statuses["pass"],
            warned=statuses["warn"],
            failed=statuses["fail"],
            errors=statuses["error"] + statuses["partial success"],
            skipped=statuses["skipped"],
            stood_in=sum(unique_id.startswith("model.") for unique_id in spared),
            stood_in_seconds=sum(known) if known else None,
            interrupted=interrupted,
        )
    )
