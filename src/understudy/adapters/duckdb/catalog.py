"""DuckDB's own description of its relations (dbt-duckdb 1.11: get_catalog)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from understudy.adapters.catalog import KINDS, Described, DescribedColumn
from understudy.adapters.duckdb.profile import literal
from understudy.sql.dialect import Dialect


def describe_sql(schemas: Iterable[tuple[str, str]]) -> str:
    """One row per column of every table and view of the schemas, given as (database, schema) in lower case."""
    conditions = " or ".join(
        f"(lower(c.database_name) = {literal(database)} and lower(c.schema_name) = {literal(schema)})"
        for database, schema in schemas
    )
    return (
        "with r as (select database_name, schema_name, table_name, 'table' as kind, comment from duckdb_tables() "
        "union all select database_name, schema_name, view_name, 'view', comment from duckdb_views()) "
        "select c.database_name, c.schema_name, c.table_name, r.kind, r.comment, "
        "c.column_name, c.data_type, c.column_index, c.comment "
        "from duckdb_columns() c join r using (database_name, schema_name, table_name) "
        f"where {conditions} order by 1, 2, 3, c.column_index"
    )


def described(rows: Iterable[tuple[Any, ...]], dialect: Dialect) -> list[Described]:
    """The relations of those rows, which stand in their order."""
    found = []
    for (database, schema, name, kind, comment), group in groupby(rows, key=lambda row: row[:5]):
        columns = tuple(DescribedColumn(row[5], row[6], row[7], row[8]) for row in group)
        relation = dialect.relation(database, schema, name, type=kind)
        found.append(Described(relation, KINDS.get(kind, "BASE TABLE"), columns, comment))
    return found
