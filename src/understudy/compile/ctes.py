"""Ephemeral models as CTEs in front of a query, with the very text that dbt gives (dbt 1.11: inject_ctes_into_sql)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

BLANK = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
SPACE = re.compile(r"\s*")
WITH = re.compile(r"with\b", re.IGNORECASE)
RECURSIVE = re.compile(r"recursive\b", re.IGNORECASE)


class Cte(msgspec.Struct, frozen=True):
    """One ephemeral model's CTE: its unique_id, and ` <name> as (\\n<sql>\\n)`."""

    unique_id: str
    sql: str


def cte(unique_id: str, name: str, sql: str) -> Cte:
    """The CTE that stands for an ephemeral model."""
    return Cte(unique_id, f" {name} as (\n{sql}\n)")


def merged(groups: Sequence[Sequence[Cte]]) -> tuple[Cte, ...]:
    """All CTEs in the order of their first use, each once."""
    found: dict[str, Cte] = {}
    for group in groups:
        for item in group:
            found.setdefault(item.unique_id, item)
    return tuple(found.values())


def inject(sql: str, ctes: Sequence[Cte]) -> str:
    """The query with the CTEs before its own: after its `with` (or `with recursive`), or with one of their own.

    Comments in front of a query without `with` stay behind the CTEs, as in dbt.
    """
    if not ctes:
        return sql
    text = ", ".join(item.sql for item in ctes)
    start = _end(BLANK, sql, 0)
    opening = WITH.match(sql, start)
    if opening is None:
        first = _end(SPACE, sql, 0)
        return f"{sql[:first]}with{text} {sql[first:]}"
    after = opening.end()
    recursive = RECURSIVE.match(sql, _end(BLANK, sql, after))
    if recursive is not None:
        after = recursive.end()
    after = _end(SPACE, sql, after)
    return f"{sql[:after]}{text}, {sql[after:]}"


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return position if match is None else match.end()
