"""Frontier, resolution, chain of states, and where references go."""

from __future__ import annotations

import pytest
from support.graphs import edges, manifest, model, seed, singular, state

from understudy.core.manifest import Manifest
from understudy.core.nodes import Checksum, DependsOn, Exposure, Function, Operation, UnitTest
from understudy.core.relation import SchemaName
from understudy.defer.decide import Policy, Reason
from understudy.defer.resolution import (
    Catalog,
    Decision,
    Frontier,
    LabelledPrior,
    Names,
    Resolution,
    Unlisted,
    existence,
    frontier,
    plain,
    references,
    resolve,
)
from understudy.errors import DatabaseError
from understudy.sql.dialect import dialect

NAMES = Names(dialect("duckdb"))
DEFER = Policy(defer=True)
FAVOR = Policy(defer=True, favor_state=True)
DEV, PROD = SchemaName("db", "dev"), SchemaName("db", "prod")


def shop() -> Manifest:
    """raw (seed) -> a -> eph (ephemeral) -> c; b -> c; a test on c and b."""
    return manifest(
        seed("raw"),
        model("a", "seed.shop.raw"),
        model("eph", "model.shop.a", config={"materialized": "ephemeral"}),
        model("b"),
        model("c", "model.shop.eph", "model.shop.b"),
        singular("t", "model.shop.c", "model.shop.b"),
    )


def listing(*names: str, schema: SchemaName = DEV, rest: str = "") -> Catalog:
    found = [NAMES.dialect.relation(schema.database, schema.schema, name) for name in names]
    return Catalog(
        {schema: found, PROD: [NAMES.dialect.relation("db", "prod", name) for name in rest.split()]}, NAMES.dialect
    )


def run(
    today: Manifest, select: set[str], policy: Policy, *, builds: bool = True, there: str = "", states: int = 1
) -> tuple[Resolution, Frontier]:
    priors = [LabelledPrior("prod", state(today, schema="prod"))][:states]
    built = select if builds else set()
    found = frontier(today, edges(today), select, built, priors, policy, NAMES)
    exists = existence(today, found, NAMES, listing(*there.split()))
    return resolve(today, found, select, built, priors, policy, NAMES, exists), found


def where(resolution: Resolution) -> dict[str, str]:
    return {
        d.unique_id.split(".")[-1]: f"{d.relation.schema if d.relation else None}: {d.reason}"
        for d in resolution.values()
    }


def test_parents_are_found_through_ephemeral_models() -> None:
    resolution, found = run(shop(), {"model.shop.c"}, DEFER, there="b")
    assert where(resolution) == {
        "a": "prod: not selected, missing in the target",
        "b": "dev: exists in the target",
        "eph": "None: ephemeral: inlined",
    }
    assert found.referenced["model.shop.a"] == ("model.shop.c",)
    assert found.ask == ("model.shop.a", "model.shop.b")
    assert found.schemas == {DEV, PROD}


def test_deferral_off_asks_nothing() -> None:
    resolution, found = run(shop(), {"model.shop.c"}, Policy())
    assert (found.ask, found.schemas) == ((), frozenset())
    assert {d.reason for d in resolution.values()} == {Reason.EPHEMERAL, Reason.OFF}


def test_what_is_built_is_its_own() -> None:
    resolution, found = run(shop(), {"model.shop.b", "model.shop.c"}, DEFER)
    assert resolution["model.shop.b"].reason is Reason.BUILT
    assert found.ask == ("model.shop.a",)


def test_a_test_command_defers_a_selected_model_that_is_missing() -> None:
    select = {"model.shop.c", "test.shop.t"}
    resolution, _ = run(shop(), select, DEFER, builds=False)
    assert resolution["model.shop.c"].reason is Reason.NOT_BUILT
    resolution, _ = run(shop(), select, FAVOR, builds=False, there="c")
    assert resolution["model.shop.c"].reason is Reason.EXISTS
    assert resolution["model.shop.b"].reason is Reason.FAVORED


def test_favor_state_does_not_look_into_the_target() -> None:
    _, found = run(shop(), {"model.shop.c"}, FAVOR, there="b")
    assert (found.ask, found.schemas) == ((), {PROD})


