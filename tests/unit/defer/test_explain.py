"""The relations that a reference could go to: which was taken, and what spoke against the others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support.graphs import edges, manifest, model, state, state_bytes

from understudy.core.relation import Relation, SchemaName
from understudy.defer.decide import Policy
from understudy.defer.explain import Candidate, candidates
from understudy.defer.resolution import Existence, LabelledPrior, Names, Unlisted, frontier, plain, resolve
from understudy.sql.dialect import dialect
from understudy.state.built import BuiltState, Entry, Head
from understudy.state.prior import decode_prior

NAMES = Names(dialect("duckdb"))
A, B = "model.shop.a", "model.shop.b"
PROD = LabelledPrior("prod", state(manifest(model("a"), model("b")), schema="prod"))
STAGING = LabelledPrior("staging", state(manifest(model("a"), model("b")), schema="staging"))
EPHEMERAL = LabelledPrior("pr", state(manifest(model("a", config={"materialized": "ephemeral"}))))
EMPTY = LabelledPrior("empty", state(manifest()))
FAILED = LabelledPrior(
    "failed",
    decode_prior(
        state_bytes(manifest(model("a")), schema="prod", invocation_id="run"),
        origin="x",
    ).as_built(BuiltState(Head(form=1, invocation_id="run"), {A: Entry(exists=False, failed="error")})),
)


def weighed(
    *priors: LabelledPrior,
    exists: Existence = False,
    policy: Policy | None = None,
    selected: Sequence[str] = (B,),
    builds: Sequence[str] = (B,),
    current: Sequence[str] = (),
    ephemeral: bool = False,
) -> tuple[Candidate, ...]:
    today = manifest(model("a", config={"materialized": "ephemeral"} if ephemeral else {}), model("b", A))
    chosen, rule = frozenset(selected), policy or Policy(defer=True)
    reach = frontier(today, edges(today), chosen, frozenset(builds), priors, rule, NAMES)
    found = resolve(today, reach, chosen, frozenset(builds), priors, rule, NAMES, {A: exists}, frozenset(current))
    return candidates(found.of(A), priors, NAMES, lambda relation: relation.schema == "prod")


def told(found: Sequence[Candidate]) -> list[tuple[str, str | None, bool, str]]:
    return [(each.place, each.relation and plain(each.relation), each.taken, each.why) for each in found]


def test_the_state_stands_in() -> None:
    found = weighed(PROD)
    assert told(found) == [
        ("target", "db.dev.a", False, "it is not there"),
        ("prod", "db.prod.a", True, "not selected, missing in the target"),
    ]
    assert [each.exists for each in found] == [False, True]


def test_the_first_state_of_a_chain_that_has_it() -> None:
    assert told(weighed(EMPTY, EPHEMERAL, STAGING, PROD)) == [
        ("target", "db.dev.a", False, "it is not there"),
        ("empty", None, False, "it does not know the node"),
        ("pr", None, False, "the node is ephemeral there"),
        ("staging", "db.staging.a", True, "not selected, missing in the target"),
        ("prod", "db.prod.a", False, "staging stands before it in the chain"),
    ]


def test_a_state_in_which_it_was_never_built_does_not_stand_in() -> None:
    assert told(weighed(FAILED, PROD)) == [
        ("target", "db.dev.a", False, "it is not there"),
        ("failed", None, False, "it was never built there"),
        ("prod", "db.prod.a", True, "not selected, missing in the target"),
    ]


def test_two_states_of_one_name() -> None:
    assert [each.taken for each in weighed(PROD, PROD)] == [False, True, False]


@pytest.mark.parametrize(
    ("fields", "own", "theirs"),
    [
        ({"exists": True}, "exists in the target", "the target has its own"),
        ({"policy": Policy()}, "deferral is off", "deferral is off"),
        ({"selected": (A, B), "builds": (A, B)}, "built in this run", "this run builds the node"),
        ({"exists": True, "policy": Policy(True, favor_current=True), "current": (A,)}, "exists in the target", "the target has its own"),
    ],
)  # fmt: skip
def test_the_own_relation_is_taken(fields: dict[str, object], own: str, theirs: str) -> None:
    found = weighed(PROD, **fields)  # type: ignore[arg-type]
    assert [(each.taken, each.why) for each in found] == [(True, own), (False, theirs)]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"policy": Policy(True, True), "exists": True}, "--favor-state passes over it: the node is not selected"),
        (
            {"policy": Policy(True, favor_current=True), "exists": True},
            "--favor current passes over it: it is not known to be built from today's code",
        ),
        ({"selected": (A, B), "builds": ()}, "it is not there, and this command builds nothing"),
    ],
)
def test_why_the_own_relation_lost(fields: dict[str, object], why: str) -> None:
    found = weighed(PROD, **fields)  # type: ignore[arg-type]
    assert (found[0].taken, found[0].why) == (False, why)
    assert found[1].taken


def test_an_ephemeral_node_goes_nowhere() -> None:
    assert weighed(PROD, ephemeral=True) == ()


def test_an_answer_that_failed_takes_nothing() -> None:
    refused = Unlisted(SchemaName("db", "dev"), "no")
    found = weighed(PROD, exists=refused)
    assert [each.taken for each in found] == [False, False]
    assert found[1].why == "nobody could tell whether the target has its own"
    assert found[0].exists is refused


def test_nothing_is_known_where_nobody_looked() -> None:
    today = manifest(model("a"), model("b", A))
    found = resolve(
        today,
        frontier(today, edges(today), frozenset(), frozenset(), (), Policy(), NAMES),
        frozenset(),
        frozenset(),
        (),
        Policy(),
        NAMES,
        {},
    )
    (own,) = candidates(found.of(A), (), NAMES)
    assert own == Candidate(
        "target", Relation("db", "dev", "a", None, NAMES.dialect.quoting), True, "nothing selected refers to it"
    )
