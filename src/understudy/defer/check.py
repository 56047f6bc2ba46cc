"""Deferral fails closed: what is missing is found before the first statement, all of it at once; what is odd is said.

Everything here reads the decisions; nothing here decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from understudy.core.manifest import Manifest
from understudy.core.relation import Relation
from understudy.core.warning import Warning_
from understudy.defer.clones import Clone, Fate
from understudy.defer.decide import Reason
from understudy.defer.resolution import (
    Catalog,
    Decision,
    Frontier,
    LabelledPrior,
    Parents,
    Resolution,
    Unlisted,
    plain,
    read_by,
)
from understudy.errors import DeferError, PermissionDenied
from understudy.sql.dialect import Dialect

MAX_AGE = timedelta(hours=24)
SHOWN = 5
"""How many of the nodes that need a missing relation are named."""


def missing(resolution: Resolution, frontier: Frontier, catalog: Catalog, *, verify: bool = True) -> list[DeferError]:
    """What keeps this run from finding its inputs; an empty list when all is there.

    Always: schemas of the target that could not be listed, where an answer hangs on them. With `verify` (no
    `--no-verify-state`) also: deferred relations that are not where the state says, and nodes in no state, not built by
    this run and missing in the target.
    """
    asked = (resolution[unique_id] for unique_id in frontier.referenced)
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    refused: dict[Unlisted, list[str]] = {}
    for decision in asked:
        for problem, answer in _questions(decision, catalog, verify):
            if isinstance(answer, Unlisted):
                refused.setdefault(answer, []).append(decision.unique_id)
            elif not answer:
                found.setdefault(problem, []).append((_named(decision), frontier.referenced[decision.unique_id]))
    return [*(_unlisted(*item) for item in refused.items()), *(_absent(*item) for item in sorted(found.items()))]


MAY_NOT_LIST = (
    "Ask for the right to list it. --no-verify-state skips the look into the state's schemas, never into the target's."
)
NOT_THERE = "are not there, though the state says so"
NOWHERE = "are in no state, are not built by this run, and are missing in the target"
HINTS = {
    NOT_THERE: "Build them in the state's environment, take a newer state, or go on with --no-verify-state.",
    NOWHERE: "Select them too (+name), or go on with --no-verify-state.",
}


def elsewhere(resolution: Resolution, frontier: Frontier, database: str | None, dialect: Dialect) -> list[DeferError]:
    """Deferred relations in another database than the target's, for an engine that cannot read that: one error, or none."""
    own = dialect.key(dialect.relation(database, None, None))[0]
    lines = [
        f"{_named(decision)}, needed by {_few(frontier.referenced[unique_id])}"
        for unique_id in frontier.referenced
        if (decision := resolution[unique_id]).deferred
        and decision.relation
        and dialect.key(decision.relation)[0] not in (None, own)
    ]
    if not lines:
        return []
    text = f"{len(lines)} relations are in another database, and {dialect.name} reads no other than '{database}'"
    hint = "Build this target and the state's into schemas of one database."
    return [DeferError(f"{text}:\n    " + "\n    ".join(lines), hint=hint)]


def uncloneable(found: Mapping[str, Clone], *, verify: bool = True) -> list[DeferError]:
    """What keeps a run from cloning: schemas that could not be listed and, with `verify`, relations that are not where the
    state says.
    """
    refused: dict[Unlisted, list[str]] = {}
    for clone in found.values():
        if clone.refused is not None:
            refused.setdefault(clone.refused, []).append(clone.unique_id)
    gone = [clone for clone in found.values() if verify and clone.fate is Fate.MISSING]
    errors = [
        _unlisted(*item, "Ask for the right to list it: who clones must see what is there.") for item in refused.items()
    ]
    if gone:
        lines = "".join(f"\n    {_cloned(clone)}" for clone in gone)
        errors.append(DeferError(f"{len(gone)} relations to clone {NOT_THERE}:{lines}", hint=HINTS[NOT_THERE]))
    return errors


def unreadable(
    resolution: Resolution,
    frontier: Frontier,
    ask: Callable[[Sequence[Relation]], Mapping[Relation, PermissionDenied]],
    cloned: Iterable[Clone] = (),
) -> list[DeferError]:
    """Relations of states that are there, and that the target's user may not read: one error, or none.

    `ask` gives the refused ones among relations; it is not called when nothing is deferred and nothing cloned.
    """
    read = {clone.source: _cloned(clone) for clone in cloned if clone.cloned and clone.source}
    read |= {
        decision.relation: f"{_named(decision)}, needed by {_few(frontier.referenced[unique_id])}"
        for unique_id in frontier.referenced
        if (decision := resolution[unique_id]).deferred and decision.relation and not unique_id.startswith("function.")
    }
    refused = ask(tuple(read)) if read else {}
    if not refused:
        return []
    lines = sorted(read[relation] for relation in refused)
    hint = next(iter(refused.values())).hint
    return [DeferError(f"{len(lines)} relations may not be read:\n    " + "\n    ".join(lines), hint=hint)]


