"""Laws of deferral (design: deferral.md), over random graphs, selections and states."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from support.graphs import edges, manifest, model, state

from understudy.core.manifest import Manifest
from understudy.defer.decide import Policy, Reason
from understudy.defer.resolution import LabelledPrior, Names, Resolution, frontier, resolve
from understudy.sql.dialect import dialect

NAMES = Names(dialect("duckdb"))
NAME = st.text(min_size=1, max_size=8)


@dataclass(frozen=True)
class World:
    """A project, a state, what is selected, what exists, and the policy."""

    today: Manifest
    before: Manifest
    selected: frozenset[str]
    there: frozenset[str]
    policy: Policy


@st.composite
def worlds(draw: Callable[..., object], *, defer: bool | None = None) -> World:
    size = draw(st.integers(1, 8))
    assert isinstance(size, int)
    nodes, before = [], []
    for i in range(size):
        parents = draw(st.sets(st.integers(0, i - 1))) if i else set()
        assert isinstance(parents, set)
        config = {"materialized": draw(st.sampled_from(["view", "table", "ephemeral"]))}
        nodes.append(model(f"m{i}", *(f"model.shop.m{p}" for p in sorted(parents)), config=config))
        if draw(st.booleans()):
            old = {"materialized": draw(st.sampled_from(["view", "ephemeral"]))}
            before.append(model(f"m{i}", schema=str(draw(NAME)), alias=str(draw(NAME)), config=old))
    ids = st.frozensets(st.sampled_from([node.unique_id for node in nodes]))
    selected, there = draw(ids), draw(ids)
    assert isinstance(selected, frozenset)
    assert isinstance(there, frozenset)
    on = draw(st.booleans()) if defer is None else defer
    return World(manifest(*nodes), manifest(*before), selected, there, Policy(bool(on), bool(draw(st.booleans()))))


def resolved(
    world: World,
    *,
    builds: bool,
    selected: frozenset[str] | None = None,
    old: Manifest | None = None,
    current: frozenset[str] = frozenset(),
) -> Resolution:
    chosen = world.selected if selected is None else selected
    priors = [LabelledPrior("prod", state(world.before if old is None else old))]
    built = chosen if builds else frozenset()
    everything = list(world.today.nodes)
    found = frontier(world.today, edges(world.today), chosen, built, priors, world.policy, NAMES, also=everything)
    exists = {unique_id: unique_id in world.there for unique_id in found.ask}
    return resolve(world.today, found, chosen, built, priors, world.policy, NAMES, exists, current)


@given(worlds(), st.booleans())
def test_an_empty_state_leaves_every_node_its_own(world: World, builds: bool) -> None:
    resolution = resolved(world, builds=builds, old=manifest())
    assert resolution.deferred() == ()
    assert all(d.relation == d.own for d in resolution.values())


@given(worlds(), st.data())
def test_enlarging_the_selection_defers_nothing_more_in_a_command_that_builds(
    world: World, data: st.DataObject
) -> None:
    more = data.draw(st.frozensets(st.sampled_from(list(world.today.nodes))))
    few = resolved(world, builds=True)
    many = resolved(world, builds=True, selected=world.selected | more)
    assert {d.unique_id for d in many.deferred()} <= {d.unique_id for d in few.deferred()}


@given(worlds(defer=True), st.booleans())
def test_favor_state_defers_every_unselected_node_that_the_state_has(world: World, builds: bool) -> None:
    favoring = World(world.today, world.before, world.selected, world.there, Policy(defer=True, favor_state=True))
    for unique_id, decision in resolved(favoring, builds=builds).items():
        old = world.before.nodes.get(unique_id)
        has = old is not None and not old.is_ephemeral and not world.today.nodes[unique_id].is_ephemeral
        if unique_id not in world.selected:
            assert decision.deferred == has


@given(worlds(), st.booleans(), st.randoms(use_true_random=False))
def test_no_order_matters(world: World, builds: bool, dice: random.Random) -> None:
    def shuffled(of: Manifest) -> Manifest:
        nodes = list(of.nodes.values())
        dice.shuffle(nodes)
        return manifest(*nodes)

    other = World(shuffled(world.today), shuffled(world.before), world.selected, world.there, world.policy)
    assert dict(resolved(world, builds=builds)) == dict(resolved(other, builds=builds))
    assert list(resolved(world, builds=builds)) == list(resolved(other, builds=builds))


@given(worlds(), st.booleans())
def test_a_deferred_relation_is_the_states(world: World, builds: bool) -> None:
    for decision in resolved(world, builds=builds).deferred():
        old, relation = world.before.nodes[decision.unique_id], decision.relation
        assert relation is not None
        assert (relation.database, relation.schema, relation.identifier) == (old.database, old.schema, old.alias)
        assert relation.render() == NAMES.dialect.relation(old.database, old.schema, old.alias).render()


@given(worlds(), st.booleans())
def test_every_answer_has_its_reason(world: World, builds: bool) -> None:
    for unique_id, decision in resolved(world, builds=builds).items():
        assert (decision.relation is None) == (decision.reason is Reason.EPHEMERAL)
        assert decision.deferred == (decision.relation is not None and decision.relation != decision.own) or (
            decision.own == decision.prior
        )
        if not world.policy.defer:
            assert decision.reason in (Reason.OFF, Reason.EPHEMERAL)
        if builds and unique_id in world.selected:
            assert not decision.deferred


@given(worlds(defer=True), st.booleans(), st.data())
def test_favor_current_reads_an_own_relation_only_if_it_is_known_to_be_current(
    world: World, builds: bool, data: st.DataObject
) -> None:
    current = data.draw(st.frozensets(st.sampled_from(list(world.today.nodes))))
    careful = World(world.today, world.before, world.selected, world.there, Policy(True, favor_current=True))
    found = resolved(careful, builds=builds, current=current)
    plain = resolved(World(*careful_parts(careful), Policy(True)), builds=builds)
    for unique_id, decision in found.items():
        if decision.reason is Reason.EXISTS:
            assert unique_id in current
        if unique_id in current:
            assert decision == plain[unique_id]
        elif decision != plain[unique_id]:
            assert (plain[unique_id].reason, decision.reason) == (Reason.EXISTS, Reason.STALE)
            assert decision.relation == decision.prior


def careful_parts(world: World) -> tuple[Manifest, Manifest, frozenset[str], frozenset[str]]:
    return world.today, world.before, world.selected, world.there


@given(worlds(defer=True), worlds(defer=True), st.booleans())
def test_the_first_state_of_a_chain_that_has_a_node_stands_for_it(world: World, other: World, builds: bool) -> None:
    """Deferral to a chain is deferral to the one state that holds, of each node, what the first of them has."""
    chain = [LabelledPrior("near", state(other.before)), LabelledPrior("far", state(world.before))]
    built = world.selected if builds else frozenset()
    everything = list(world.today.nodes)

    def decided(priors: list[LabelledPrior]) -> Resolution:
        found = frontier(
            world.today, edges(world.today), world.selected, built, priors, world.policy, NAMES, also=everything
        )
        exists = {unique_id: unique_id in world.there for unique_id in found.ask}
        return resolve(world.today, found, world.selected, built, priors, world.policy, NAMES, exists)

    near, far, both = decided(chain[:1]), decided(chain[1:]), decided(chain)
    for unique_id, decision in both.items():
        first = near[unique_id] if near[unique_id].prior is not None else far[unique_id]
        assert (decision.state, decision.prior) == (first.state, first.prior)
        assert (decision.reason, decision.relation) == (first.reason, first.relation)
