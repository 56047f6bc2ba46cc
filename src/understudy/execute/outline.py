"""A plan for people: what a run of it would do, and why. The same plan and the same decisions that the runner takes.

Pure assembling: what was looked up before is given as `Evidence`. The structs are what `plan --output json` prints; its
schema is made from them (docs/reference/plan-schema.json).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from understudy.core.config import refreshes
from understudy.core.manifest import Manifest
from understudy.core.nodes import BUILT, Node
from understudy.core.relation import Relation
from understudy.defer.clones import KEEPS_ROWS, Clone
from understudy.defer.explain import candidates
from understudy.defer.resolution import (
    Decision,
    Existence,
    LabelledPrior,
    Names,
    Resolution,
    Unlisted,
    find_prior,
    plain,
    read_by,
)
from understudy.execute.plan import Plan
from understudy.graph.dag import Dag
from understudy.select.why import Cause, How
from understudy.state.change import Change

Effect = Literal["create", "replace", "append", "update", "refresh", "from nothing", "clone", "test", "nothing"]
"""What a step does to its relation: `from nothing` is an incremental model, snapshot or the like without its history,
`clone` one that begins with the state's."""


class Difference(msgspec.Struct, frozen=True):
    """One thing that changed since the state: which check found it, under which key, and the value then and now."""

    check: str
    key: str
    old: Any = None
    new: Any = None
    breaking: bool = False


class Why(msgspec.Struct, frozen=True):
    """Why a node is selected: it matches the criterion, or came along by way of the node `of`."""

    how: How
    criterion: str = ""
    of: str | None = None


class Standing(msgspec.Struct, frozen=True):
    """A relation as it stands in an environment.

    `exists` null: nobody had to ask, or the schema could not be listed. `kind`: table, view ... `rows`: as counted when it
    was last built, where the state's run_results.json says so. `age`: seconds since that run built it.
    """

    environment: str
    relation: str
    exists: bool | None = None
    kind: str | None = None
    rows: int | None = None
    age: float | None = None


class Cloned(msgspec.Struct, frozen=True):
    """What is cloned before the node adds to it. `rows`: about so many stand there; `limit`: so many of them are copied."""

    environment: str
    relation: str
    rows: int | None = None
    limit: int | None = None


class Option(msgspec.Struct, frozen=True):
    """A relation that a reference could go to, and the reason why it was taken, or was not."""

    environment: str
    relation: str | None
    taken: bool
    why: str
    exists: bool | None = None


class Reference(msgspec.Struct, frozen=True):
    """Where all references to one node go. `relation` null: it is inlined. `row`: of the table of deferral."""

    unique_id: str
    name: str
    relation: str | None
    deferred: bool
    reason: str
    row: str | None = None
    state: str | None = None
    used_by: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    stale: str | None = None
    """Why the target's own relation is not built from today's code; null: it is, or nothing is known."""


class Planned(msgspec.Struct, frozen=True):
    """One node: what is done with it, why, and what it reads.

    Attributes:
        kind: its materialization, or its resource type.
        relation: its own, in the target.
        changes: how it differs from the state; null: there is no state to compare with.
        reads: unique_ids of the nodes that its SQL refers to, through ephemeral models.
        target, production: its relation here, and where the state has it.
        seconds: how long it took in the state's run.
        clone: what is cloned first.
    """

    unique_id: str
    name: str
    kind: str
    effect: Effect
    relation: str | None = None
    path: str | None = None
    why: Why | None = None
    changes: tuple[Difference, ...] | None = None
    reads: tuple[str, ...] = ()
    target: Standing | None = None
    production: Standing | None = None
    seconds: float | None = None
    clone: Cloned | None = None


class Skipped(msgspec.Struct, frozen=True):
    """A node that this run leaves alone, and why."""

    unique_id: str
    why: str


class Estimate(msgspec.Struct, frozen=True):
    """Seconds, from the state's run_results.json; null where it says nothing.

    `run`: the steps of this plan. `saved`: the `stood_in` nodes that would have to be built first without deferral.
    """

    run: float | None = None
    saved: float | None = None
    stood_in: int = 0


class State(msgspec.Struct, frozen=True):
    """A state in use. `age` in seconds."""

    label: str
    origin: str
    age: float | None = None
    nodes: int | None = None


class Outline(msgspec.Struct, frozen=True):
    """What `understudy build` would do with the same arguments. `version` counts changes of this form that break readers."""

    command: str
    target: str
    engine: str
    criteria: str
    states: tuple[State, ...]
    steps: tuple[Planned, ...]
    references: tuple[Reference, ...]
    skipped: tuple[Skipped, ...] = ()
    removed: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    estimate: Estimate = Estimate()
    warnings: tuple[str, ...] = ()
    version: int = 1


