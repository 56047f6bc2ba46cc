"""Small manifests without a project: nodes by name, edges, and the state that an older run would have left."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from understudy.core.manifest import Manifest
from understudy.core.nodes import Checksum, Config, DependsOn, Model, Node, Seed, SingularTest
from understudy.state.prior import Prior, decode_prior

SCHEMA = "https://schemas.getdbt.com/dbt/manifest/v12.json"


class Edges:
    """The parents of nodes, as graph.dag.Dag answers them."""

    def __init__(self, parents: Mapping[str, Iterable[str]]) -> None:
        self._parents = parents

    def parents(self, unique_id: str, /) -> list[str]:
        return list(self._parents.get(unique_id, ()))


def model(name: str, *parents: str, schema: str = "dev", config: Config | None = None, **fields: Any) -> Model:
    """A model of project `shop`; parents are unique_ids."""
    return Model(
        database="db", schema=schema, name=name, package_name="shop", path=f"{name}.sql",
        original_file_path=f"models/{name}.sql", unique_id=f"model.shop.{name}", fqn=["shop", name],
        alias=fields.pop("alias", name), checksum=Checksum("sha256", name),
        config={"materialized": "view", **(config or {})}, raw_code=fields.pop("raw_code", f"select '{name}'"),
        depends_on=DependsOn(nodes=list(parents)), **fields,
    )  # fmt: skip


def seed(name: str, *, schema: str = "dev", **fields: Any) -> Seed:
    """A seed of project `shop`."""
    return Seed(
        database="db", schema=schema, name=name, package_name="shop", path=f"{name}.csv",
        original_file_path=f"seeds/{name}.csv", unique_id=f"seed.shop.{name}", fqn=["shop", name], alias=name,
        checksum=fields.pop("checksum", Checksum("sha256", name)), config={"materialized": "seed"}, **fields,
    )  # fmt: skip


def singular(name: str, *parents: str, **fields: Any) -> SingularTest:
    """A singular test of project `shop`."""
    return SingularTest(
        database="db", schema="dev_dbt_test__audit", name=name, package_name="shop", path=f"{name}.sql",
        original_file_path=f"tests/{name}.sql", unique_id=f"test.shop.{name}", fqn=["shop", name], alias=name,
        checksum=Checksum("sha256", name), config={"materialized": "test"}, raw_code=f"select '{name}'",
        depends_on=DependsOn(nodes=list(parents)), **fields,
    )  # fmt: skip


def manifest(*nodes: Node, **parts: Any) -> Manifest:
    """A manifest with these nodes."""
    return Manifest("shop", "duckdb", nodes={node.unique_id: node for node in nodes}, **parts)


def edges(of: Manifest) -> Edges:
    """The parents of its nodes."""
    return Edges({i: node.depends_on.nodes for i, node in of.nodes.items() if not isinstance(node, Seed)})


def state_bytes(of: Manifest, *, schema: str | None = None, **metadata: Any) -> bytes:
    """The manifest.json that a run of this manifest leaves; `schema`: its relations stand in another schema."""
    raw = msgspec.to_builtins(of.nodes)
    for node in raw.values():
        node["schema"] = schema or node["schema"]
    head = {"dbt_schema_version": SCHEMA, "adapter_type": "duckdb", "project_name": "shop", **metadata}
    parts = ("sources", "exposures", "macros", "metrics", "semantic_models", "saved_queries", "unit_tests", "functions")
    rest = {part: msgspec.to_builtins(getattr(of, part)) for part in parts}
    return json.dumps({"metadata": head, "nodes": raw, **rest}).encode()


def state(of: Manifest, *, schema: str | None = None, **metadata: Any) -> Prior:
    """The same, read back."""
    return decode_prior(state_bytes(of, schema=schema, **metadata), origin="prod/manifest.json")
