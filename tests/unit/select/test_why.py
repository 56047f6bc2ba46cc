"""Why a node is selected: the criterion that it matches, or the node by way of which it came."""

from __future__ import annotations

from typing import Any

import pytest
from support.resources import make, manifest_of

from understudy.graph.dag import Dag
from understudy.select.evaluate import Spec, evaluate
from understudy.select.why import Cause, causes
from understudy.select.world import World
from understudy.select.yaml import read_selectors

UNIONS: dict[str, Any] = {
    "selectors": [{"name": "ab", "definition": {"union": ["a", {"method": "fqn", "value": "d", "parents": True}]}}]
}
BY_DEFAULT: dict[str, Any] = {"selectors": [{"name": "x", "default": True, "definition": "tag:x"}]}


def world(selectors: dict[str, Any] | None = None) -> World:
    """raw -> a -> b -> d, c -> d; a test on a, one on c."""
    manifest = manifest_of(
        make("source.shop.s.raw"), make("model.shop.a", "source.shop.s.raw", tags=["x"]),
        make("model.shop.b", "model.shop.a", tags=["x"]), make("model.shop.c"),
        make("model.shop.d", "model.shop.b", "model.shop.c"),
        make("test.shop.t_a", "model.shop.a"), make("test.shop.t_c", "model.shop.c"), make("test.shop.lonely"),
    )  # fmt: skip
    return World(manifest, Dag.of(manifest), "shop", selectors=read_selectors(selectors or {}))


def why(*select: str, selectors: dict[str, Any] | None = None, **fields: Any) -> dict[str, Cause]:
    spec, there = Spec(select or None, empty_nodes=True, **fields), world(selectors)
    found = causes(spec, there, evaluate(spec, there).nodes)
    return {unique_id.rpartition(".")[2]: cause for unique_id, cause in found.items()}


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        (["a"], {"a": Cause("matches", "a"), "t_a": Cause("tests", of="model.shop.a")}),
        (["c+"], {"c": Cause("matches", "c+"), "d": Cause("below", "c+", "model.shop.c"),
                  "t_c": Cause("below", "c+", "model.shop.c")}),
        (["1+b"], {"b": Cause("matches", "1+b"), "a": Cause("above", "1+b", "model.shop.b"),
                   "t_a": Cause("tests", of="model.shop.a")}),
        (["tag:x,b"], {"b": Cause("matches", "tag:x,b")}),
        (["a", "+b"], {"a": Cause("matches", "a"), "b": Cause("matches", "+b"), "raw": Cause("above", "+b", "model.shop.b"),
                       "t_a": Cause("tests", of="model.shop.a")}),
    ],
)  # fmt: skip
def test_causes(select: list[str], expected: dict[str, Cause]) -> None:
    assert why(*select) == expected


def test_parents_of_children_are_needed_by_them() -> None:
    found = why("@b")
    assert found["d"] == Cause("below", "@b", "model.shop.b")
    assert found["c"] == Cause("above", "@b", "model.shop.d")
    assert found["b"] == Cause("matches", "@b")


def test_what_is_excluded_gives_no_cause() -> None:
    assert why("tag:x", exclude=["b"]) == {"a": Cause("matches", "tag:x"), "t_a": Cause("tests", of="model.shop.a")}


def test_nothing_was_said() -> None:
    assert set(why().values()) == {Cause("everything")}
    assert why(exclude=["a"])["b"] == Cause("everything")


def test_selectors_of_the_project() -> None:
    found = why(selector="ab", selectors=UNIONS)
    assert found["d"].how == "matches"
    assert found["b"] == Cause("above", "+fqn:d", "model.shop.d")
    assert why(selectors=BY_DEFAULT)["a"] == Cause("matches", "tag:x")


def test_a_test_of_nothing_that_is_selected() -> None:
    spec = Spec(["a"], empty_nodes=True)
    assert causes(spec, world(), ["test.shop.t_c", "test.shop.lonely"]) == {
        "test.shop.t_c": Cause("tests", of="model.shop.c"),
        "test.shop.lonely": Cause("tests"),
    }
