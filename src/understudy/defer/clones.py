"""What is cloned from a state's environment: by `clone`, and by a build with `--clone-incrementals` before it adds rows.

Like deferral it is decided once, before anything runs, from the same decisions and listings; plan and run read the one value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Literal

import msgspec

from understudy.core.config import refreshes
from understudy.core.manifest import Manifest
from understudy.core.nodes import Node
from understudy.core.relation import Relation, RelationType
from understudy.defer.resolution import Catalog, Decision, LabelledPrior, Resolution, Unlisted, find_prior, node_of
from understudy.sql.dialect import Key
from understudy.state.contract import contract_changes, enforced
from understudy.state.prior import PriorNode

KEEPS_ROWS = frozenset({"incremental", "snapshot"})
"""Materializations that add to what is there: built from nothing, they lose what production has gathered."""
HOLDS_ROWS = KEEPS_ROWS | {"table", "seed"}
"""Materializations that are never cloned as a view."""


class Fate(StrEnum):
    """What becomes of a node that could be cloned; the value is what a person reads."""

    CLONED = "cloned"
    NOT_IN_STATE = "not in state"
    ITSELF = "the state's relation is the target's own"
    EXISTS = "already exists"
    MISSING = "missing in the state's environment"
    NO_TABLE = "no table in the state's environment"
    UNLISTED = "its schema could not be listed"


class Facts(msgspec.Struct, frozen=True):
    """What is known of one node.

    Attributes:
        itself: the state's relation is the node's own.
        here, there: what stands in the target, and in the state's environment; None: nothing.
        replaces: `clone --full-refresh`: what stands in the target gives way.
        snapshot: it is one, which replaces nothing.
    """

    itself: bool
    here: RelationType | None
    there: RelationType | None
    replaces: bool = False
    snapshot: bool = False


Rule = tuple[tuple[Callable[[Facts], bool], Fate], ...]
CLONE: Rule = (
    (lambda facts: facts.itself, Fate.ITSELF),
    (lambda facts: facts.here is not None and not facts.replaces, Fate.EXISTS),
    (lambda facts: facts.there is None, Fate.MISSING),
    (lambda facts: True, Fate.CLONED),
)
"""The command `clone`, of nodes that a state has a relation for: the first row whose condition holds decides."""
FIRST: Rule = (
    (lambda facts: facts.here == "table" or (facts.snapshot and facts.here is not None), Fate.EXISTS),
    (lambda facts: facts.itself, Fate.ITSELF),
    (lambda facts: facts.there is None, Fate.MISSING),
    (lambda facts: facts.there != "table", Fate.NO_TABLE),
    (lambda facts: True, Fate.CLONED),
)
"""`--clone-incrementals`, asked of what would be built from nothing unless its table stands in the target."""


class Cloning(msgspec.Struct, frozen=True):
    """What a run may clone, and by which rule.

    Attributes:
        wanted: the nodes; the resolution has a decision of each (`Frontier.cloned`).
        rule: CLONE or FIRST.
        replaces: what stands in the target gives way (`clone --full-refresh`).
        views_reach: a view may stay upon a relation of another database.
    """

    wanted: frozenset[str] = frozenset()
    rule: Rule = CLONE
    replaces: bool = False
    views_reach: bool = True


class Clone(msgspec.Struct, frozen=True):
    """What becomes of one node, and what is cloned.

    Attributes:
        source: the state's relation, with its type as it was listed.
        state: the label of the state that gives it.
        kind: what it is cloned as: its rows as a table, or a view upon it.
        same_contract: the model's contract is the one that the source was built by, so the clone can be held to it.
        refused: the schema that could not be listed.
    """

    unique_id: str
    fate: Fate
    source: Relation | None = None
    state: str | None = None
    kind: Literal["table", "view"] = "table"
    same_contract: bool = False
    refused: Unlisted | None = None

    @property
    def cloned(self) -> bool:
        """Whether there is something to do."""
        return self.fate is Fate.CLONED


def gathering(manifest: Manifest, built: Iterable[str], *, full_refresh: bool) -> frozenset[str]:
    """Of what is built, the nodes that add to what is there; not those that this run builds anew on purpose."""
    return frozenset(
        unique_id
        for unique_id in built
        if (node := manifest.nodes.get(unique_id)) is not None
        and node.materialized in KEEPS_ROWS
        and not (node.materialized == "incremental" and refreshes(node.config, full_refresh))
    )


def clones(
    manifest: Manifest,
    cloning: Cloning,
    resolution: Resolution,
    priors: Sequence[LabelledPrior],
    catalog: Catalog,
    key: Callable[[Relation], Key],
) -> dict[str, Clone]:
    """What becomes of each node that may be cloned, by the order of their unique_ids. `key`: how the engine compares names."""
    found = {}
    for unique_id in sorted(cloning.wanted):
        _, prior = find_prior(priors, unique_id)
        node, decision = node_of(manifest, unique_id), resolution[unique_id]
        found[unique_id] = _clone(node, decision, prior, catalog, cloning, key, manifest.adapter_type)
    return found


def _clone(
    node: Node,
    decision: Decision,
    prior: PriorNode | None,
    catalog: Catalog,
    cloning: Cloning,
    key: Callable[[Relation], Key],
    adapter_type: str,
) -> Clone:
    own, source = decision.own, decision.prior
    if own is None or source is None or prior is None:
        return Clone(node.unique_id, Fate.NOT_IN_STATE)
    here, there = catalog.find(own), catalog.find(source)
    if isinstance(here, Unlisted) or isinstance(there, Unlisted):
        refused = here if isinstance(here, Unlisted) else there
        return Clone(node.unique_id, Fate.UNLISTED, source, decision.state, refused=refused)  # type: ignore[arg-type]
    facts = Facts(
        key(own) == key(source),
        None if here is None else here.type or "table",
        None if there is None else there.type or "table",
        cloning.replaces,
        node.resource_type == "snapshot",
    )
    upon = facts.there == "view" and node.materialized not in HOLDS_ROWS
    reached = cloning.views_reach or key(own)[0] == key(source)[0]
    return Clone(
        node.unique_id,
        next(fate for holds, fate in cloning.rule if holds(facts)),
        source.with_type(facts.there),
        decision.state,
        "view" if upon and reached else "table",
        enforced_alike(node, prior, adapter_type),
    )


def enforced_alike(node: Node, prior: PriorNode, adapter_type: str) -> bool:
    """Whether a model has an enforced contract, and had the same when its relation was built."""
    return node.resource_type == "model" and enforced(node) and not contract_changes(node, prior, adapter_type)


def sources(found: Mapping[str, Clone]) -> tuple[Relation, ...]:
    """The relations that will be cloned."""
    return tuple(clone.source for clone in found.values() if clone.cloned and clone.source is not None)
