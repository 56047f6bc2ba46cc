"""Config: merging, hooks, trees. Expected values are what dbt 1.11 writes into its manifest."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.core.config import DEFAULTS, Level, combine_calls, finish, hook, merge, settle, unused
from understudy.errors import ParseError

MODEL = DEFAULTS["model"]


def test_tags_add_up_and_keep_doubles() -> None:
    config = merge(merge(MODEL, {"tags": "a"}, "model"), {"tags": ["b", "a"]}, "model")
    assert config["tags"] == ["a", "b", "a"]
    assert MODEL["tags"] == []


def test_maps_merge_and_scalars_are_replaced() -> None:
    config = merge(
        merge(MODEL, {"meta": {"a": 1, "b": 1}, "materialized": "table"}, "model"), {"meta": {"b": 2}}, "model"
    )
    assert config["meta"] == {"a": 1, "b": 2}
    assert config["materialized"] == "table"


def test_persist_docs_is_replaced_as_a_whole() -> None:
    config = merge(
        merge(MODEL, {"persist_docs": {"relation": True}}, "model"), {"persist_docs": {"columns": True}}, "model"
    )
    assert config["persist_docs"] == {"columns": True}


def test_tags_of_sources_are_replaced() -> None:
    config = merge(merge(DEFAULTS["source"], {"tags": ["a"]}, "source"), {"tags": ["b"]}, "source")
    assert config["tags"] == ["b"]


def test_grants_replace_or_add_with_a_plus() -> None:
    config = merge(MODEL, {"grants": {"select": "one", "insert": ["x"]}}, "model")
    config = merge(config, {"grants": {"+select": ["two"], "insert": "y", "+delete": "z"}}, "model")
    assert config["grants"] == {"select": ["one", "two"], "insert": ["y"], "delete": ["z"]}


def test_own_keys_keep_the_order_in_which_they_came() -> None:
    config = merge(merge(MODEL, {"zebra": 1, "ant": 2}, "model"), {"ant": 3, "bee": 4}, "model")
    assert list(config)[-3:] == ["zebra", "ant", "bee"]
    assert config["ant"] == 3


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("select 1", {"sql": "select 1", "transaction": True, "index": None}),
        ('{"sql": "x", "transaction": false}', {"sql": "x", "transaction": False, "index": None}),
        ({"sql": "x", "index": 2}, {"sql": "x", "transaction": True, "index": 2}),
    ],
)
def test_hooks_take_one_form(given: Any, expected: dict[str, Any]) -> None:
    assert hook(given) == expected


def test_hooks_add_up_under_both_spellings() -> None:
    config = merge(merge(MODEL, {"pre_hook": "a"}, "model"), {"pre-hook": ["b"]}, "model")
    assert [each["sql"] for each in config["pre-hook"]] == ["a", "b"]
    assert "pre_hook" not in config


def test_hooks_mean_nothing_to_tests() -> None:
    assert merge(DEFAULTS["test"], {"pre-hook": "a"}, "test") == DEFAULTS["test"]


@pytest.mark.parametrize("bad", [1, {"transaction": True}, "[1]"])
def test_a_hook_without_sql_is_an_error(bad: Any) -> None:
    with pytest.raises(ParseError, match="A hook must be SQL"):
        hook(bad)


def test_docs_and_contract_keep_their_fields() -> None:
    config = merge(MODEL, {"docs": {"node_color": "red", "other": 1}, "contract": {"enforced": True}}, "model")
    assert config["docs"] == {"show": True, "node_color": "red"}
    assert config["contract"] == {"enforced": True, "alias_types": True}


@pytest.mark.parametrize("key", ["meta", "docs", "contract", "grants", "column_types", "quoting"])
def test_a_map_must_be_a_map(key: str) -> None:
    with pytest.raises(ParseError, match=f"'{key}' must be a map"):
        merge(MODEL, {key: "text"}, "model")


def test_on_and_off_stay_words() -> None:
    assert merge(MODEL, {"static_analysis": False}, "model")["static_analysis"] == "off"


def test_calls_of_one_file_combine() -> None:
    calls = combine_calls({}, {"tags": "a", "meta": {"x": 1}, "grants": {"select": "one"}, "alias": "q"})
    calls = combine_calls(calls, {"tags": ["b"], "meta": {"y": 2}, "grants": {"+select": "two"}, "alias": "r"})
    assert calls == {
        "tags": ["a", "b"],
        "meta": {"x": 1, "y": 2},
        "grants": {"select": ["one"], "+select": ["two"]},
        "alias": "r",
    }


def test_a_null_does_not_take_back_what_was_set_before() -> None:
    before = merge(MODEL, {"unique_key": "id"}, "model")
    after = merge(before, {"unique_key": None, "own": None}, "model")
    settled = settle(before, after)
    assert settled["unique_key"] == "id"
    assert settled["own"] is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"store_failures": True}, (True, "table")),
        ({"store_failures": False}, (False, "ephemeral")),
        ({"store_failures_as": "view"}, (True, "view")),
        ({"store_failures": True, "store_failures_as": "ephemeral"}, (False, "ephemeral")),
        ({}, (None, None)),
    ],
)
def test_store_failures_and_as_settle_each_other(given: dict[str, Any], expected: tuple[Any, Any]) -> None:
    config = finish(merge(DEFAULTS["test"], given, "test"), "test")
    assert (config["store_failures"], config["store_failures_as"]) == expected


@pytest.mark.parametrize(
    ("kind", "layer", "words"),
    [
        ("model", {"enabled": "yes"}, "'enabled' must be true or false"),
        ("model", {"materialized": 3}, "'materialized' must be text"),
        ("seed", {"materialized": "table"}, "A seed must have"),
        ("test", {"severity": "loud"}, "Severity must be"),
        ("test", {"limit": "many"}, "'limit' must be a whole number"),
    ],
)
def test_values_that_cannot_be(kind: str, layer: dict[str, Any], words: str) -> None:
    with pytest.raises(ParseError, match=words):
        finish(merge(DEFAULTS[kind], layer, kind), kind)


def test_a_tree_gives_its_layers_from_general_to_particular() -> None:
    tree = Level.of({"+a": 1, "shop": {"b": 2, "marts": {"+ c": 3, "meta": {"d": 4}}}})
    assert tree.layers(["shop", "marts", "orders"]) == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert tree.layers(["other"]) == [{"a": 1}]
    assert tree.layers(["shop", "marts", "meta"])[-1] == {"d": 4}


def test_unused_paths_are_those_under_which_nothing_stands() -> None:
    tree = Level.of({"+a": 1, "shop": {"+b": 1, "marts": {"+c": 1}, "gone": {"+d": 1}}})
    assert unused(tree, [["shop", "marts", "orders"]]) == [("shop", "gone")]
    assert unused(tree, [])[0] == ()
