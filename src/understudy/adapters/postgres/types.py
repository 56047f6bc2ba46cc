"""Names of types for what the driver says about a result's columns."""

from __future__ import annotations

from functools import cache

import psycopg

FAMILIES = {
    16: "BOOLEAN", 17: "BINARY", 20: "LONGINTEGER", 21: "INTEGER", 23: "INTEGER", 26: "ROWID", 700: "FLOAT",
    701: "FLOAT", 1700: "DECIMAL", 1082: "DATE", 1083: "TIME", 1266: "TIME", 1114: "DATETIME", 1184: "DATETIMETZ",
    1186: "INTERVAL", 18: "TEXT", 19: "TEXT", 25: "TEXT", 1042: "TEXT", 1043: "TEXT",
}  # fmt: skip
"""Families of types, as contracts compare them: text and varchar are one (dbt-postgres: data_type_code_to_name, and
Column.translate_type, which makes its STRING a TEXT)."""


@cache
def type_name(code: int) -> str:
    """The family of a type's number; a type without one by its own name, an array by its elements' family."""
    if code in FAMILIES:
        return FAMILIES[code]
    info = psycopg.adapters.types.get(code)
    if info is None:
        return f"type {code}"
    if info.oid != code:  # the driver answers with the element for an array
        element = type_name(info.oid)
        return f"{'STRING' if element == 'TEXT' else element}ARRAY"
    return info.name.upper()
