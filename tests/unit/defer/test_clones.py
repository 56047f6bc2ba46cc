"""What is cloned: both rules, row by row, and what keeps a run from cloning."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from support.graphs import edges, manifest, model, seed, state

from understudy.core.config import refreshes
from understudy.core.manifest import Manifest
from understudy.core.nodes import Checksum, Contract, Model, Operation, Snapshot
from understudy.core.relation import Relation, SchemaName
from understudy.defer.check import oddities, uncloneable, unreadable
from understudy.defer.clones import CLONE, FIRST, Clone, Cloning, Facts, Fate, clones, gathering, sources
from understudy.defer.decide import Policy, Reason
from understudy.defer.resolution import (
    Catalog,
    Frontier,
    LabelledPrior,
    Names,
    Resolution,
    existence,
    frontier,
    references,
    resolve,
)
from understudy.errors import PermissionDenied
from understudy.sql.dialect import dialect
from understudy.state.prior import Prior

NAMES = Names(dialect("duckdb"))
KEY = NAMES.dialect.key
DEV, PROD = SchemaName("db", "dev"), SchemaName("db", "prod")
M = "model.shop.m"
OFF, ALL = Policy(), Cloning()


def rel(schema: str, name: str, kind: Any = "table", database: str = "db") -> Relation:
    return NAMES.dialect.relation(database, schema, name, type=kind)


def decided(
    today: Manifest, listings: dict[SchemaName, Any], cloning: Cloning, *priors: Prior, policy: Policy = OFF
) -> tuple[dict[str, Clone], Resolution, Frontier]:
    labelled = [LabelledPrior(f"state{n}", prior) for n, prior in enumerate(priors)]
    builds = cloning.wanted
    reach = frontier(
        today, edges(today), builds, builds, labelled, policy, NAMES, runs=(), verify=False, cloned=cloning.wanted,
        hooked=False,
    )  # fmt: skip
    assert reach.schemas <= set(listings), "nothing is looked at that was not listed"
    catalog = Catalog(listings, NAMES.dialect)
    found = resolve(today, reach, builds, builds, labelled, policy, NAMES, existence(today, reach, NAMES, catalog))
    return clones(today, cloning, found, labelled, catalog, KEY), found, reach


def one(
    node: Any, here: str | None, there: str | None, cloning: Cloning = ALL, schema: str = "prod", **fields: Any
) -> Clone:
    """What becomes of one node, of which a relation stands here, and another one where the state has it."""
    today, before = manifest(node), manifest(fields.pop("before", node))
    listings: dict[SchemaName, Any] = {DEV: [rel("dev", node.name, here)] if here else []}
    listings |= {PROD: [rel("prod", node.name, there)] if there else []}
    wish = Cloning(frozenset({node.unique_id}), cloning.rule, cloning.replaces, cloning.views_reach)
    found, _, _ = decided(today, listings, wish, state(before, schema=schema), **fields)
    return found[node.unique_id]


def kind(materialized: str, **config: Any) -> Model:
    return model("m", config={"materialized": materialized, **config})


@pytest.mark.parametrize(
    ("here", "there", "replaces", "fate"),
    [
        (None, "table", False, Fate.CLONED),
        (None, None, False, Fate.MISSING),
        ("view", "table", False, Fate.EXISTS),
        ("table", None, False, Fate.EXISTS),
        ("table", None, True, Fate.MISSING),
        ("view", "table", True, Fate.CLONED),
    ],
)
def test_the_command(here: str | None, there: str | None, replaces: bool, fate: Fate) -> None:
    found = one(kind("table"), here, there, Cloning(replaces=replaces))
    assert (found.fate, found.state) == (fate, "state0")
    assert (found.cloned, sources({M: found})) == (fate is Fate.CLONED, (found.source,) if found.cloned else ())
    assert found.source is not None
    assert (found.source.render(), found.source.type) == ('"db"."prod"."m"', there)


def test_what_no_state_has_is_not_cloned() -> None:
    for before in (model("other"), kind("ephemeral")):
        assert one(kind("table"), None, "table", before=before) == Clone(M, Fate.NOT_IN_STATE)


def test_a_relation_is_never_cloned_from_itself() -> None:
    for replaces in (True, False):
        assert one(kind("table"), "table", None, Cloning(replaces=replaces), schema="dev").fate is Fate.ITSELF
    assert one(kind("incremental"), "view", None, Cloning(rule=FIRST), schema="dev").fate is Fate.ITSELF


@pytest.mark.parametrize("materialized", ["table", "incremental", "view", "materialized_view", "external", "own"])
@pytest.mark.parametrize("there", ["table", "view", "materialized_view"])
def test_as_what(materialized: str, there: str) -> None:
    found = one(kind(materialized), None, there)
    holds = materialized in ("table", "incremental")
    assert found.kind == ("view" if there == "view" and not holds else "table")


def test_snapshots_and_seeds_are_never_views() -> None:
    kept = Snapshot(
        database="db", schema="dev", name="k", package_name="shop", path="k", original_file_path="k", fqn=["k"],
        unique_id="snapshot.shop.k", alias="k", checksum=Checksum("none", ""), config={"materialized": "snapshot"},
    )  # fmt: skip
    assert one(kept, None, "view").kind == "table"
    assert one(seed("s"), None, "view").kind == "table"


@pytest.mark.parametrize(
    ("reach", "database", "expected"), [(False, "db", "view"), (False, "far", "table"), (True, "far", "view")]
)
def test_a_view_does_not_reach_into_another_database_where_it_would_not_last(
    reach: bool, database: str, expected: str
) -> None:
    today, before = manifest(kind("view")), manifest(kind("view"))
    before.nodes[M].database = database
    listings = {DEV: [], SchemaName(database, "prod"): [rel("prod", "m", "view", database)]}
    cloning = Cloning(frozenset({M}), views_reach=reach)
    found, _, _ = decided(today, listings, cloning, state(before, schema="prod"))
    assert (found[M].fate, found[M].kind) == (Fate.CLONED, expected)


@pytest.mark.parametrize(
    ("here", "there", "fate"),
    [
        (None, "table", Fate.CLONED),
        ("view", "table", Fate.CLONED),
        ("table", "table", Fate.EXISTS),
        ("table", None, Fate.EXISTS),
        (None, None, Fate.MISSING),
        (None, "view", Fate.NO_TABLE),
        (None, "materialized_view", Fate.NO_TABLE),
    ],
)
def test_before_a_build(here: str | None, there: str | None, fate: Fate) -> None:
    assert one(kind("incremental"), here, there, Cloning(rule=FIRST)).fate is fate


def test_a_snapshot_replaces_nothing() -> None:
    facts = {
        (here, snapshot): Facts(False, here, "table", snapshot=snapshot)
        for here, snapshot in product(("view", None), (True, False))
    }  # type: ignore[arg-type]
    fates = {key: next(fate for holds, fate in FIRST if holds(each)) for key, each in facts.items()}
    assert fates == {
        ("view", True): Fate.EXISTS, ("view", False): Fate.CLONED, (None, True): Fate.CLONED, (None, False): Fate.CLONED,
    }  # fmt: skip


def test_laws_of_both_rules() -> None:
    """Nothing is cloned from nowhere or from itself; a table of the target's is replaced only where that is asked for."""
    kinds = ("table", "view", "materialized_view", None)
    for itself, here, there, replaces, snapshot in product((0, 1), kinds, kinds, (0, 1), (0, 1)):
        facts = Facts(bool(itself), here, there, bool(replaces), bool(snapshot))  # type: ignore[arg-type]
        for rule in (CLONE, FIRST):
            fate = next(fate for holds, fate in rule if holds(facts))
            if fate is Fate.CLONED:
                assert there is not None
                assert not itself
                assert here != "table" or (rule is CLONE and replaces)
                assert rule is CLONE or there == "table"


