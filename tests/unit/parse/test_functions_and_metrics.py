"""Functions and the semantic layer: what the manifest holds, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from support.projects import package, parse, settings

from understudy.core.manifest import Manifest
from understudy.errors import LinkError, ParseError, UnderstudyError, YamlError
from understudy.graph.link import link


def linked(yml: str, files: dict[str, str] | None = None, *packages: Any) -> Manifest:
    chosen = settings(*packages)
    parsed = parse({"models/m.sql": "select 1 as a", **(files or {}), "models/x.yml": yml}, chosen)
    link(parsed.manifest, chosen)
    return parsed.manifest


FUNCTION = "functions: [{name: f, arguments: [{name: x, data_type: int}], returns: {data_type: int}}]"


def test_a_function_has_its_signature_and_those_that_call_it_depend_on_it() -> None:
    files = {"functions/math/f.sql": "x + 1", "models/n.sql": "select {{ function('f') }}(1)"}
    manifest = linked(FUNCTION, files)
    function = manifest.functions["function.shop.f"]
    assert (function.fqn, function.schema, function.relation_name) == (["shop", "math", "f"], "dev", None)
    assert function.config["materialized"] == "function"
    assert function.arguments == [{"name": "x", "data_type": "int", "description": None, "default_value": None}]
    assert function.returns == {"data_type": "int", "description": None}
    assert manifest.nodes["model.shop.n"].depends_on.nodes == ["function.shop.f"]


def test_a_function_that_is_switched_off() -> None:
    yml = FUNCTION.replace("{name: f,", "{name: f, config: {enabled: false},")
    manifest = linked(yml, {"functions/f.sql": "x"})
    assert manifest.functions == {}
    assert list(manifest.disabled) == ["function.shop.f"]


@pytest.mark.parametrize(
    ("yml", "message"),
    [
        ("functions: [{name: f}]", "must say the data_type that it returns"),
        ("functions: [{name: f, returns: {data_type: int}, arguments: [x]}]", "must be a map with name and data_type"),
        (
            "functions: [{name: f, returns: {data_type: int}, arguments: "
            "[{name: x, data_type: int, default_value: 1}, {name: y, data_type: int}]}]",
            "without default",
        ),
        ("functions: [{name: f, config: {type: scaler}, returns: {data_type: int}}]", "must be one of scalar"),
        ("functions: [{name: f, config: {volatility: x}, returns: {data_type: int}}]", "must be one of deterministic"),
    ],
)
def test_signatures_that_cannot_be(yml: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        linked(yml, {"functions/f.sql": "x"})


SEMANTIC = (
    "semantic_models: [{name: s, model: ref('m'), measures: [{name: all, agg: sum, expr: 1}, "
    "{name: n, agg: count, create_metric: true}]}]\n"
)


def metric(name: str, kind: str, params: str, more: str = "") -> str:
    return f"{{name: {name}, label: L, type: {kind}, type_params: {{{params}}}{more}}}"


def metrics(*entries: str, semantic: str = SEMANTIC) -> Manifest:
    return linked(f"{semantic}metrics: [{', '.join(entries)}]")


def test_metrics_find_their_measures_and_what_they_are_made_of() -> None:
    manifest = metrics(
        metric("c", "derived", "expr: b * 2, metrics: [b]"),  # before what it is made of
        metric("b", "ratio", "numerator: a, denominator: n"),
        metric("a", "simple", "measure: all"),
        metric(
            "v",
            "conversion",
            "conversion_type_params: {entity: e, base_measure: all, conversion_measure: n, window: 7 days}",
        ),
    )
    found = {name: manifest.metrics[f"metric.shop.{name}"] for name in ("a", "b", "c", "n", "v")}
    assert {name: each.depends_on.nodes for name, each in found.items()} == {
        "a": ["semantic_model.shop.s"],
        "b": ["metric.shop.a", "metric.shop.n"],
        "c": ["metric.shop.b"],
        "n": ["semantic_model.shop.s"],
        "v": ["semantic_model.shop.s"],
    }
    assert [each["name"] for each in found["c"].type_params["input_measures"]] == ["all", "n"]
    assert found["v"].type_params["conversion_type_params"]["window"] == {"count": 7, "granularity": "day"}
    semantic = manifest.semantic_models["semantic_model.shop.s"]
    assert semantic.node_relation is not None
    assert semantic.node_relation["relation_name"] == '"db"."dev"."m"'


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([metric("a", "simple", "measure: al")], "No semantic model has the measure 'al'"),
        ([metric("a", "derived", "metrics: [nn]")], "named 'nn', which was not found"),
        ([metric("a", "ratio", "numerator: n")], "numerator and a denominator"),
        ([metric("a", "cumulative", "window: 1 day")], "must name its measure"),
        ([metric("a", "derived", "metrics: [b]"), metric("b", "derived", "metrics: [a]")], "made of itself"),
    ],
)
def test_metrics_that_are_made_of_nothing(entries: list[str], message: str) -> None:
    with pytest.raises(UnderstudyError, match=message):
        metrics(*entries)


@pytest.mark.parametrize(
    ("yml", "message"),
    [
        ("metrics: [{name: a, label: L, type: sum, type_params: {}}]", "cannot be 'sum'"),
        ("metrics: [{name: a, type: simple, type_params: {}}]", "must have a label"),
        (f"metrics: [{metric('a', 'cumulative', 'measure: all, window: soon')}]", "The window 'soon'"),
        (f"metrics: [{metric('a', 'simple', 'measure: [1]')}]", "must be a name"),
        ("semantic_models: [{name: s, model: m}]", "is no ref"),
        ("semantic_models: [{name: s, model: ref('m'), measures: [x]}]", "must be a map with a 'name'"),
        ("saved_queries: [{name: q}]", "must have query_params"),
        ("saved_queries: [{name: q, query_params: {metrics: []}, exports: [{name: e}]}]", "must say export_as"),
    ],
)
def test_entries_that_cannot_be(yml: str, message: str) -> None:
    with pytest.raises(YamlError, match=message):
        linked(yml)


def test_a_saved_query_depends_on_its_metrics() -> None:
    exports = "[{name: e, config: {export_as: view}}]"
    entry = f"{{name: q, tags: b, config: {{tags: [a]}}, query_params: {{metrics: [n]}}, exports: {exports}}}"
    yml = f"{SEMANTIC}saved_queries: [{entry}]"
    query = linked(yml).saved_queries["saved_query.shop.q"]
    assert query.depends_on.nodes == ["metric.shop.n"]
    assert query.tags == ["a", "b"]
    assert query.exports[0]["config"] == {"export_as": "view", "schema_name": "dev", "alias": "e", "database": "db"}


def test_a_saved_query_of_a_metric_that_is_not_there() -> None:
    with pytest.raises(LinkError, match="metric named 'x'"):
        linked("saved_queries: [{name: q, query_params: {metrics: [x]}}]")


def test_trees_of_the_semantic_layer() -> None:
    trees = {"metrics": {"+meta": {"a": 1}}, "semantic_models": {"+group": "g"}, "saved_queries": {"+enabled": False}}
    yml = f"{SEMANTIC}groups: [{{name: g, owner: {{name: me}}}}]\nsaved_queries: [{{name: q, query_params: {{metrics: [n]}}}}]"
    manifest = linked(yml, {}, package(configs=trees))
    assert manifest.metrics["metric.shop.n"].meta == {"a": 1}
    assert manifest.semantic_models["semantic_model.shop.s"].group == "g"
    assert list(manifest.disabled) == ["saved_query.shop.q"]