def test_only_what_runs_asks() -> None:
    """`run --select c+` selects the test, too, but does not run it."""
    today, select = shop(), {"model.shop.c", "test.shop.t"}
    today.nodes["model.shop.c"].depends_on.nodes.clear()  # type: ignore[union-attr]
    found = frontier(today, edges(today), select, {"model.shop.c"}, [], DEFER, NAMES, runs=["model.shop.c"])
    assert found.referenced == {}


def test_exposures_need_nothing_and_hooks_do() -> None:
    hook = Operation(
        database="db", schema="dev", name="h", package_name="shop", path="h", original_file_path="dbt_project.yml",
        unique_id="operation.shop.h", fqn=["shop", "h"], alias="h", checksum=Checksum("none", ""), config={},
        depends_on=DependsOn(nodes=["model.shop.b", "source.shop.raw.x"]),
    )  # fmt: skip
    exposure = Exposure(
        name="e", package_name="shop", path="e", original_file_path="e", unique_id="exposure.shop.e", fqn=["shop", "e"],
        type="dashboard", owner={}, config={}, depends_on=DependsOn(nodes=["model.shop.c"]),
    )  # fmt: skip
    today = manifest(*shop().nodes.values(), hook, exposures={"exposure.shop.e": exposure})
    found = frontier(today, edges(today), {"exposure.shop.e"}, set(), [], DEFER, NAMES)
    assert dict(found.referenced) == {"model.shop.b": ("operation.shop.h",)}


def test_what_is_referred_to_from_outside() -> None:
    today = shop()
    found = frontier(today, edges(today), set(), set(), [], DEFER, NAMES, also=["model.shop.b"])
    assert dict(found.referenced) == {"model.shop.b": ()}


def test_without_verification_only_the_answers_own_needs_are_asked() -> None:
    today = shop()
    priors = [LabelledPrior("prod", state(manifest(model("b")), schema="prod"))]
    found = frontier(today, edges(today), {"model.shop.c"}, set(), priors, DEFER, NAMES, verify=False)
    assert (found.ask, found.schemas) == (("model.shop.b",), {DEV})
    found = frontier(today, edges(today), {"model.shop.c"}, set(), priors, DEFER, NAMES)
    assert (found.ask, found.schemas) == (("model.shop.a", "model.shop.b"), {DEV, PROD})


def test_the_first_state_that_has_a_node_wins() -> None:
    today = shop()
    priors = [
        LabelledPrior("pr", state(manifest(model("b")), schema="pr")),
        LabelledPrior("prod", state(today, schema="prod")),
    ]
    found = frontier(today, edges(today), {"model.shop.c"}, {"model.shop.c"}, priors, DEFER, NAMES)
    exists = dict.fromkeys(found.ask, False)
    resolution = resolve(today, found, {"model.shop.c"}, {"model.shop.c"}, priors, DEFER, NAMES, exists)
    taken = {d.unique_id: (d.state, d.relation.schema) for d in resolution.deferred() if d.relation}
    assert taken == {"model.shop.a": ("prod", "prod"), "model.shop.b": ("pr", "pr")}


def test_an_ephemeral_model_of_the_state_gives_no_relation() -> None:
    today = manifest(model("b"), model("c", "model.shop.b"))
    before = state(manifest(model("b", config={"materialized": "ephemeral"})), schema="prod")
    found = frontier(today, edges(today), {"model.shop.c"}, set(), [LabelledPrior("prod", before)], DEFER, NAMES)
    resolution = resolve(today, found, {"model.shop.c"}, set(), [LabelledPrior("prod", before)], DEFER, NAMES, {})
    assert resolution["model.shop.b"].reason is Reason.NOT_IN_STATE


def test_the_state_names_the_relation_exactly_and_todays_rules_quote_it() -> None:
    odd = model("b", alias='we"ird; drop', schema="Prod X")
    today = manifest(model("b"), model("c", "model.shop.b"))
    priors = [LabelledPrior("prod", state(manifest(odd)))]
    names = Names(dialect("duckdb"), {"database": False, "schema": False, "identifier": False})
    found = frontier(today, edges(today), {"model.shop.c"}, set(), priors, FAVOR, names)
    resolution = resolve(today, found, {"model.shop.c"}, set(), priors, FAVOR, names, {})
    relation = resolution["model.shop.b"].relation
    assert relation is not None
    assert (relation.database, relation.schema, relation.identifier) == ("db", "Prod X", 'we"ird; drop')
    assert relation.render() == 'db."Prod X"."we""ird; drop"'