@pytest.mark.parametrize("schema", [DEV, PROD])
def test_what_may_not_be_listed_is_no_no(schema: SchemaName) -> None:
    listings: dict[SchemaName, Any] = {DEV: [], PROD: [rel("prod", "m")], schema: PermissionDenied("not for you")}
    for rule in (CLONE, FIRST):
        cloning = Cloning(frozenset({M}), rule)
        found, _, _ = decided(
            manifest(kind("incremental")), listings, cloning, state(manifest(model("m")), schema="prod")
        )
        assert (found[M].fate, found[M].cloned) == (Fate.UNLISTED, False)
        for verify in (True, False):
            (error,) = uncloneable(found, verify=verify)
            assert "not for you" in str(error)
            assert M in str(error)
            assert error.hint
            assert "right to list it" in error.hint


def test_the_first_state_that_has_it_counts_and_the_decision_is_the_resolutions() -> None:
    today = manifest(kind("table"), model("n"))
    first, second = state(manifest(model("n")), schema="staging"), state(manifest(kind("table")), schema="prod")
    staging = SchemaName("db", "staging")
    listings = {DEV: [], PROD: [rel("prod", "m")], staging: [rel("staging", "n", "view")]}
    found, resolution, reach = decided(today, listings, Cloning(frozenset({M, "model.shop.n"})), first, second)
    assert [(each.state, each.source and each.source.schema) for each in found.values()] == [
        ("state1", "prod"), ("state0", "staging"),
    ]  # fmt: skip
    assert reach.cloned == (M, "model.shop.n")
    assert (reach.referenced, reach.schemas) == ({}, {DEV, PROD, staging})
    assert resolution[M].reason is Reason.OFF
    assert resolution[M].prior == rel("prod", "m", None)
    on, _, _ = decided(today, listings, Cloning(frozenset({M})), second, policy=Policy(defer=True))
    assert on[M].cloned


