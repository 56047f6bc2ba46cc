"""The relation of a node, as the project's and the node's own settings quote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from understudy.core.nodes import Node, Source
from understudy.core.relation import Quoting, Relation
from understudy.sql.dialect import Dialect
from understudy.template.external_source import external_source

CTE_PREFIX = "__dbt__cte__"


def node_relation(node: Node, dialect: Dialect, quoting: Mapping[str, bool]) -> Relation:
    """The node's own relation; `quoting` is the root project's, the node's config goes over it (dbt 1.11: create_from)."""
    own = {part: value for part, value in (node.config.get("quoting") or {}).items() if value is not None}
    return dialect.relation(node.database, node.schema, node.alias, {**quoting, **own})


def source_relation(source: Source, dialect: Dialect) -> Relation:
    """A source's relation; the project's quoting does not apply to sources."""
    quoting: dict[str, Any] = {part: value for part, value in source.quoting.items() if value is not None}
    relation = dialect.relation(source.database, source.schema, source.identifier, quoting)
    external = external_source(source) if dialect.name == "duckdb" else None
    return relation if external is None else replace(relation, external=external)


def cte_relation(node: Node, dialect: Dialect) -> Relation:
    """The name of the CTE as which an ephemeral model stands in other models' SQL."""
    return named_cte(node.alias, dialect)


def named_cte(name: str, dialect: Dialect) -> Relation:
    """The name of a CTE of ours."""
    relation = dialect.relation(None, None, CTE_PREFIX + name, type="cte")
    return Relation(None, None, relation.identifier, "cte", Quoting(False, False, False), relation.quote_character)
