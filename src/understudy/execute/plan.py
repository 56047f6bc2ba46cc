"""What a command will do, as data: which nodes, in which order, in which schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

import msgspec
from msgspec.structs import replace

from understudy.core.manifest import Manifest
from understudy.core.nodes import BaseNode, GenericTest, Operation
from understudy.core.relation import SchemaName
from understudy.defer.clones import Clone
from understudy.execute.judge import passes_at_zero
from understudy.graph.dag import Dag

Action = Literal[
    "model", "seed", "snapshot", "test", "unit_test", "function", "exposure", "saved_query", "source", "clone"
]

NO_CLONES: Mapping[str, Clone] = MappingProxyType({})
NOTHING: Mapping[str, float] = {}


class Step(msgspec.Struct, frozen=True):
    """One node that is run. `needs` are the steps before it; `weight` is the length of the longest path that begins here,
    in seconds where it is known how long nodes take.

    Steps with one `bundle` need the same and look at the same relation: they are started together, so that a worker can
    ask for all of them at once.
    `clone`: what the action `clone` does, or what is cloned before rows are added to it.
    """

    unique_id: str
    action: Action
    needs: tuple[str, ...] = ()
    weight: float = 1
    bundle: str | None = None
    clone: Clone | None = None


class Bundle(msgspec.Struct, frozen=True):
    """Steps that are started together."""

    steps: tuple[Step, ...]


class Plan(msgspec.Struct, frozen=True):
    """A command's steps, parents first.

    `schemas` must exist before anything is built. `tests_block`: a failed test skips what depends on its node (`build`).
    `on_run_start` and `on_run_end` are unique_ids of operations.
    """

    steps: tuple[Step, ...]
    schemas: tuple[SchemaName, ...] = ()
    on_run_start: tuple[str, ...] = ()
    on_run_end: tuple[str, ...] = ()
    tests_block: bool = False


def make_plan(
    manifest: Manifest,
    dag: Dag,
    selected: Iterable[str],
    command: str,
    *,
    store_failures: bool = False,
    fuse_tests: bool = False,
    durations: Mapping[str, float] = NOTHING,
    clones: Mapping[str, Clone] = NO_CLONES,
) -> Plan:
    """The plan of a command for the selected nodes (after the filter of resource types).

    `command` is `run`, `build`, `test`, `seed`, `snapshot` or `clone`. Ephemeral models are no steps: they are part of others.
    `store_failures` is the command line's; `fuse_tests`: tests of one relation may be asked together. `durations`: how many
    seconds nodes took before. `clones`: what is cloned, or what a build clones first. Source: dbt 1.11, BuildTask and RunTask.
    """
    wanted = {unique_id: action for unique_id in selected if (action := _action(manifest, unique_id))}
    if command == "clone":
        return _cloning(manifest, [each for each in dag.subset(wanted).order() if each in clones], clones)
    graph = dag.with_tests(manifest) if command == "build" else dag
    part = graph.subset(wanted)
    order = part.order()
    weights: dict[str, float] = {}
    usual = sorted(durations.values())[len(durations) // 2] if durations else 1
    for unique_id in reversed(order):
        below = max((weights[child] for child in part.children(unique_id)), default=0)
        weights[unique_id] = durations.get(unique_id, usual) + below
    first = {unique_id: clone for unique_id, clone in clones.items() if clone.cloned}
    steps = tuple(Step(u, wanted[u], tuple(part.parents(u)), weights[u], clone=first.get(u)) for u in order)
    if fuse_tests:
        steps = tuple(_bundled(step, manifest, store_failures) for step in steps)
    schemas = dict.fromkeys(
        SchemaName(node.database, node.schema)
        for unique_id in order
        if isinstance(node := manifest.get(unique_id), BaseNode) and _leaves_relation(node, store_failures)
    )
    hooked = bool(steps)
    return Plan(
        steps,
        tuple(schemas),
        hooks_of(manifest, "on-run-start") if hooked else (),
        hooks_of(manifest, "on-run-end") if hooked else (),
        tests_block=command == "build",
    )


def _cloning(manifest: Manifest, order: Iterable[str], clones: Mapping[str, Clone]) -> Plan:
    """No step needs another, and no hooks run: nothing is made but copies (dbt 1.11: CloneTask)."""
    steps = tuple(Step(unique_id, "clone", clone=clones[unique_id]) for unique_id in order)
    nodes = (manifest.nodes[step.unique_id] for step in steps if step.clone is not None and step.clone.cloned)
    return Plan(steps, tuple(dict.fromkeys(SchemaName(node.database, node.schema) for node in nodes)))


def _action(manifest: Manifest, unique_id: str) -> Action | None:
    node = manifest.nodes.get(unique_id)
    if node is None:
        others: tuple[tuple[Action, Mapping[str, object]], ...] = (
            ("exposure", manifest.exposures),
            ("unit_test", manifest.unit_tests),
            ("function", manifest.functions),
            ("saved_query", manifest.saved_queries),
        )
        return next((action for action, part in others if unique_id in part), None)
    if node.is_ephemeral:
        return None
    match node.resource_type:
        case "model":
            return "model"
        case "seed":
            return "seed"
        case "snapshot":
            return "snapshot"
        case "test":
            return "test"
    return None


def _bundled(step: Step, manifest: Manifest, store_failures: bool) -> Step:
    """A generic test with those that look at the same relation and need the same.

    Left out are tests whose answer is more than how many rows failed: their rows are kept, counted otherwise or limited.
    """
    node = manifest.nodes.get(step.unique_id)
    if not isinstance(node, GenericTest) or stores_failures(node, store_failures):
        return step
    config, model = node.config, node.test_metadata.kwargs.get("model")
    plain = config.get("limit") is None and config.get("fail_calc") in (None, "count(*)") and passes_at_zero(config)
    if not plain or model is None:
        return step
    return replace(step, bundle="\n".join((str(model), node.package_name, *sorted(step.needs))))


def stores_failures(node: BaseNode, flag: bool) -> bool:
    """Whether a test keeps its failing rows: its `store_failures_as`, its `store_failures`, else the command line."""
    kept_as = node.config.get("store_failures_as")
    if kept_as is not None:
        return bool(kept_as != "ephemeral")
    configured = node.config.get("store_failures")
    return flag if configured is None else bool(configured)


def _leaves_relation(node: BaseNode, store_failures: bool) -> bool:
    return stores_failures(node, store_failures) if node.resource_type == "test" else node.resource_type != "operation"


def hooks_of(manifest: Manifest, kind: str) -> tuple[str, ...]:
    """The hooks of a kind: the root project's, then those of packages by name (dbt 1.11: get_hooks_by_type).

    dbt means the root's to be last; as its sorting compares names, they come first.
    """
    hooks = (manifest.nodes[unique_id] for unique_id in manifest.nodes if unique_id.startswith("operation."))
    found = [node for node in hooks if isinstance(node, Operation) and kind in node.tags]
    found.sort(key=lambda node: (node.package_name != manifest.project_name, node.package_name, node.index or 0))
    return tuple(node.unique_id for node in found)