def _questions(decision: Decision, catalog: Catalog, verify: bool) -> Iterator[tuple[str, bool | Unlisted]]:
    if decision.reason is Reason.UNLISTED and isinstance(decision.exists, Unlisted):
        yield "", decision.exists
    elif verify and decision.relation is not None and not decision.unique_id.startswith("function."):
        if decision.deferred:
            yield NOT_THERE, catalog.exists(decision.relation)
        elif decision.reason is Reason.NOT_IN_STATE and decision.exists is not None:
            yield NOWHERE, decision.exists


def _named(decision: Decision) -> str:
    state = f", state {decision.state}" if decision.deferred else ""
    where = "" if decision.relation is None else plain(decision.relation)
    return f"{where} ({decision.unique_id}{state})"


def _cloned(clone: Clone) -> str:
    where = "" if clone.source is None else plain(clone.source)
    return f"{where} ({clone.unique_id}, state {clone.state})"


def _absent(problem: str, items: Sequence[tuple[str, tuple[str, ...]]]) -> DeferError:
    lines = [f"{name}, needed by {_few(needing)}" for name, needing in items]
    return DeferError(f"{len(items)} relations {problem}:\n    " + "\n    ".join(lines), hint=HINTS[problem])


def _unlisted(answer: Unlisted, nodes: Sequence[str], hint: str = MAY_NOT_LIST) -> DeferError:
    schema = ".".join(part for part in (answer.schema.database, answer.schema.schema) if part)
    return DeferError(
        f"The schema {schema} could not be listed, so nobody knows whether {_few(nodes)} exist there: {answer.message}",
        hint=answer.hint or hint,
    )


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (", ".join(names[:SHOWN]) or "the command line") + more


def oddities(
    resolution: Resolution,
    frontier: Frontier,
    manifest: Manifest,
    dag: Parents,
    priors: Sequence[LabelledPrior],
    *,
    now: datetime,
    max_age: timedelta | None = MAX_AGE,
    stale: Callable[[str], str | None] = lambda unique_id: None,
    cloned: Iterable[Clone] = (),
) -> list[Warning_]:
    """What a person should know before trusting the result: warnings, not errors.

    Args:
        now: the time of this run, with its zone.
        max_age: of a state (`--state-max-age`); None: no limit.
        stale: why a node's own relation is not built from today's code, or None where nothing is known.
        cloned: what was to be cloned.
    """
    return [
        *_old_states(priors, now, max_age),
        *_foreign_states(priors, manifest.adapter_type),
        *_mixed_tests(resolution, frontier, manifest, dag),
        *_shadows(resolution, stale),
        *_uncloned(cloned),
    ]


def age(prior_generated_at: str | None, now: datetime) -> timedelta | None:
    """How old a state is; None when it does not say, or not in a way that can be read."""
    try:
        made = datetime.fromisoformat(prior_generated_at or "")
    except ValueError:
        return None
    return now - (made if made.tzinfo else made.replace(tzinfo=now.tzinfo))


def _old_states(priors: Sequence[LabelledPrior], now: datetime, max_age: timedelta | None) -> Iterator[Warning_]:
    for labelled in priors:
        old = age(labelled.prior.metadata.generated_at, now)
        if max_age is not None and old is not None and old > max_age:
            hours = int(old.total_seconds() // 3600)
            limit = f"{max_age.total_seconds() / 3600:g}"
            yield Warning_("StateTooOld", f"State {labelled.label} is {hours} h old (--state-max-age is {limit} h)")


def _foreign_states(priors: Sequence[LabelledPrior], adapter_type: str) -> Iterator[Warning_]:
    for labelled in priors:
        other = labelled.prior.metadata.adapter_type
        if other is not None and other != adapter_type:
            text = f"State {labelled.label} was made with {other}, this target is {adapter_type}"
            yield Warning_("StateOfOtherAdapter", text)


def _mixed_tests(resolution: Resolution, frontier: Frontier, manifest: Manifest, dag: Parents) -> Iterator[Warning_]:
    """Tests that compare a deferred relation with one of the target (dbt does so without a word)."""
    tests = {need for needing in frontier.referenced.values() for need in needing if need.startswith("test.")}
    for test in sorted(tests):
        read = [resolution[unique_id] for unique_id in sorted(read_by(manifest, dag, test)) if unique_id in resolution]
        theirs = [plain(decision.relation) for decision in read if decision.deferred and decision.relation]
        ours = [plain(decision.relation) for decision in read if not decision.deferred and decision.relation]
        if theirs and ours:
            text = f"{test} reads two environments: {', '.join(ours)} and {', '.join(theirs)}"
            yield Warning_("TestReadsTwoEnvironments", text, manifest.place(test))


def _uncloned(cloned: Iterable[Clone]) -> Iterator[Warning_]:
    for clone in cloned:
        if clone.fate is Fate.MISSING:
            text = f"{_cloned(clone)} cannot be cloned: it is not there, though the state says so"
            yield Warning_("CloneSourceMissing", text)


def _shadows(resolution: Mapping[str, Decision], stale: Callable[[str], str | None]) -> Iterator[Warning_]:
    for unique_id, decision in resolution.items():
        why = stale(unique_id) if decision.reason is Reason.EXISTS else None
        if why and decision.own and decision.prior and decision.own != decision.prior:
            text = f"{plain(decision.own)} is read instead of {plain(decision.prior)}, though {why}"
            yield Warning_("StaleRelationShadowsState", text)