class Explanation(msgspec.Struct, frozen=True):
    """What `understudy explain` says: the nodes that were asked for, and where their references go."""

    nodes: tuple[Planned, ...]
    references: tuple[Reference, ...]
    states: tuple[State, ...] = ()
    version: int = 1


class Evidence(msgspec.Struct, frozen=True):
    """Everything that was looked up before.

    Attributes:
        existing: the relation as the engine listed it, with its type; False: it is not there; None: not listed.
        changes: how a node differs from the state that is compared with; None: there is none.
        stale: why a node's own relation is not built from today's code.
        seconds: of the nodes in the states' runs.
        built: of a node in the run of the state with that label: the rows, and the seconds since then; None where it is not told.
        clones: what is cloned first; `sizes`: about how many rows, by relation; `clone_limit`: how many are copied.
    """

    manifest: Manifest
    dag: Dag
    plan: Plan
    resolution: Resolution
    referenced: Mapping[str, Sequence[str]]
    names: Names
    priors: Sequence[LabelledPrior]
    existing: Callable[[Relation], Relation | bool | None] = lambda relation: None
    causes: Mapping[str, Cause] = msgspec.field(default_factory=dict)
    changes: Callable[[str], Sequence[Change]] | None = None
    stale: Callable[[str], str | None] = lambda unique_id: None
    seconds: Mapping[str, float] = msgspec.field(default_factory=dict)
    built: Callable[[str, str], tuple[int | None, float | None]] = lambda label, unique_id: (None, None)
    full_refresh: bool = False
    clones: Mapping[str, Clone] = msgspec.field(default_factory=dict)
    sizes: Mapping[Relation, int] = msgspec.field(default_factory=dict)
    clone_limit: int | None = None


def steps(evidence: Evidence) -> tuple[Planned, ...]:
    """Every step of the plan, in its order."""
    return tuple(describe(evidence, step.unique_id) for step in evidence.plan.steps)


def describe(evidence: Evidence, unique_id: str) -> Planned:
    """One node of the manifest, whether or not it is a step. Raises KeyError for one that is not there."""
    manifest = evidence.manifest
    node = manifest.nodes.get(unique_id)
    cause = evidence.causes.get(unique_id)
    why = None if cause is None else Why(cause.how, cause.criterion, cause.of)
    if node is None:
        found = manifest.exposures[unique_id]
        return Planned(unique_id, found.name, found.resource_type, "nothing", path=found.original_file_path, why=why)
    relation = _own(evidence, node)
    here = None if relation is None else _standing(evidence, "target", relation)
    cloned = _cloned(evidence, unique_id)
    return Planned(
        unique_id=unique_id,
        name=_name(unique_id, node),
        kind=node.materialized if node.resource_type in BUILT else node.resource_type,
        effect="clone" if cloned else _effect(node, here, full_refresh=evidence.full_refresh),
        relation=None if relation is None else plain(relation),
        path=node.original_file_path,
        why=why,
        changes=None if evidence.changes is None else tuple(map(_difference, evidence.changes(unique_id))),
        reads=tuple(sorted(read_by(manifest, evidence.dag, unique_id))),
        target=here,
        production=_production(evidence, unique_id),
        seconds=evidence.seconds.get(unique_id),
        clone=cloned,
    )


def refer(evidence: Evidence, wanted: Iterable[str] | None = None) -> tuple[Reference, ...]:
    """Where references go: of everything that the plan's steps refer to, or of the wanted nodes."""
    return tuple(_reference(evidence, each) for each in (evidence.referenced if wanted is None else wanted))


def skipped(evidence: Evidence, selected: Iterable[str]) -> Iterator[Skipped]:
    """The nodes that could have been built and are not, by the order of the graph."""
    planned = {step.unique_id for step in evidence.plan.steps}
    chosen = frozenset(selected)
    for unique_id in evidence.dag.order():
        card = evidence.manifest.cards[unique_id]
        if unique_id not in evidence.manifest.nodes or unique_id in planned or card.resource_type not in BUILT:
            continue
        if card.is_ephemeral:
            yield Skipped(unique_id, "ephemeral: inlined" if unique_id in chosen else "not selected")
        elif unique_id in chosen:
            empty = card.resource_type != "seed" and not card.coded
            yield Skipped(unique_id, "it has no code" if empty else "its type is left out")
        else:
            yield Skipped(unique_id, "not selected")


