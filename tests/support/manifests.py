"""A manifest.json of dbt's as our own values: the nodes, sources, macros and the rest of `core.nodes`."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from understudy.core.manifest import Manifest
from understudy.core.nodes import (
    Analysis,
    Doc,
    Exposure,
    Function,
    GenericTest,
    Group,
    Macro,
    Metric,
    Model,
    Node,
    Operation,
    SavedQuery,
    Seed,
    SemanticModel,
    SingularTest,
    Snapshot,
    Source,
    UnitTest,
)

KINDS: dict[str, Any] = {
    "model": Model, "seed": Seed, "snapshot": Snapshot, "analysis": Analysis, "operation": Operation,
    "function": Function, "source": Source, "exposure": Exposure,
}  # fmt: skip


def resource(raw: dict[str, Any]) -> Any:
    """One node, source or exposure of dbt's manifest as ours."""
    if raw["resource_type"] == "test":
        kind: Any = GenericTest if "test_metadata" in raw else SingularTest
    else:
        kind = KINDS[raw["resource_type"]]
    return msgspec.convert(raw, kind)


def load_manifest(data: bytes | str | dict[str, Any]) -> Manifest:
    """The whole of a v12 manifest."""
    raw: dict[str, Any] = data if isinstance(data, dict) else json.loads(data)
    nodes: dict[str, Node] = {unique_id: resource(node) for unique_id, node in raw["nodes"].items()}
    return Manifest(
        project_name=raw["metadata"]["project_name"],
        adapter_type=raw["metadata"]["adapter_type"],
        nodes=nodes,
        sources={i: resource(node) for i, node in raw["sources"].items()},
        exposures={i: resource(node) for i, node in raw["exposures"].items()},
        macros=msgspec.convert(raw["macros"], dict[str, Macro]),
        docs=msgspec.convert(raw["docs"], dict[str, Doc]),
        groups=msgspec.convert(raw["groups"], dict[str, Group]),
        metrics=msgspec.convert(raw["metrics"], dict[str, Metric]),
        semantic_models=msgspec.convert(raw["semantic_models"], dict[str, SemanticModel]),
        saved_queries=msgspec.convert(raw["saved_queries"], dict[str, SavedQuery]),
        unit_tests=msgspec.convert(raw["unit_tests"], dict[str, UnitTest]),
        functions={i: resource(node) for i, node in raw["functions"].items()},
        selectors=raw["selectors"],
        disabled={
            i: [resource(node) if node["resource_type"] in (*KINDS, "test") else node for node in nodes]
            for i, nodes in raw["disabled"].items()
        },
    )
