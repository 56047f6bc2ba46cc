"""`catalog.json`, schema v1: what the database holds of the project (dbt 1.11: CatalogArtifact)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import msgspec

from understudy.artifacts import atomic
from understudy.artifacts.metadata import SCHEMA, Metadata

CATALOG = SCHEMA.format(name="catalog", version=1)


class TableMetadata(msgspec.Struct, kw_only=True):
    """Which relation it is. `type` is the engine's word: `BASE TABLE`, `VIEW` ..."""

    type: str
    schema: str
    name: str
    database: str | None = None
    comment: str | None = None
    owner: str | None = None


class ColumnMetadata(msgspec.Struct, kw_only=True):
    """A column with its place, from 1."""

    type: str
    index: int
    name: str
    comment: str | None = None


class StatsItem(msgspec.Struct, kw_only=True):
    """One figure of a relation; `include` says whether it is shown."""

    id: str
    label: str
    value: bool | str | float | None
    include: bool
    description: str | None = None


NO_STATS = StatsItem(
    id="has_stats", label="Has Stats?", value=False, include=False,
    description="Indicates whether there are statistics for this table",
)  # fmt: skip
"""What dbt says of a relation without figures; there is always this one."""


class CatalogTable(msgspec.Struct, kw_only=True):
    """A relation. `columns` by name, in the relation's order."""

    metadata: TableMetadata
    columns: dict[str, ColumnMetadata]
    stats: dict[str, StatsItem] = msgspec.field(default_factory=lambda: {"has_stats": NO_STATS})
    unique_id: str | None = None


class Catalog(msgspec.Struct, kw_only=True):
    """The file. `errors`: what could not be read, None when all could."""

    metadata: Metadata
    nodes: Mapping[str, CatalogTable]
    sources: Mapping[str, CatalogTable]
    errors: Sequence[str] | None = None


def write_catalog(catalog: Catalog, path: str | os.PathLike[str]) -> None:
    """Write the file whole. Raises ArtifactError."""
    atomic.write(path, (msgspec.json.encode(catalog), b"\n"))
