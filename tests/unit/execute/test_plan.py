"""Which steps a command has, in which order, and which schemas it needs."""

from __future__ import annotations

from typing import Any

import pytest
from support.engine import PROJECT, check, model, seed

from understudy.core.manifest import Manifest
from understudy.core.nodes import DependsOn, Exposure, GenericTest, Node, TestMetadata
from understudy.core.relation import SchemaName
from understudy.execute.plan import Plan, make_plan, stores_failures
from understudy.graph.dag import Dag


def plan(command: str, *nodes: Node, selected: list[str] | None = None, store_failures: bool = False) -> Plan:
    manifest = Manifest(PROJECT, "duckdb", nodes={node.unique_id: node for node in nodes})
    exposure = Exposure(
        name="e", package_name=PROJECT, path="", original_file_path="", unique_id="exposure.shop.e", fqn=[], type="notebook",
        owner={}, config={}, depends_on=DependsOn(nodes=[nodes[0].unique_id]),
    )  # fmt: skip
    manifest.exposures[exposure.unique_id] = exposure
    chosen = [*manifest.nodes] if selected is None else [f"model.{PROJECT}.{name}" for name in selected]
    return make_plan(
        manifest, Dag.of(manifest), [*chosen, "exposure.shop.e", "source.x"], command, store_failures=store_failures
    )


def needs(plan: Plan) -> dict[str, set[str]]:
    return {step.unique_id.split(".")[-1]: {need.split(".")[-1] for need in step.needs} for step in plan.steps}


def test_order_weights_and_actions() -> None:
    made = plan("run", model("b", needs=("a",)), model("a"), seed("s", ""), model("e", materialized="ephemeral"))
    assert [(step.unique_id.split(".")[-1], step.action, step.weight) for step in made.steps] == [
        ("a", "model", 2), ("s", "seed", 1), ("b", "model", 1), ("e", "exposure", 1)
    ] or {step.unique_id.split(".")[-1]: step.action for step in made.steps} == {
        "a": "model", "s": "seed", "b": "model", "e": "exposure"
    }  # fmt: skip
    weights = {step.unique_id.split(".")[-1]: step.weight for step in made.steps}
    assert weights["a"] > weights["b"]


def test_unselected_nodes_keep_the_order() -> None:
    nodes = (model("a"), model("b", needs=("a",)), model("c", needs=("b",)))
    assert needs(plan("run", *nodes, selected=["a", "c"]))["c"] == {"a"}


def test_only_build_waits_for_tests() -> None:
    nodes = (model("a"), check("t", "", ("a",)), model("b", needs=("a",)))
    assert needs(plan("build", *nodes))["b"] == {"a", "t"}
    assert needs(plan("run", *nodes))["b"] == {"a"}
    assert (plan("build", *nodes).tests_block, plan("run", *nodes).tests_block) == (True, False)


def test_schemas() -> None:
    nodes = (
        model("a"),
        model("b", schema="other"),
        model("e", materialized="ephemeral", schema="none"),
        check("t", "", ("a",)),
    )
    names = (SchemaName("memory", "dev"), SchemaName("memory", "other"))
    assert set(plan("build", *nodes).schemas) == set(names)
    audit = SchemaName("memory", "dev_dbt_test__audit")
    assert set(plan("build", *nodes, store_failures=True).schemas) == {*names, audit}


@pytest.mark.parametrize(
    ("config", "flag", "expected"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"store_failures": False}, True, False),
        ({"store_failures": True}, False, True),
        ({"store_failures": False, "store_failures_as": "table"}, False, True),
        ({"store_failures": True, "store_failures_as": "ephemeral"}, True, False),
    ],
)
def test_who_stores_failures(config: dict[str, object], flag: bool, expected: bool) -> None:
    assert stores_failures(check("t", "", (), **config), flag) is expected


def generic(name: str, needs: str = "a", model: str | None = None, **config: Any) -> Node:
    base = check(name, "select 1", (needs,))
    fields = {field: getattr(base, field) for field in base.__struct_fields__}
    fields["config"] = {**fields["config"], **config}
    kwargs = {"model": model or f"{{{{ get_where_subquery(ref('{needs}')) }}}}"}
    return GenericTest(**fields, test_metadata=TestMetadata(name="not_null", kwargs=kwargs))


def bundles(command: str, *nodes: Node, fuse: bool = True) -> list[set[str]]:
    manifest = Manifest(PROJECT, "duckdb", nodes={node.unique_id: node for node in nodes})
    made = make_plan(manifest, Dag.of(manifest), list(manifest.nodes), command, fuse_tests=fuse)
    found: dict[str, set[str]] = {}
    for step in made.steps:
        if step.bundle is not None:
            found.setdefault(step.bundle, set()).add(step.unique_id.split(".")[-1])
    return sorted(found.values(), key=sorted)


def test_tests_of_one_relation_that_need_the_same_are_bundled() -> None:
    nodes = (
        model("a"), model("b"), generic("x"), generic("y"), generic("z", "b"),
        generic("other_part", model="{{ get_where_subquery(ref('a', v=2)) }}"), check("singular", "", ("a",)),
        generic("kept", store_failures=True), generic("limited", limit=3), generic("counted", fail_calc="sum(n)"),
        generic("some", error_if="= 0"), generic("many", error_if=">= 10", warn_if="> 5"),
    )  # fmt: skip
    assert bundles("build", *nodes) == [{"many", "x", "y"}, {"other_part"}, {"z"}]
    assert bundles("build", *nodes, fuse=False) == []


def test_tests_that_wait_for_different_nodes_are_apart_in_a_build_only() -> None:
    both = generic("both")
    both.depends_on.nodes.append(f"model.{PROJECT}.b")
    nodes = (model("a"), model("b"), generic("one"), both)
    assert bundles("build", *nodes) == [{"both"}, {"one"}]
    assert bundles("test", *nodes[2:]) == [{"both", "one"}]


def test_the_longest_path_is_measured_in_seconds_where_they_are_known() -> None:
    nodes = (model("a"), model("b", needs=("a",)), model("slow"), model("new"))
    manifest = Manifest(PROJECT, "duckdb", nodes={node.unique_id: node for node in nodes})
    known = {f"model.{PROJECT}.{name}": seconds for name, seconds in {"a": 0.5, "b": 1.0, "slow": 9.0}.items()}
    made = make_plan(manifest, Dag.of(manifest), list(manifest.nodes), "run", durations=known)
    weights = {step.unique_id.split(".")[-1]: step.weight for step in made.steps}
    assert weights == {"slow": 9.0, "a": 1.5, "b": 1.0, "new": 1.0}, "an unknown one takes as long as the middle one"
