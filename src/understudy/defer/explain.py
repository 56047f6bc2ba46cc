"""What spoke for and against each relation that a reference could have gone to. Reads decisions; decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from understudy.core.relation import Relation
from understudy.defer.decide import Reason
from understudy.defer.resolution import Decision, Existence, LabelledPrior, Names

TARGET = "target"
"""Where a node's own relation stands."""
LOST: dict[Reason, str] = {
    Reason.FAVORED: "--favor-state passes over it: the node is not selected",
    Reason.STALE: "--favor current passes over it: it is not known to be built from today's code",
    Reason.MISSING: "it is not there",
    Reason.NOT_BUILT: "it is not there, and this command builds nothing",
}
"""Why the node's own relation is not taken."""
KEPT: dict[Reason, str] = {
    Reason.OFF: "deferral is off",
    Reason.BUILT: "this run builds the node",
    Reason.EXISTS: "the target has its own",
    Reason.UNLISTED: "nobody could tell whether the target has its own",
    Reason.UNREACHED: "nothing that runs refers to the node",
}
"""Why a state's relation is not taken."""


class Candidate(msgspec.Struct, frozen=True):
    """A relation that a reference could go to.

    Attributes:
        place: `target`, or the label of a state.
        relation: None: there is none (the node is ephemeral there, or unknown).
        why: the reason if it was taken, else what spoke against it.
        exists: what was found there; None: nobody had to ask.
    """

    place: str
    relation: Relation | None
    taken: bool
    why: str
    exists: Existence | None = None


def candidates(
    decision: Decision,
    priors: Sequence[LabelledPrior],
    names: Names,
    look: Callable[[Relation], Existence | None] = lambda relation: None,
) -> tuple[Candidate, ...]:
    """The node's own relation, then each state's in the order of the chain. Exactly one is taken, or none: an ephemeral
    node is inlined, and an engine that could not be asked ends the run.

    `look` tells what is known of a relation that was listed.
    """
    if decision.own is None:
        return ()
    reason = decision.reason
    own = Candidate(
        TARGET,
        decision.own,
        decision.relation is not None and not decision.deferred,
        LOST.get(reason, reason.value),
        decision.exists if decision.exists is not None else look(decision.own),
    )
    found = [own]
    for labelled in priors:
        first = all(each.relation is None for each in found[1:])
        found.append(_of_state(labelled, decision, names, look, first=first))
    return tuple(found)


def _of_state(
    labelled: LabelledPrior,
    decision: Decision,
    names: Names,
    look: Callable[[Relation], Existence | None],
    *,
    first: bool,
) -> Candidate:
    node = labelled.prior.relational(decision.unique_id)
    if node is None:
        return Candidate(labelled.label, None, False, _without(labelled, decision.unique_id))
    relation = names.prior(node)
    taken = decision.deferred and first
    if taken:
        why = decision.reason.value
    elif decision.deferred:
        why = f"{decision.state} stands before it in the chain"
    else:
        why = KEPT.get(decision.reason, decision.reason.value)
    return Candidate(labelled.label, relation, taken, why, look(relation))


def _without(labelled: LabelledPrior, unique_id: str) -> str:
    """Why a state has no relation for a node."""
    if labelled.prior.get(unique_id) is not None:
        return "the node is ephemeral there"
    return "it does not know the node" if labelled.prior.entry(unique_id) is None else "it was never built there"
