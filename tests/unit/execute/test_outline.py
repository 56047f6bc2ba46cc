"""A plan as people read it: what each step does to its relation, and what stands where. Nothing is asked of an engine."""

from __future__ import annotations

from typing import Any

import pytest
from support.engine import PROJECT, check, model, seed

from understudy.core.manifest import Manifest
from understudy.core.nodes import Node
from understudy.core.relation import Relation
from understudy.defer.decide import Policy
from understudy.defer.resolution import Names, frontier, resolve
from understudy.execute.outline import (
    Evidence,
    Planned,
    Standing,
    describe,
    estimate,
    losing_history,
    schema,
    skipped,
    steps,
)
from understudy.execute.plan import make_plan
from understudy.graph.dag import Dag
from understudy.sql.dialect import dialect

NAMES = Names(dialect("duckdb"))


def evidence(*nodes: Node, there: dict[str, str] | None = None, listed: bool = True, **fields: Any) -> Evidence:
    """A build of all nodes; `there`: relations by name with their types."""
    manifest = Manifest(PROJECT, "duckdb", nodes={node.unique_id: node for node in nodes})
    dag, everything = Dag.of(manifest), frozenset(manifest.nodes)
    reach = frontier(manifest, dag, everything, everything, (), Policy(), NAMES)

    def existing(relation: Relation) -> Relation | bool | None:
        kind: Any = (there or {}).get(relation.identifier or "")
        return None if not listed else relation.with_type(kind) if kind else False

    return Evidence(
        manifest, dag, make_plan(manifest, dag, list(manifest.nodes), "build"),
        resolve(manifest, reach, everything, everything, (), Policy(), NAMES, {}), reach.referenced, NAMES, (),
        existing=existing, **fields,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("materialized", "there", "flag", "config", "effect"),
    [
        ("table", None, False, {}, "create"),
        ("table", "table", False, {}, "replace"),
        ("view", "table", False, {}, "replace"),
        ("incremental", None, False, {}, "from nothing"),
        ("incremental", "table", False, {}, "append"),
        ("incremental", "table", True, {}, "from nothing"),
        ("incremental", "table", True, {"full_refresh": False}, "append"),
        ("incremental", "table", False, {"full_refresh": True}, "from nothing"),
        ("incremental", "view", False, {}, "from nothing"),
        ("snapshot", "table", True, {}, "update"),
        ("snapshot", None, False, {}, "from nothing"),
        ("materialized_view", "materialized_view", False, {}, "refresh"),
        ("materialized_view", "materialized_view", True, {}, "replace"),
        ("materialized_view", "table", False, {}, "replace"),
        ("materialized_view", None, False, {}, "create"),
    ],
)
def test_effect(materialized: str, there: str | None, flag: bool, config: dict[str, Any], effect: str) -> None:
    found = evidence(
        model("m", materialized=materialized, **config), there={"m": there} if there else {}, full_refresh=flag
    )
    (step,) = steps(found)
    assert step.effect == effect
    assert step.target == Standing("target", "memory.dev.m", there is not None, there)


def test_what_could_not_be_listed_is_not_known() -> None:
    (step,) = steps(evidence(model("m"), listed=False))
    assert step.target == Standing("target", "memory.dev.m", None, None)


def test_tests_and_ephemeral_models_leave_nothing() -> None:
    found = evidence(model("m"), check("t", "select 1", ("m",)), model("e", materialized="ephemeral"))
    assert [(step.name, step.effect, step.relation) for step in steps(found)] == [
        ("m", "create", "memory.dev.m"),
        ("t", "test", None),
    ]
    assert describe(found, f"model.{PROJECT}.e").effect == "nothing"


def test_what_is_left_alone() -> None:
    found = evidence(model("m"), model("e", materialized="ephemeral"), model("blank", sql=" "), seed("s", "."))
    nothing = Evidence(
        found.manifest, found.dag, make_plan(found.manifest, found.dag, [], "build"), found.resolution, {}, NAMES, ()
    )
    ids = {name: f"{'seed' if name == 's' else 'model'}.{PROJECT}.{name}" for name in ("m", "e", "blank", "s")}
    why = {each.unique_id: each.why for each in skipped(nothing, [ids["e"], ids["blank"], ids["s"]])}
    assert why == {
        ids["m"]: "not selected",
        ids["e"]: "ephemeral: inlined",
        ids["blank"]: "it has no code",
        ids["s"]: "its type is left out",
    }
    assert {each.why for each in skipped(nothing, [])} == {"not selected"}


def test_estimate() -> None:
    m = f"model.{PROJECT}.m"
    known = evidence(model("m"), seconds={m: 2.0, "model.shop.x": 3.0})
    assert (estimate(known, ["model.shop.x", "model.shop.y"]).run, estimate(known, ["model.shop.x"]).saved) == (
        2.0,
        3.0,
    )
    assert (estimate(evidence(model("m")), []).run, estimate(known, []).saved) == (None, None)


@pytest.mark.parametrize(("exists", "lost"), [(True, True), (None, True), (False, False)])
def test_history_is_lost_only_where_there_is_one(exists: bool | None, lost: bool) -> None:
    step = Planned("model.shop.m", "m", "incremental", "from nothing", production=Standing("prod", "p.m", exists))
    assert bool(losing_history([step])) is lost
    assert losing_history([Planned("model.shop.m", "m", "incremental", "from nothing")]) == ()


def test_the_schema_describes_both_documents() -> None:
    assert {"Outline", "Explanation", "Planned", "Reference"} <= set(schema()["$defs"])