def test_names_are_compared_as_the_engine_does() -> None:
    node = kind("table")
    before = manifest(kind("table"))
    before.nodes[M].schema = "DEV"
    listings = {DEV: [rel("dev", "M")], SchemaName("db", "DEV"): [rel("dev", "M")]}
    found, _, _ = decided(manifest(node), listings, Cloning(frozenset({M})), state(before))
    assert found[M].fate is Fate.ITSELF


def contracted(data_type: str = "int", enforced: bool = True) -> Model:
    columns = {"id": {"name": "id", "data_type": data_type}}
    return model("m", config={"materialized": "table"}, columns=columns, contract=Contract(enforced))


@pytest.mark.parametrize(
    ("now", "then", "same"),
    [
        (contracted(), contracted(), True),
        (contracted(), contracted("bigint"), False),
        (contracted(), contracted(enforced=False), False),
        (contracted(enforced=False), contracted(), False),
        (kind("table"), kind("table"), False),
    ],
)
def test_the_contract_is_held_where_it_is_the_same(now: Model, then: Model, same: bool) -> None:
    assert one(now, None, "table", before=then).same_contract is same


def test_what_gathers_rows() -> None:
    kept = model("kept", config={"materialized": "snapshot"})
    nodes = (
        kind("incremental"), model("t", config={"materialized": "table"}), kept,
        model("refreshed", config={"materialized": "incremental", "full_refresh": True}),
        model("never", config={"materialized": "incremental", "full_refresh": False}),
    )  # fmt: skip
    today = manifest(*nodes)
    built = [*today.nodes, "test.shop.x"]
    names = {flag: {i.split(".")[-1] for i in gathering(today, built, full_refresh=flag)} for flag in (True, False)}
    assert names == {False: {"m", "kept", "never"}, True: {"kept", "never"}}
    assert [refreshes({}, flag) for flag in (True, False)] == [True, False]


def test_hooks_of_the_project_count_where_they_run() -> None:
    hook = Operation(
        database="db", schema="dev", name="h", package_name="shop", path="h", original_file_path="dbt_project.yml",
        unique_id="operation.shop.h", fqn=["shop", "h"], alias="h", checksum=Checksum("none", ""), config={},
    )  # fmt: skip
    hook.depends_on.nodes.append(M)
    today = manifest(kind("table"), hook)
    assert set(references(today, edges(today), ())) == {M}
    assert references(today, edges(today), (), hooked=False) == {}


def missing_one() -> dict[str, Clone]:
    return {M: one(kind("incremental"), None, None, Cloning(rule=FIRST))}


def test_what_is_missing_there_is_an_error_or_a_warning() -> None:
    (error,) = uncloneable(missing_one())
    assert (
        "1 relations to clone are not there, though the state says so:\n    db.prod.m (model.shop.m, state state0)"
        in str(error)
    )
    assert "--no-verify-state" in str(error)
    assert uncloneable(missing_one(), verify=False) == []
    assert uncloneable({M: one(kind("table"), None, "table")}) == []
    today = manifest(kind("incremental"))
    _, resolution, reach = decided(today, {DEV: [], PROD: []}, Cloning(frozenset({M})), state(today, schema="prod"))
    clones_of_both = [*missing_one().values(), one(kind("table"), None, "table")]
    (warning,) = oddities(resolution, reach, today, edges(today), [], now=None, cloned=clones_of_both)  # type: ignore[arg-type]
    assert (
        warning.message
        == "db.prod.m (model.shop.m, state state0) cannot be cloned: it is not there, though the state says so"
    )


def test_rights_to_read_what_is_cloned() -> None:
    today = manifest(kind("table"), model("n"))
    listings = {DEV: [rel("dev", "n")], PROD: [rel("prod", "m"), rel("prod", "n")]}
    both = Cloning(frozenset({M, "model.shop.n"}))
    found, resolution, reach = decided(today, listings, both, state(today, schema="prod"))
    asked: list[Relation] = []

    def ask(relations: Any) -> dict[Relation, PermissionDenied]:
        asked.extend(relations)
        return {relation: PermissionDenied("no", hint="Ask") for relation in relations}

    (error,) = unreadable(resolution, reach, ask, found.values())
    assert [each.identifier for each in asked] == ["m"], "what is left alone need not be read"
    assert "1 relations may not be read:\n    db.prod.m (model.shop.m, state state0)" in str(error)
