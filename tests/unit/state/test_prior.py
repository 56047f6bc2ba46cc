"""Reading older manifests: tolerant of age and writer, strict about damage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.graphs import SCHEMA, manifest, model, seed, state, state_bytes

from understudy.errors import StateError
from understudy.state.prior import Prior, decode_prior

ADDRESS = "https://schemas.getdbt.com/dbt/manifest/v%s.json"


def document(**nodes: Any) -> dict[str, Any]:
    return {"metadata": {"dbt_schema_version": SCHEMA}, "nodes": nodes}


def decode(raw: Any) -> Prior:
    return decode_prior(json.dumps(raw).encode(), origin="prod/manifest.json", flag="DBT_STATE")


NODE = {
    "unique_id": "model.shop.a", "resource_type": "model", "name": "a", "package_name": "shop", "fqn": ["shop", "a"],
    "schema": "prod", "alias": "a", "config": {"materialized": "table"},
}  # fmt: skip


@pytest.mark.parametrize("version", [*range(4, 13), 20])
def test_versions(version: int) -> None:
    raw = {"metadata": {"dbt_schema_version": ADDRESS % version, "something_new": 1}, "nodes": {}, "else": [1]}
    raw["metrics"] = {"metric.shop.m": {"name": "m"}}
    assert list(decode(raw).metrics) == ([] if version < 10 else ["metric.shop.m"])


@pytest.mark.parametrize("address", [ADDRESS % 3, ADDRESS % 13, ADDRESS % "x", "manifest", None])
def test_versions_that_cannot_be_read(address: str | None) -> None:
    with pytest.raises(StateError, match="v4 to v12"):
        decode({"metadata": {"dbt_schema_version": address}, "nodes": {}})


def test_old_names_of_fields() -> None:
    old = {
        **NODE, "raw_sql": "select 1", "compiled_sql": "select 1", "root_path": "/old", "refs": [["b"], ["pkg", "c"]],
        "sources": [], "created_at": 1.5, "depends_on": {"macros": ["macro.shop.m"], "nodes": ["model.shop.b"]},
        "columns": {"id": {"name": "id", "description": "", "tags": []}},
    }  # fmt: skip
    raw = {"metadata": {"dbt_schema_version": ADDRESS % 4}, "nodes": {"model.shop.a": old}}
    node = decode(raw).nodes["model.shop.a"]
    assert node.raw_sql == "select 1"
    assert node.columns["id"].constraints is None
    assert node.depends_on.macros == ["macro.shop.m"]


@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5, 0.99])
def test_cut_short(keep: float) -> None:
    data = state_bytes(manifest(model("a"), model("b")))
    with pytest.raises(StateError) as caught:
        decode_prior(data[: int(len(data) * keep)], origin="prod/manifest.json", flag="DBT_STATE")
    text = str(caught.value)
    assert ("is empty" in text) or ("is cut short" in text)
    assert "prod/manifest.json" in text
    assert "DBT_STATE names a folder" in text


@pytest.mark.parametrize("data", [b"<html>", b"\xff\xfe{", b'{"metadata": {}, "nodes": {"a": nul}}'])
def test_no_json(data: bytes) -> None:
    with pytest.raises(StateError, match="no valid JSON"):
        decode_prior(data, origin="m.json")


@pytest.mark.parametrize(
    "raw", [[], {}, {"metadata": None, "nodes": {}}, {"metadata": {}}, {"metadata": {}, "nodes": []}]
)
def test_json_that_is_no_manifest(raw: Any) -> None:
    with pytest.raises(StateError, match="is no manifest that can be read"):
        decode(raw)


@pytest.mark.parametrize(
    "damage",
    [
        {"fqn": None},
        {"depends_on": {"macros": [None], "nodes": []}},
        {"columns": {"id": {"description": "no name"}}},
        {"config": []},
    ],
)
def test_damage_within_a_node_names_it(damage: dict[str, Any]) -> None:
    prior = decode(document(**{"model.shop.a": {**NODE, **damage}, "model.shop.b": NODE}))
    assert prior.nodes["model.shop.b"].name == "a"
    with pytest.raises(StateError, match=r"model.shop.a.*\n.*prod/manifest.json"):
        prior.get("model.shop.a")


def test_broken_text_within_a_node() -> None:
    data = json.dumps(document(**{"model.shop.a": NODE})).encode().replace(b'"prod"', b'"\xff"')
    with pytest.raises(StateError):
        decode_prior(data, origin="m.json").get("model.shop.a")


def test_entries_are_decoded_once_and_when_asked() -> None:
    prior = state(manifest(model("a"), seed("s")))
    assert prior.nodes["model.shop.a"] is prior.nodes["model.shop.a"]
    assert len(prior.nodes) == 2
    assert "model.shop.x" not in prior.nodes
    assert prior.get("model.shop.x") is None
    with pytest.raises(KeyError):
        prior.nodes["model.shop.x"]


def test_what_has_a_relation() -> None:
    raw = document(
        **{
            "model.shop.a": NODE,
            "model.shop.eph": {**NODE, "config": {"materialized": "ephemeral"}},
            "model.shop.nowhere": {**NODE, "schema": None},
            "test.shop.t": {**NODE, "resource_type": "test"},
        }
    )
    raw["functions"] = {"function.shop.f": NODE}
    prior = decode(raw)
    assert [i for i in prior.unique_ids() if prior.relational(i)] == ["model.shop.a", "function.shop.f"]
    assert prior.relational("model.shop.x") is None
    assert prior.relations() == 1


def test_who_wrote_it_tells_the_form_of_its_config() -> None:
    raw = document(**{"model.shop.a": NODE})
    assert decode(raw).rendered_config is True
    raw["metadata"]["env"] = {"understudy": "0.1.0"}
    assert decode(raw).rendered_config is False
    config = {"materialized": "Keyword(key='materialized', value=Const(value='table'))"}
    raw = document(**{"model.shop.a": {**NODE, "unrendered_config": config}})
    assert decode(raw).rendered_config is False
