"""PostgreSQL's own description of its relations (dbt-postgres 1.10: get_catalog)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from understudy.adapters.base import Listing
from understudy.adapters.catalog import KINDS, Described, DescribedColumn, Description
from understudy.errors import DatabaseError
from understudy.sql.postgres import Postgres

Details = Mapping[tuple[str, str], tuple[str | None, str | None, tuple[DescribedColumn, ...]]]
"""(schema, relation) -> comment, owner, columns."""


def describe_sql(schemas: Iterable[str]) -> str:
    """One row per column of every relation of the schemas, with the comments and the owner."""
    wanted = ", ".join(Postgres().literal(schema) for schema in schemas)
    return (
        "select n.nspname, c.relname, pg_catalog.obj_description(c.oid, 'pg_class'), "
        "pg_catalog.pg_get_userbyid(c.relowner), a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnum, "
        "pg_catalog.col_description(c.oid, a.attnum) "
        "from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
        "join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
        "where c.relkind in ('r', 'p', 'f', 'v', 'm') and c.relpersistence in ('p', 'u') "
        f"and n.nspname in ({wanted}) order by n.nspname, c.relname, a.attnum"
    )


def details(rows: Iterable[tuple[Any, ...]]) -> Details:
    """Those rows by relation."""
    return {
        (schema, name): (comment, owner, tuple(DescribedColumn(*row[4:8]) for row in group))
        for (schema, name, comment, owner), group in groupby(rows, key=lambda row: row[:4])
    }


def described(listing: Listing, known: Details) -> Description:
    """What was listed, with what is known of it; errors stay what they are."""
    return {
        name: answer
        if isinstance(answer, DatabaseError)
        else [
            Described(relation, KINDS.get(relation.type or "", "BASE TABLE"), columns, comment, owner)
            for relation in answer
            if (found := known.get((relation.schema or "", relation.identifier or ""))) is not None
            for comment, owner, columns in (found,)
        ]
        for name, answer in listing.items()
    }
