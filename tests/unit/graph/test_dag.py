"""The graph: walking, order, circles, subsets, maps, and what waits for tests."""

from __future__ import annotations

import pytest
from support.resources import group, make, manifest_of

from understudy.core.manifest import Manifest
from understudy.core.nodes import DependsOn, UnitTest
from understudy.errors import CycleError
from understudy.graph.dag import Dag, group_map

DIAMOND = Dag.from_parents({"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": [], "e": ["d"], "lonely": []})


def test_parents_and_children_are_direct() -> None:
    assert list(DIAMOND.parents("d")) == ["b", "c"]
    assert list(DIAMOND.children("a")) == ["b", "c"]
    assert "d" in DIAMOND
    assert "x" not in DIAMOND
    assert len(DIAMOND) == 6
    assert list(DIAMOND) == ["d", "b", "c", "a", "e", "lonely"]


def test_reach_stops_at_the_depth() -> None:
    assert [DIAMOND.ancestors(["d"], depth) for depth in (0, 1, 2, None)] == [set(), {"b", "c"}, set("abc"), set("abc")]
    assert [DIAMOND.descendants(["b"], depth) for depth in (0, 1, 2, None)] == [set(), {"d"}, {"d", "e"}, {"d", "e"}]


def test_the_start_is_reached_only_along_an_edge() -> None:
    assert DIAMOND.ancestors(["d", "b"]) == {"a", "b", "c"}
    assert DIAMOND.ancestors(["a", "unknown"]) == set()


def test_order_puts_parents_first_and_keeps_the_given_order() -> None:
    assert DIAMOND.order() == ["a", "lonely", "b", "c", "d", "e"]
    assert DIAMOND.cycle() is None  # asked after the order is known, and before:
    assert Dag.from_parents({"a": []}).cycle() is None


def test_a_circle_is_the_way_around_it() -> None:
    dag = Dag.from_parents({"top": [], "a": ["top", "b"], "b": ["c"], "c": ["a"], "below": ["c"]})
    assert dag.cycle() == ["a", "b", "c", "a"]
    with pytest.raises(CycleError, match="a -> b -> c -> a"):
        dag.order()
    assert Dag.from_parents({"self": ["self"]}).cycle() == ["self", "self"]


def test_the_way_into_a_circle_is_no_part_of_it() -> None:
    assert Dag.from_parents({"below": ["a"], "a": ["b"], "b": ["a"]}).cycle() == ["a", "b", "a"]


def test_a_circle_in_a_manifest_names_every_file() -> None:
    one = make("model.shop.one", "model.shop.two")
    two = make("model.shop.two", "model.shop.one", original_file_path="models/deep/two.sql")
    manifest = manifest_of(one, two)
    manifest.lines["model.shop.one"] = 1
    with pytest.raises(CycleError, match="one -> two -> one") as caught:
        Dag.of(manifest)
    assert caught.value.place is not None
    assert caught.value.place.path == "models/one.sql"
    assert "models/deep/two.sql" in (caught.value.hint or "")
    assert "models/one.sql:1" in (caught.value.hint or "")


def test_unknown_and_repeated_parents_do_not_count() -> None:
    assert list(Dag.from_parents({"a": ["gone"], "b": ["a", "a"]}).parents("b")) == ["a"]


def test_a_subset_keeps_the_ways_through_what_it_leaves_out() -> None:
    subset = DIAMOND.subset(["a", "e", "lonely", "unknown"])
    assert list(subset.parents("e")) == ["a"]
    assert list(subset) == ["a", "e", "lonely"]
    assert list(DIAMOND.subset(["c", "b"]).parents("c")) == []
    assert list(DIAMOND.subset(DIAMOND)) == list(DIAMOND)
    assert list(DIAMOND.subset(["d", "b", "a"]).parents("d")) == ["b", "a"]


def test_maps_are_sorted_as_in_the_manifest() -> None:
    dag = Dag.from_parents({"z": [], "y": [], "a": ["z", "y"], "b": ["z"], "A": ["z"]})
    assert dag.parent_map() == {"z": [], "y": [], "a": ["y", "z"], "b": ["z"], "A": ["z"]}
    assert dag.child_map()["z"] == ["A", "a", "b"]


def test_every_kind_stands_in_the_graph() -> None:
    manifest = manifest_of(
        make("seed.shop.raw"), make("model.shop.a", "seed.shop.raw", "source.shop.s.t", "function.shop.f"),
        make("source.shop.s.t"), make("exposure.shop.board", "model.shop.a"), make("function.shop.f"),
        make("metric.shop.m", "model.shop.a"), make("unit_test.shop.u"),
    )  # fmt: skip
    dag = Dag.of(manifest)
    assert list(dag.parents("model.shop.a")) == ["seed.shop.raw", "source.shop.s.t", "function.shop.f"]
    assert list(dag.children("model.shop.a")) == ["exposure.shop.board", "metric.shop.m"]
    assert list(dag.parents("unit_test.shop.u")) == []


