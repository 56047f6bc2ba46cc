"""`selectors.yml`: definitions to trees; what is wrong is told with its place in the file."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.errors import SelectorError
from understudy.select.grammar import Criterion, Group, Tree
from understudy.select.yaml import Selector, find_selector, manifest_selectors, read_selectors


def read(*definitions: Any, **fields: Any) -> dict[str, Selector]:
    entries = [{"name": f"s{n}", "definition": definition} for n, definition in enumerate(definitions)]
    entries[-1].update(fields)
    return read_selectors({"selectors": entries})


def tree(*definitions: Any) -> Tree:
    return list(read(*definitions).values())[-1].tree


TAG = Criterion("tag", "a")


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("tag:a", TAG),
        ("tag:with space, and comma", Criterion("tag", "with space, and comma")),
        ("+b+1", Criterion("fqn", "b", (), False, True, None, True, 1)),
        ({"tag": "a"}, TAG),
        ({"tag": 2024}, Criterion("tag", "2024")),
        ({"method": "tag", "value": "a"}, TAG),
        ({"config.meta.tier": 1}, Criterion("config", 1, ("meta", "tier"))),
        ({"method": "config.enabled", "value": True}, Criterion("config", True, ("enabled",))),
        (
            {
                "method": "tag",
                "value": "a",
                "parents": True,
                "parents_depth": 2,
                "children": True,
                "children_depth": "1",
            },
            Criterion("tag", "a", (), False, True, 2, True, 1),
        ),
        ({"method": "tag", "value": "a", "parents": True, "parents_depth": 0}, Criterion("tag", "a", parents=True)),
        (
            {"method": "tag", "value": "a", "childrens_parents": True, "indirect_selection": "empty"},
            Criterion("tag", "a", childrens_parents=True, indirect="empty"),
        ),
        ({"union": ["tag:a", "b"]}, Group("union", (TAG, Criterion("fqn", "b")), "eager")),
        (
            {"intersection": [{"union": []}, "tag:a"]},
            Group("intersection", (Group("union", (), "eager"), TAG), "eager"),
        ),
        (
            {"union": ["b", {"exclude": ["tag:a"]}]},
            Group("difference", (Group("union", (Criterion("fqn", "b"),), "eager"), TAG), "eager"),
        ),
        (
            {"method": "fqn", "value": "b", "exclude": ["tag:a", "c"]},
            Group(
                "difference", (Criterion("fqn", "b"), Group("union", (TAG, Criterion("fqn", "c")), "eager")), "eager"
            ),
        ),
    ],
)
def test_a_definition_is_text_or_a_map(definition: Any, expected: Tree) -> None:
    assert tree(definition) == expected


def test_a_selector_may_use_those_before_it() -> None:
    assert tree("tag:a", {"union": [{"method": "selector", "value": "s0"}]}) == Group("union", (TAG,), "eager")


def test_an_item_with_an_exclude_is_only_taken_away_and_told() -> None:
    selectors = read(
        {"union": ["b", {"method": "fqn", "value": "c", "exclude": ["tag:a"]}]}, {"method": "selector", "value": "s0"}
    )
    assert selectors["s0"].tree == Group(
        "difference", (Group("union", (Criterion("fqn", "b"),), "eager"), TAG), "eager"
    )
    assert [warning.name for warning in selectors["s1"].warnings] == ["SelectorExcludeAlone"]
    assert "s0: definition.union[1]" in selectors["s1"].warnings[0].message


def test_names_defaults_and_descriptions() -> None:
    assert read_selectors({}) == {}
    selector = read("tag:a", default=True, description="All of a.")["s0"]
    assert selector == Selector("s0", TAG, "All of a.", True)
    assert find_selector("s0", {"s0": selector}) is selector
    with pytest.raises(SelectorError, match="no selector 'nightyl'") as caught:
        find_selector("nightyl", {"nightly": selector})
    assert caught.value.hint == "Did you mean 'nightly'?"
    with pytest.raises(SelectorError) as caught:
        find_selector("s1", {})
    assert caught.value.hint == "selectors.yml has: none."


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (["tag:a"], "s0: definition: expected text or a map"),
        ({}, "s0: definition: expected text or a map"),
        (None, "expected text or a map, not None"),
        ({"union": "tag:a"}, "s0: definition.union: expected a list, not 'tag:a'"),
        ({"union": ["a"], "intersection": []}, "'union' stands alone, without intersection"),
        ({"union": [3]}, "s0: definition.union[0]: expected text or a map"),
        (
            {"union": [{"exclude": ["a"]}, {"exclude": ["b"]}]},
            "definition.union[1]: there is an exclude in this list already",
        ),
        ({"union": [{"exclude": "a"}]}, "definition.union[0].exclude: expected a list"),
        ({"union": [{"exclude": ["a"], "x": 1}]}, "'x' is no key here"),
        ({"exclude": ["a"]}, "'exclude' is no selection method"),
        ({"tga": "a"}, "'tga' is no selection method"),
        ("tga:a", "s0: definition: 'tga' is no selection method"),
        ({"method": "tag", "valu": "a"}, "'valu' is no key here"),
        ({"method": "tag", "parents": True}, "method and value are needed, not only method, parents"),
        ({"method": "tag", "value": ["a"]}, "the value of 'tag' is one word or number"),
        ({"tag": None}, "the value of 'tag' is one word or number"),
        ({"method": "tag", "value": "a", "parents": "yes"}, "parents is true or false"),
        ({"method": "tag", "value": "a", "parents_depth": "x"}, "parents_depth is a number of steps"),
        ({"method": "tag", "value": "a", "children_depth": True}, "children_depth is a number of steps"),
        ({"method": "tag", "value": "a", "children_depth": False}, "children_depth is a number of steps"),
        ({"method": "tag", "value": "a", "indirect_selection": "all"}, "one of eager, cautious, buildable, empty"),
        ({"method": "tag", "value": "a", "children": True, "childrens_parents": True}, "exclude each other"),
        ({"method": "selector", "value": "s1"}, "no selector 's1' before this one"),
        ({"method": "selector", "value": "s1", "children": True}, "'children' is no key here"),
        ({"config": "x"}, "names no key of the config"),
    ],
)
def test_a_broken_definition_is_told_with_its_place(definition: Any, message: str) -> None:
    with pytest.raises(SelectorError) as caught:
        read(definition)
    assert message in caught.value.message
    assert str(caught.value.place) == "selectors.yml"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"selectors": "a"}, "selectors: expected a list"),
        ({"selectors": ["a"]}, r"selectors\[0\]: expected a map"),
        ({"selectors": [{"name": "a"}]}, "needs a name and a definition"),
        ({"selectors": [{"definition": "a"}]}, "needs a name and a definition"),
        ({"selectors": [{"name": "a", "definition": "a", "descr": ""}]}, "'descr' is no key here"),
        ({"selectors": [{"name": "a", "definition": "a"}] * 2}, "the name 'a' is taken"),
        (
            {"selectors": [{"name": n, "definition": "a", "default": True} for n in "ab"]},
            "only one selector can be the default",
        ),
        ({"selectors": [{"name": "a", "definition": "a", "default": "yes"}]}, "default is true or false"),
    ],
)
def test_a_broken_file_is_told(raw: Any, message: str) -> None:
    with pytest.raises(SelectorError, match=message):
        read_selectors(raw)


def test_the_manifest_has_every_criterion_spelled_out() -> None:
    raw = {
        "selectors": [
            {"name": "a", "definition": "1+config.meta.x:y+"},
            {"name": "b", "definition": {"tag": "x"}, "description": "B."},
            {"name": "c", "definition": {"union": ["@n", {"method": "selector", "value": "b"}, {"exclude": ["x"]}]}},
            {"name": "d", "definition": {"intersection": [{"method": "tag", "value": "x", "children": True}]}},
        ]
    }
    spelled = manifest_selectors(raw)
    assert spelled["a"]["definition"] == {
        "parents": True, "parents_depth": "1", "method": "config.meta.x", "value": "y", "children": True,
    }  # fmt: skip
    assert spelled["b"] == {"name": "b", "definition": {"method": "tag", "value": "x"}, "description": "B."}
    assert spelled["c"]["definition"]["union"] == [
        {"childrens_parents": True, "method": "fqn", "value": "n"},
        {"method": "tag", "value": "x"},
        {"exclude": [{"method": "fqn", "value": "x"}]},
    ]
    assert spelled["d"]["definition"] == {"intersection": [{"method": "tag", "value": "x", "children": True}]}
    assert manifest_selectors({}) == {}
