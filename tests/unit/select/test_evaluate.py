"""From trees to nodes: operators, combinations, tests that come along, types, warnings."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from support.resources import make, manifest_of

from understudy.errors import SelectorError
from understudy.graph.dag import Dag
from understudy.select.evaluate import Selection, Spec, evaluate
from understudy.select.world import World
from understudy.select.yaml import read_selectors

SELECTORS: dict[str, Any] = {
    "selectors": [
        {"name": "ab", "definition": {"union": ["a", "b"]}},
        {"name": "excludes", "definition": {"union": ["a", {"method": "fqn", "value": "b", "exclude": ["t_a"]}]}},
        {"name": "cautious", "definition": {"method": "fqn", "value": "a", "indirect_selection": "cautious"}},
    ]
}


def world(**selectors: Any) -> World:
    """raw (source) -> a -> b -> d, c -> d; a test on each of a, b, c; one on a and c, one on a and raw."""
    manifest = manifest_of(
        make("model.shop.d", "model.shop.b", "model.shop.c"), make("source.shop.s.raw"),
        make("model.shop.a", "source.shop.s.raw", tags=["x"]), make("model.shop.b", "model.shop.a", tags=["x"]),
        make("model.shop.c"), make("model.shop.blank", raw_code=" \n"), make("seed.shop.seed"),
        make("test.shop.t_a", "model.shop.a"), make("test.shop.t_b", "model.shop.b"), make("test.shop.t_c", "model.shop.c"),
        make("test.shop.t_ac", "model.shop.a", "model.shop.c"), make("test.shop.t_raw_a", "source.shop.s.raw", "model.shop.a"),
        make("exposure.shop.board", "model.shop.d"),
        make("unit_test.shop.u", "model.shop.b", fqn=["shop", "u"]),
    )  # fmt: skip
    return World(manifest, Dag.of(manifest), "shop", selectors=read_selectors({**SELECTORS, **selectors}))


def run(*select: str, **fields: Any) -> Selection:
    fields.setdefault("empty_nodes", True)
    return evaluate(Spec(select or None, **fields), world())


def short(selection: Selection) -> set[str]:
    return {node.split(".")[-1] for node in selection.nodes}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("b", {"b"}),
        ("+b", {"raw", "a", "b"}),
        ("1+b", {"a", "b"}),
        ("0+b", {"b"}),
        ("b+", {"b", "d", "board"}),
        ("b+1", {"b", "d"}),
        ("@b", {"raw", "a", "b", "c", "d", "board"}),
        ("a+,+d", {"a", "b", "d"}),
        ("a c", {"a", "c"}),
        ("tag:x,b", {"b"}),
        ("tag:x,c", set()),
    ],
)
def test_operators_go_around_what_is_found(text: str, expected: set[str]) -> None:
    assert short(run(text, exclude_resource_types={"test", "unit_test"})) == expected
    assert short(run(*text.split(" "), exclude_resource_types={"test", "unit_test"})) == expected


@pytest.mark.parametrize(
    ("text", "mode", "expected"),
    [
        ("a", "eager", {"a", "t_a", "t_ac", "t_raw_a"}),
        ("a", "cautious", {"a", "t_a"}),
        ("a", "buildable", {"a", "t_a", "t_raw_a"}),
        ("a", "empty", {"a"}),
        ("a c", "cautious", {"a", "c", "t_a", "t_c", "t_ac"}),
        ("a c", "empty", {"a", "c"}),
        ("b", "eager", {"b", "t_b", "u"}),
        ("b", "cautious", {"b", "t_b", "u"}),
        ("b", "empty", {"b"}),
        ("d", "buildable", {"d"}),
        ("b c", "buildable", {"b", "c", "t_b", "t_c", "u", "t_ac"}),
        ("t_ac", "empty", {"t_ac"}),
        ("t_ac a", "cautious", {"t_ac", "a", "t_a"}),
        ("tag:x,a", "cautious", {"a", "t_a"}),
        ("source:s", "eager", {"raw", "t_raw_a"}),
        ("source:s a", "cautious", {"raw", "a", "t_a", "t_raw_a"}),
    ],
)
def test_tests_come_along_by_mode(text: str, mode: Any, expected: set[str]) -> None:
    assert short(run(text, indirect=mode)) == expected


def test_buildable_takes_any_source_for_given_at_the_first_look() -> None:
    """As in dbt 1.11: a source needs no building, so a test of a model and a source that is not above it comes along."""
    manifest = manifest_of(
        make("source.shop.s.far"), make("model.shop.a"), make("model.shop.b"),
        make("test.shop.far", "model.shop.a", "source.shop.s.far"),
        make("test.shop.more", "model.shop.a", "model.shop.b", "source.shop.s.far"),
    )  # fmt: skip
    here = World(manifest, Dag.of(manifest), "shop")
    assert short(evaluate(Spec(["a"], indirect="buildable"), here)) == {"a", "far"}
    assert short(evaluate(Spec(["a"], indirect="cautious"), here)) == {"a"}


def test_exclusion_takes_away_with_its_tests() -> None:
    assert short(run("a c", exclude=["c"])) == {"a", "t_a", "t_raw_a"}
    assert short(run("a c", exclude=["c"], indirect="cautious")) == {"a", "t_a", "t_ac"}
    assert short(run("a c", exclude=["c"], indirect="empty")) == {"a"}
    assert short(run(exclude=["resource_type:test", "tag:x+"])) == {"c", "blank", "seed", "raw"}


def test_selected_is_before_types_and_nodes_are_after() -> None:
    selection = run("+b", resource_types={"test"})
    assert {"model.shop.a", "source.shop.s.raw", "test.shop.t_a"} <= selection.selected
    assert short(selection) == {"t_a", "t_b", "t_ac", "t_raw_a"}
    assert short(run("+b", exclude_resource_types={"test", "unit_test", "source"})) == {"a", "b"}


def test_nodes_come_parents_first() -> None:
    nodes = run(resource_types={"model"}).nodes
    assert nodes == tuple(node for node in world().dag.order() if node.startswith("model."))
    assert nodes.index("model.shop.a") < nodes.index("model.shop.b") < nodes.index("model.shop.d")


def test_everything_is_selected_when_nothing_is_said() -> None:
    assert run().selected == run("").selected | set(world().dag)
    assert run("").nodes == ()


def test_nodes_without_code_are_only_listed() -> None:
    assert short(run("blank seed source:s", exclude_resource_types={"test"})) == {"blank", "seed", "raw"}
    selection = run("blank seed source:s", exclude_resource_types={"test"}, empty_nodes=False)
    assert short(selection) == {"seed", "raw"}
    assert "model.shop.blank" in selection.selected


def test_what_matches_nothing_is_told_once() -> None:
    selection = run("a", "nothing", "nothing", exclude=["tag:none"])
    assert [warning.message for warning in selection.warnings] == [
        "The selection criterion 'nothing' does not match any enabled nodes",
        "The selection criterion 'tag:none' does not match any enabled nodes",
    ]
    assert {warning.name for warning in selection.warnings} == {"NoNodesForSelectionCriteria"}
    assert [warning.name for warning in run("a", resource_types={"seed"}).warnings] == ["NoNodesSelected"]


def test_a_selector_stands_for_its_definition() -> None:
    assert short(run(selector="ab")) == {"a", "b", "t_a", "t_b", "t_ac", "t_raw_a", "u"}
    assert run(selector="ab").warnings == ()
    assert short(run(selector="cautious")) == {"a", "t_a"}
    with pytest.raises(SelectorError, match="no selector 'ba'"):
        run(selector="ba")


def test_a_selector_wins_over_select_and_says_so() -> None:
    selection = run("c", selector="ab")
    assert selection.selected == run(selector="ab").selected
    assert [warning.name for warning in selection.warnings] == ["SelectionIgnored"]


def test_a_selectors_own_warnings_are_told_when_it_is_used() -> None:
    assert [warning.name for warning in run(selector="excludes").warnings] == ["SelectorExcludeAlone"]
    assert run("a").warnings == ()


def test_the_default_selector_holds_when_nothing_is_said() -> None:
    here = world(selectors=[{"name": "only_c", "definition": "c", "default": True}])
    assert short(evaluate(Spec(), here)) == {"c", "t_c", "t_ac"}
    assert short(evaluate(Spec(["b"]), here)) == {"b", "t_b", "u"}
    assert "model.shop.c" not in evaluate(Spec(exclude=["c"]), here).selected


class Beside:
    """A comparison that finds two nodes gone."""

    def matches(self, selector: str, unique_id: str, /) -> bool:
        return selector == "modified" and unique_id == "model.shop.a"

    def removed(self) -> tuple[str, ...]:
        return ("model.shop.old", "test.shop.old")


def beside(*select: str, **fields: Any) -> Selection:
    return evaluate(Spec(select or None, empty_nodes=True, **fields), replace(world(), compare=Beside))


@pytest.mark.parametrize(
    "select", [("state:removed",), ("state:removed state:modified",), ("state:modified", "state:removed")]
)
def test_what_is_gone_stands_beside_what_is_selected(select: tuple[str, ...]) -> None:
    found = beside(*select)
    assert found.removed == ("model.shop.old", "test.shop.old")
    assert ("model.shop.a" in found.nodes) is ("state:modified" in " ".join(select))
    assert found.warnings == ()


def test_nothing_is_gone_where_nobody_asks() -> None:
    assert beside("state:modified").removed == ()
    assert beside("a", exclude=["b"]).removed == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"select": ["state:removed,a"]},
        {"select": ["state:removed+"]},
        {"select": ["+state:removed"]},
        {"select": ["@state:removed"]},
        {"exclude": ["state:removed"]},
        {"select": ["state:removed"], "exclude": ["a"]},
    ],
)
def test_what_is_gone_cannot_be_combined(fields: dict[str, Any]) -> None:
    with pytest.raises(SelectorError, match="state:removed"):
        evaluate(Spec(**fields), replace(world(), compare=Beside))