def test_groups_list_their_nodes() -> None:
    manifest = manifest_of(make("model.shop.a", group="g"), make("model.shop.b"), groups={"group.shop.g": group("g")})
    assert group_map(manifest) == {"g": ["model.shop.a"]}


def shop_with(**tests: list[str]) -> Manifest:
    """a -> b -> c; x -> c; s (source) -> a; f (function) under a, over b2; tests by name with what they look at."""
    return manifest_of(
        make("source.shop.s.t"), make("model.shop.a", "source.shop.s.t"), make("model.shop.x"),
        make("model.shop.b", "model.shop.a"), make("model.shop.c", "model.shop.b", "model.shop.x"),
        make("function.shop.f", "model.shop.a"), make("model.shop.b2", "function.shop.f"),
        *(make(f"test.shop.{name}", *parents) for name, parents in tests.items()),
    )  # fmt: skip


def waits(manifest: Manifest) -> dict[str, set[str]]:
    """What each node waits for, over its parents."""
    plain = Dag.of(manifest)
    dag = plain.with_tests(manifest)
    found = {node: set(dag.parents(node)) - set(plain.parents(node)) for node in dag}
    return {node.split(".")[-1]: {t.split(".")[-1] for t in tests} for node, tests in found.items() if tests}


def test_children_wait_for_the_test_of_one_node() -> None:
    assert waits(shop_with(t=["model.shop.a"])) == {"b": {"t"}, "b2": {"t"}}
    assert waits(shop_with(t=["source.shop.s.t"])) == {"a": {"t"}}
    assert waits(shop_with(t=["model.shop.c"])) == {}
    assert waits(shop_with(t=[])) == {}


def test_a_test_of_several_nodes_is_waited_for_where_all_are_above() -> None:
    assert waits(shop_with(t=["model.shop.a", "model.shop.x"])) == {"c": {"t"}}
    assert waits(shop_with(t=["source.shop.s.t", "model.shop.a"])) == {"b": {"t"}, "b2": {"t"}}
    assert waits(shop_with(t=["model.shop.a", "model.shop.c"])) == {}
    more = shop_with(t=["model.shop.a", "model.shop.x"], u=["source.shop.s.t", "model.shop.x", "model.shop.b"])
    assert waits(more) == {"c": {"t", "u"}}


def test_what_waits_goes_on_below_without_another_edge() -> None:
    manifest = shop_with(t=["source.shop.s.t", "model.shop.a"])
    manifest.nodes["model.shop.d"] = make("model.shop.d", "model.shop.c")
    assert "d" not in waits(manifest)
    order = Dag.of(manifest).with_tests(manifest).order()
    assert order.index("test.shop.t") < order.index("model.shop.d")


def test_tests_never_make_a_circle() -> None:
    manifest = shop_with(t=["model.shop.a", "model.shop.b"], u=["model.shop.b"], v=["model.shop.x", "model.shop.c"])
    assert Dag.of(manifest).with_tests(manifest).cycle() is None


def test_a_unit_test_comes_before_its_model_in_a_build() -> None:
    unit = UnitTest(
        name="u", model="b", given=[], expect={}, package_name="shop", path="u.yml", original_file_path="models/u.yml",
        unique_id="unit_test.shop.b.u", fqn=["shop", "b", "u"], config={}, depends_on=DependsOn(nodes=["model.shop.b"]),
    )  # fmt: skip
    manifest = manifest_of(
        make("model.shop.a"), make("model.shop.b", "model.shop.a"), make("model.shop.c", "model.shop.b"),
        unit_tests={unit.unique_id: unit},
    )  # fmt: skip
    assert Dag.of(manifest).parents(unit.unique_id) == ("model.shop.b",)
    build = Dag.of(manifest).with_tests(manifest)
    assert build.parents(unit.unique_id) == ("model.shop.a",)
    assert build.parents("model.shop.b") == ("model.shop.a", unit.unique_id)
    assert build.order()[-1] == "model.shop.c"


def test_a_unit_test_without_its_model_in_the_graph_waits_for_nobody() -> None:
    unit = UnitTest(
        name="u", model="b", given=[], expect={}, package_name="shop", path="u.yml", original_file_path="models/u.yml",
        unique_id="unit_test.shop.b.u", fqn=["shop", "b", "u"], config={}, depends_on=DependsOn(nodes=["model.shop.b"]),
    )  # fmt: skip
    manifest = manifest_of(
        make("model.shop.a"), make("model.shop.b", "model.shop.a"), unit_tests={unit.unique_id: unit}
    )
    part = Dag.of(manifest).subset(["model.shop.a", unit.unique_id])
    assert part.with_tests(manifest).parents("model.shop.a") == ()
    assert unit.unique_id in part.with_tests(manifest).order()
