"""`graph` as templates see it: the whole manifest as plain data (dbt 1.11: build_flat_graph)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from understudy.core.manifest import Manifest
from understudy.core.relation import Relation
from understudy.defer.resolution import Resolution

PARTS = ("exposures", "groups", "metrics", "sources", "semantic_models", "saved_queries", "functions")


def flat_graph(manifest: Manifest, resolution: Resolution) -> dict[str, dict[str, Any]]:
    """unique_id -> fields, by kind; nodes that a state has carry its relation as `defer_relation`."""
    graph = {part: _plain(getattr(manifest, part)) for part in PARTS}
    graph["nodes"] = nodes = _plain(manifest.nodes)
    for unique_id, decision in resolution.items():
        if decision.prior is not None and unique_id in nodes:
            nodes[unique_id]["defer_relation"] = _relation(decision.prior)
    return graph


def _plain(resources: Mapping[str, Any]) -> dict[str, Any]:
    return {unique_id: msgspec.to_builtins(resource) for unique_id, resource in resources.items()}


def _relation(relation: Relation) -> dict[str, Any]:
    return {
        "database": relation.database,
        "schema": relation.schema,
        "alias": relation.identifier,
        "relation_name": relation.render(),
    }
