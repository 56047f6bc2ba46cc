"""What is missing is an error before anything runs; what is odd is a warning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.graphs import edges, manifest, model, singular, state

from understudy.core.manifest import Manifest
from understudy.core.relation import Relation, SchemaName
from understudy.defer.check import age, elsewhere, missing, oddities, unreadable
from understudy.defer.decide import Policy
from understudy.defer.resolution import (
    Catalog,
    Frontier,
    LabelledPrior,
    Names,
    Resolution,
    existence,
    frontier,
    resolve,
)
from understudy.errors import DeferError, PermissionDenied
from understudy.sql.dialect import dialect

NAMES = Names(dialect("duckdb"))
DEV, PROD = SchemaName("db", "dev"), SchemaName("db", "prod")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DEFER = Policy(defer=True)


def rel(schema: str, name: str) -> Relation:
    return NAMES.dialect.relation("db", schema, name)


def shop() -> Manifest:
    return manifest(
        model("a"),
        model("b"),
        model("new"),
        model("c", "model.shop.a", "model.shop.b", "model.shop.new"),
        singular("t", "model.shop.a", "model.shop.b"),
    )


def resolved(
    catalog: Catalog, select: set[str], policy: Policy = DEFER, *, old: Manifest | None = None, verify: bool = True
) -> tuple[Resolution, Frontier, Manifest]:
    today = shop()
    priors = [LabelledPrior("prod", state(old or manifest(model("a"), model("b")), schema="prod"))]
    found = frontier(today, edges(today), select, set(), priors, policy, NAMES, verify=verify)
    exists = existence(today, found, NAMES, catalog)
    return resolve(today, found, select, set(), priors, policy, NAMES, exists), found, today


def errors(listings: dict[SchemaName, Any], *, verify: bool = True, policy: Policy = DEFER) -> list[DeferError]:
    catalog = Catalog(listings, NAMES.dialect)
    resolution, found, _ = resolved(catalog, {"model.shop.c"}, policy, verify=verify)
    return missing(resolution, found, catalog, verify=verify)


def test_all_is_there() -> None:
    assert errors({DEV: [rel("dev", "new"), rel("dev", "b")], PROD: [rel("prod", "a")]}) == []


def test_deferred_relations_that_are_gone_are_listed_together() -> None:
    (error,) = errors({DEV: [rel("dev", "new")], PROD: []})
    assert "2 relations are not there, though the state says so" in str(error)
    assert "db.prod.a (model.shop.a, state prod), needed by model.shop.c" in str(error)
    assert "db.prod.b (model.shop.b, state prod), needed by model.shop.c" in str(error)
    assert "--no-verify-state" in str(error)


def test_deferred_relations_that_may_not_be_read_are_listed_together() -> None:
    catalog = Catalog({DEV: [rel("dev", "new")], PROD: [rel("prod", "a"), rel("prod", "b")]}, NAMES.dialect)
    resolution, found, _ = resolved(catalog, {"model.shop.c"})
    asked: list[Relation] = []

    def ask(relations: Any) -> dict[Relation, PermissionDenied]:
        asked.extend(relations)
        return {relation: PermissionDenied("no", hint="Ask its owner") for relation in relations}

    (error,) = unreadable(resolution, found, ask)
    assert {relation.identifier for relation in asked} == {"a", "b"}
    assert "2 relations may not be read" in str(error)
    assert "db.prod.a (model.shop.a, state prod), needed by model.shop.c" in str(error)
    assert error.hint == "Ask its owner"
    assert unreadable(resolution, found, lambda relations: {}) == []


def test_nobody_is_asked_about_rights_when_nothing_is_deferred() -> None:
    catalog = Catalog({DEV: [rel("dev", name) for name in ("a", "b", "new")]}, NAMES.dialect)
    resolution, found, _ = resolved(catalog, {"model.shop.c"})
    assert unreadable(resolution, found, lambda relations: pytest.fail("asked")) == []


def test_a_node_that_was_never_built() -> None:
    (error,) = errors({DEV: [], PROD: [rel("prod", "a"), rel("prod", "b")]})
    assert "1 relations are in no state" in str(error)
    assert "db.dev.new (model.shop.new), needed by model.shop.c" in str(error)


def test_no_verification() -> None:
    assert errors({DEV: []}, verify=False) == []


def test_favored_relations_are_verified_too() -> None:
    policy = Policy(defer=True, favor_state=True)
    (error,) = errors({DEV: [rel("dev", "new")], PROD: [rel("prod", "a")]}, policy=policy)
    assert "db.prod.b" in str(error)


@pytest.mark.parametrize("verify", [True, False])
def test_a_target_that_cannot_be_listed_is_told_with_the_drivers_words(verify: bool) -> None:
    found = errors({DEV: PermissionDenied("not for you"), PROD: [rel("prod", "a"), rel("prod", "b")]}, verify=verify)
    assert len(found) == 1
    assert "db.dev" in str(found[0])
    assert "not for you" in str(found[0])
    assert "model.shop.a, model.shop.b" in str(found[0])


def test_a_state_whose_schema_cannot_be_listed() -> None:
    (error,) = errors({DEV: [rel("dev", "new")], PROD: PermissionDenied("secret")})
    assert "The schema db.prod could not be listed" in str(error)
    assert "secret" in str(error)


def test_long_lists_are_cut() -> None:
    names = [f"m{i}" for i in range(8)]
    today = manifest(model("a"), *(model(name, "model.shop.a") for name in names))
    select = {f"model.shop.{name}" for name in names}
    priors = [LabelledPrior("prod", state(manifest(model("a")), schema="prod"))]
    found = frontier(today, edges(today), select, set(), priors, DEFER, NAMES)
    catalog = Catalog({DEV: [], PROD: []}, NAMES.dialect)
    resolution = resolve(today, found, select, set(), priors, DEFER, NAMES, existence(today, found, NAMES, catalog))
    assert "and 3 more" in str(missing(resolution, found, catalog)[0])
    found = frontier(today, edges(today), set(), set(), priors, DEFER, NAMES, also=["model.shop.a"])
    resolution = resolve(today, found, set(), set(), priors, DEFER, NAMES, existence(today, found, NAMES, catalog))
    assert "needed by the command line" in str(missing(resolution, found, catalog)[0])


def warned(**options: Any) -> list[str]:
    catalog = Catalog({DEV: [rel("dev", "b"), rel("dev", "new")], PROD: [rel("prod", "a")]}, NAMES.dialect)
    resolution, found, today = resolved(catalog, {"model.shop.c", "test.shop.t"})
    metadata = options.pop("metadata", {})
    priors = [LabelledPrior("prod", state(manifest(), **metadata))]
    return [w.message for w in oddities(resolution, found, today, edges(today), priors, now=NOW, **options)]


MIXED = "test.shop.t reads two environments: db.dev.b and db.prod.a"


def test_a_test_that_reads_two_environments() -> None:
    assert warned() == [MIXED]


def test_a_test_that_reads_one() -> None:
    catalog = Catalog({DEV: [], PROD: []}, NAMES.dialect)
    resolution, found, today = resolved(catalog, {"test.shop.t"})
    assert oddities(resolution, found, today, edges(today), [], now=NOW) == []


class Counted(dict[str, Any]):
    """Nodes that count how often all of them are looked through."""

    walks = 0

    def items(self) -> Any:
        self.walks += 1
        return super().items()

    def values(self) -> Any:
        self.walks += 1
        return super().values()


@pytest.mark.parametrize("tests", [1, 50])
def test_the_nodes_are_not_looked_through_once_per_test(tests: int) -> None:
    names = [f"t{n}" for n in range(tests)]
    today = manifest(model("a"), model("b"), *(singular(name, "model.shop.a", "model.shop.b") for name in names))
    priors = [LabelledPrior("prod", state(manifest(model("a")), schema="prod"))]
    found = frontier(today, edges(today), {f"test.shop.{name}" for name in names}, set(), priors, DEFER, NAMES)
    catalog = Catalog({DEV: [rel("dev", "b")], PROD: [rel("prod", "a")]}, NAMES.dialect)
    exists = existence(today, found, NAMES, catalog)
    resolution = resolve(today, found, set(), set(), priors, DEFER, NAMES, exists)
    parents, counted = edges(today), Counted(today.nodes)
    today.nodes = counted
    warnings = oddities(resolution, found, today, parents, priors, now=NOW)
    assert sum("two environments" in warning.message for warning in warnings) == tests
    assert counted.walks == 0


def test_an_old_state() -> None:
    metadata = {"generated_at": "2026-11-20T11:00:00.000000Z"}
    assert warned(metadata=metadata)[0] == "State prod is 25 h old (--state-max-age is 24 h)"
    assert warned(metadata=metadata, max_age=timedelta(hours=26)) == [MIXED]
    assert warned(metadata=metadata, max_age=None) == [MIXED]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T11:00:00.5Z", timedelta(minutes=59, seconds=59.5)),
        ("2026-11-21T11:00:00", timedelta(hours=1)),
        ("yesterday", None),
        (None, None),
    ],
)
def test_age(text: str | None, expected: timedelta | None) -> None:
    assert age(text, NOW) == expected


def test_a_state_of_another_adapter() -> None:
    assert (
        warned(metadata={"adapter_type": "postgres"})[0] == "State prod was made with postgres, this target is duckdb"
    )


def test_a_stale_relation_that_shadows_the_states() -> None:
    why = {"model.shop.b": "it was built from other code"}
    assert warned(stale=why.get)[-1] == "db.dev.b is read instead of db.prod.b, though it was built from other code"


def test_another_database_is_told_of_where_the_engine_cannot_read_it() -> None:
    today = shop()
    here = {DEV: [rel("dev", "new")]}
    found = []
    for database in ("other", "db"):
        old = manifest(model("a"), model("b"))
        for node in old.nodes.values():
            node.database = database
        priors = [LabelledPrior("prod", state(old, schema="prod"))]
        selected = {"model.shop.c"}
        asked = frontier(today, edges(today), selected, set(), priors, DEFER, NAMES)
        exists = existence(today, asked, NAMES, Catalog(here, NAMES.dialect))
        resolution = resolve(today, asked, selected, set(), priors, DEFER, NAMES, exists)
        found.append(elsewhere(resolution, asked, "db", NAMES.dialect))
    (error,), none = found
    assert none == []
    assert "2 relations are in another database, and duckdb reads no other than 'db'" in str(error)
    assert "other.prod.a (model.shop.a, state prod), needed by model.shop.c" in str(error)