def test_a_schema_that_cannot_be_listed_is_no_no() -> None:
    today = shop()
    priors = [LabelledPrior("prod", state(today, schema="prod"))]
    found = frontier(today, edges(today), {"model.shop.c"}, set(), priors, DEFER, NAMES)
    catalog = Catalog({DEV: DatabaseError("permission denied")}, NAMES.dialect)
    exists = existence(today, found, NAMES, catalog)
    assert exists["model.shop.b"] == Unlisted(DEV, "permission denied")
    decision = resolve(today, found, {"model.shop.c"}, set(), priors, DEFER, NAMES, exists)["model.shop.b"]
    assert (decision.relation, decision.reason) == (None, Reason.UNLISTED)


def test_names_are_compared_as_the_engine_does() -> None:
    catalog = listing("Orders", schema=SchemaName("DB", "Dev"))
    assert catalog.exists(NAMES.dialect.relation("db", "dev", "orders")) is True
    assert catalog.exists(NAMES.dialect.relation("db", "dev", "order")) is False


def test_functions_are_deferred_without_asking() -> None:
    function = Function(
        database="db", schema="dev", name="f", package_name="shop", path="f.sql", original_file_path="functions/f.sql",
        unique_id="function.shop.f", fqn=["shop", "f"], alias="f", checksum=Checksum("none", ""), config={},
    )  # fmt: skip
    today = manifest(model("c", "function.shop.f"), functions={"function.shop.f": function})
    priors = [LabelledPrior("prod", state(today))]
    found = frontier(today, edges(today), {"model.shop.c"}, set(), priors, DEFER, NAMES)
    assert found.ask == ()
    resolution = resolve(today, found, {"model.shop.c"}, set(), priors, DEFER, NAMES, {})
    assert resolution["function.shop.f"].reason is Reason.MISSING


def test_whatever_nobody_refers_to_is_its_own() -> None:
    resolution, _ = run(shop(), {"model.shop.c"}, DEFER)
    decision = resolution.of("model.shop.c")
    assert (str(decision.relation), decision.reason) == ('"db"."dev"."c"', Reason.UNREACHED)
    assert resolution.of("model.shop.a") is resolution["model.shop.a"]
    assert len(resolution) == 3
    today = manifest(model("e", config={"materialized": "ephemeral"}))
    assert run(today, set(), DEFER)[0].of("model.shop.e").relation is None
    with pytest.raises(KeyError):
        resolution.of("model.shop.nothing")


def test_a_decision_reads_as_a_sentence() -> None:
    resolution, _ = run(shop(), {"model.shop.c"}, DEFER)
    assert str(resolution["model.shop.b"]) == "b -> db.prod.b (not selected, missing in the target)"
    assert str(Decision("model.shop.eph", None, Reason.EPHEMERAL)) == "eph -> a CTE (ephemeral: inlined)"
    assert plain(NAMES.dialect.relation(None, "dev", "b")) == "dev.b"


def test_a_unit_test_refers_to_what_gives_the_types_of_its_rows() -> None:
    """Rows as SQL need no types; sources are never deferred; ephemeral models have no relation."""
    today = manifest(
        model("a"), model("b"), model("e", config={"materialized": "ephemeral"}), model("m", "model.shop.a")
    )
    given = [("model.shop.a", "dict"), ("model.shop.b", "sql"), ("model.shop.e", "csv"), (None, "dict")]
    test = UnitTest(
        name="u", model="m", given=[{"format": form} for _, form in given], expect={}, package_name="shop", path="u.yml",
        original_file_path="models/u.yml", unique_id="unit_test.shop.m.u", fqn=[], config={},
        depends_on=DependsOn(nodes=["model.shop.m"]),
    )  # fmt: skip
    today.unit_tests[test.unique_id] = test
    today.inputs[test.unique_id] = tuple(unique_id for unique_id, _ in given)
    assert references(today, edges(today), [test.unique_id]) == {"model.shop.a": (test.unique_id,)}
