"""Ask what exists, then decide where every reference goes: once, before the first statement of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from understudy.app.applied import AppliedState
from understudy.app.events import Logged, ReferenceDecided
from understudy.app.invocation import Invocation
from understudy.app.load import Project
from understudy.app.states import States
from understudy.core.relation import Relation, SchemaName
from understudy.defer import check
from understudy.defer.clones import CLONE, Clone, Cloning, clones
from understudy.defer.resolution import (
    Catalog,
    Frontier,
    Listings,
    Names,
    Resolution,
    existence,
    frontier,
    plain,
    resolve,
)
from understudy.errors import PermissionDenied, raise_all

ListSchemas = Callable[[Iterable[SchemaName]], Listings]
"""Asks the engine for the relations of schemas; called once, and not at all when nothing hangs on it."""
AskDenied = Callable[[Sequence[Relation]], Mapping[Relation, PermissionDenied]]
"""Asks the engine which of the relations may not be read; not called when nothing is deferred."""


NOTHING = Cloning()


class Deferral(msgspec.Struct, frozen=True):
    """Every decision of the run, whom it concerns, and what the engine answered on the way.

    `clones`: what becomes of each node that may be cloned.
    """

    resolution: Resolution
    frontier: Frontier
    listings: Listings
    clones: Mapping[str, Clone]


def decide_references(
    invocation: Invocation,
    project: Project,
    states: States,
    *,
    selected: frozenset[str],
    runs: frozenset[str],
    builds: frozenset[str],
    list_schemas: ListSchemas,
    denied: AskDenied = lambda relations: {},
    also: frozenset[str] = frozenset(),
    maybe: frozenset[str] = frozenset(),
    cross_database: bool = True,
    applied: AppliedState | None = None,
    cloning: Cloning = NOTHING,
    hooked: bool = True,
) -> Deferral:
    """The resolution of this run.

    Args:
        selected: what matches the selection, before resource types filter it.
        runs: what the command compiles or executes.
        builds: what it materializes.
        also: what is referred to from outside of the graph.
        maybe: what may be: it is decided, and nobody minds when it is missing.
        applied: what is known of the target's own relations.
        cross_database: whether the engine reads other databases than the target's.
        cloning: what may be cloned.
        hooked: whether the project's hooks run.
    Raises:
        DeferError, or an ErrorList of them: what is missing, or may not be listed; nothing has run by then.
    """
    options, manifest = invocation.options, project.manifest
    names = Names(project.dialect, project.settings.root.quoting)
    verify = options.verify_state and states.policy.defer
    asked = frontier(
        manifest, project.dag, selected, builds, states.priors, states.policy, names, runs=runs, verify=verify,
        also=also | maybe, cloned=cloning.wanted, hooked=hooked,
    )  # fmt: skip
    listings = list_schemas(asked.schemas) if asked.schemas else {}
    catalog = Catalog(listings, project.dialect)
    exists = existence(manifest, asked, names, catalog)
    standing = [unique_id for unique_id, answer in exists.items() if answer is True]
    current = applied.current(standing) if applied and states.policy.favor_current else frozenset()
    resolution = resolve(manifest, asked, selected, builds, states.priors, states.policy, names, exists, current)
    found = clones(manifest, cloning, resolution, states.priors, catalog, project.dialect.key)
    if maybe:
        certain = {each: needing for each, needing in asked.referenced.items() if each in also}
        asked = replace(asked, referenced=certain)
    decided = Deferral(resolution, asked, listings, found)
    if not cross_database:
        raise_all(check.elsewhere(resolution, asked, project.settings.target.database, project.dialect))
    raise_all(check.missing(resolution, asked, catalog, verify=verify))
    raise_all(check.uncloneable(found, verify=options.verify_state and cloning.rule is CLONE))
    if verify or found:
        raise_all(check.unreadable(resolution, asked, denied, found.values()))
    _warn(invocation, project, states, decided, applied)
    return decided


def _warn(
    invocation: Invocation, project: Project, states: States, decided: Deferral, applied: AppliedState | None
) -> None:
    """Tell what a person should know of the decisions before trusting the result."""
    max_age = invocation.options.state_max_age
    odd = check.oddities(
        decided.resolution,
        decided.frontier,
        project.manifest,
        project.dag,
        states.priors,
        now=invocation.started,
        max_age=timedelta(seconds=max_age) if max_age else None,
        stale=applied.stale if applied and states.policy.defer else _unknown,
        cloned=decided.clones.values(),
    )
    invocation.warn(*odd)


def _unknown(unique_id: str) -> str | None:
    return None


def tell(invocation: Invocation, deferral: Deferral) -> None:
    """One event per reference, for `--debug`."""
    for unique_id, needing in deferral.frontier.referenced.items():
        decision = deferral.resolution[unique_id]
        where = "a CTE" if decision.relation is None else plain(decision.relation)
        name = unique_id.split(".", 2)[-1]
        invocation.emit(ReferenceDecided(name, where, decision.reason.value, unique_id, tuple(needing)))
    for unique_id, clone in deferral.clones.items():
        source = f" <- {plain(clone.source)}" if clone.source is not None else ""
        invocation.emit(Logged(f"clone {unique_id.split('.', 2)[-1]}{source} ({clone.fate})", node=unique_id))


def deferred_to(resolution: Resolution) -> tuple[str, ...]:
    """The schemas that deferred references read, sorted."""
    schemas = {plain(d.relation).rpartition(".")[0] for d in resolution.deferred() if d.relation is not None}
    return tuple(sorted(schemas))