def estimate(evidence: Evidence, stood_in: Sequence[str]) -> Estimate:
    """What the run takes and saves, as far as the state's run tells."""
    run = [evidence.seconds[step.unique_id] for step in evidence.plan.steps if step.unique_id in evidence.seconds]
    saved = [evidence.seconds[unique_id] for unique_id in stood_in if unique_id in evidence.seconds]
    return Estimate(sum(run) if run else None, sum(saved) if saved else None, len(stood_in))


def losing_history(found: Iterable[Planned]) -> tuple[Planned, ...]:
    """The steps that build from nothing what production has a history of."""
    return tuple(
        each
        for each in found
        if each.effect == "from nothing" and each.production is not None and each.production.exists is not False
        if each.production.kind in (None, "table")
    )


def as_json(document: Outline | Explanation) -> str:
    """The document as indented JSON; values that JSON does not have (dates in a config) become text."""
    return msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=2).decode()


def schema() -> dict[str, Any]:
    """The JSON schema of what `plan` and `explain` print with `--output json`."""
    (plan_, explanation), components = msgspec.json.schema_components(
        (Outline, Explanation), ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "understudy plan --output json, understudy explain --output json",
        "anyOf": [plan_, explanation],
        "$defs": components,
    }


def _reference(evidence: Evidence, unique_id: str) -> Reference:
    decision = evidence.resolution.of(unique_id)
    node = evidence.manifest.nodes.get(unique_id)
    weighed = candidates(decision, evidence.priors, evidence.names, lambda relation: _exists(evidence, relation))
    return Reference(
        unique_id=unique_id,
        name=unique_id.split(".", 2)[2] if node is None else _name(unique_id, node),
        relation=None if decision.relation is None else plain(decision.relation),
        deferred=decision.deferred,
        reason=decision.reason.value,
        row=decision.reason.row,
        state=decision.state,
        used_by=tuple(evidence.referenced.get(unique_id, ())),
        options=tuple(
            Option(
                each.place, None if each.relation is None else plain(each.relation), each.taken, each.why,
                None if isinstance(each.exists, Unlisted) else each.exists,
            )
            for each in weighed
        ),
        stale=_stale(evidence, decision),
    )  # fmt: skip


def _stale(evidence: Evidence, decision: Decision) -> str | None:
    return evidence.stale(decision.unique_id) if decision.exists is True else None


def _exists(evidence: Evidence, relation: Relation) -> Existence | None:
    found = evidence.existing(relation)
    return True if isinstance(found, Relation) else found


def _own(evidence: Evidence, node: Node) -> Relation | None:
    return evidence.names.own(node) if node.resource_type in BUILT and not node.is_ephemeral else None


def _standing(
    evidence: Evidence, environment: str, relation: Relation, rows: int | None = None, age: float | None = None
) -> Standing:
    found = evidence.existing(relation)
    kind = found.type if isinstance(found, Relation) else None
    exists = None if found is None else found is not False
    return Standing(environment, plain(relation), exists, kind, rows if exists else None, age if exists else None)


def _production(evidence: Evidence, unique_id: str) -> Standing | None:
    label, prior = find_prior(evidence.priors, unique_id)
    if prior is None or label is None:
        return None
    rows, age = evidence.built(label, unique_id)
    if prior.materialized in KEEPS_ROWS:  # those of the last run are a part of what is there
        rows = None
    return _standing(evidence, label, evidence.names.prior(prior), rows, age)


def _cloned(evidence: Evidence, unique_id: str) -> Cloned | None:
    clone = evidence.clones.get(unique_id)
    if clone is None or not clone.cloned or clone.source is None:
        return None
    rows = evidence.sizes.get(clone.source)
    return Cloned(clone.state or "", plain(clone.source), rows, evidence.clone_limit)


def _effect(node: Node, here: Standing | None, *, full_refresh: bool) -> Effect:
    """What running the node does to its relation."""
    if node.resource_type == "test":
        return "test"
    if here is None:
        return "nothing"
    anew = refreshes(node.config, full_refresh)
    if node.materialized in KEEPS_ROWS:
        if not here.exists or (anew and node.materialized == "incremental") or here.kind == "view":
            return "from nothing"
        return "append" if node.materialized == "incremental" else "update"
    if node.materialized == "materialized_view" and here.kind == "materialized_view" and not anew:
        return "refresh"
    return "replace" if here.exists else "create"


def _difference(change: Change) -> Difference:
    return Difference(change.check, change.key, change.old, change.new, change.breaking)


def _name(unique_id: str, node: Node) -> str:
    version = getattr(node, "version", None)
    return node.name if version is None else f"{node.name}.v{version}"
