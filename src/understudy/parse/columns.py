"""The `columns` of models, seeds, snapshots, sources and analyses, and constraints."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from understudy.core.nodes import Column, Model
from understudy.parse.entries import Entry, Found, texts
from understudy.parse.shapes import NAME, TEXT, misshapen

KNOWN = frozenset({
    "name", "description", "meta", "data_type", "constraints", "docs", "config", "data_tests", "tests", "quote", "tags",
    "granularity",
})  # fmt: skip
CONSTRAINTS = ("check", "not_null", "unique", "primary_key", "foreign_key", "custom")

SHAPE = {"name": NAME, "expression": NAME, "to": NAME, "columns": [TEXT], "to_columns": [TEXT]}


def read_columns(found: Found, columns: Sequence[Entry]) -> dict[str, Column]:
    """Columns by name, with dbt's fields in dbt's order (dbt 1.11: ParserRef). Raises YamlError."""
    return {column["name"]: _column(found, column) for column in columns}


def _column(found: Found, column: Entry) -> Column:
    meta = found.typed(column, "meta", dict, {})
    tags = texts(found.typed(column, "tags", (list, str), []))
    config = found.typed(column, "config", dict, {})
    if config:
        of_config = config.get("meta")
        meta = {**meta, **of_config} if isinstance(of_config, dict) else meta
        tags = [*tags, *texts(config.get("tags"))]
    if len(tags) > 1:
        tags = list(dict.fromkeys(tags))
    result: Column = {
        "name": column["name"],
        "description": found.typed(column, "description", str, ""),
        "meta": meta,
        "data_type": found.typed(column, "data_type", (str, type(None)), None),
        "constraints": [constraint(found, each) for each in column["constraints"]] if column.get("constraints") else [],
        "quote": found.typed(column, "quote", (bool, type(None)), None),
        "config": {"meta": meta, "tags": tags},
        "tags": tags,
        "granularity": column.get("granularity"),
        "doc_blocks": [],
    }
    for key, value in column.items():
        if key not in KNOWN:
            result[key] = value
    return result


def constraint(found: Found, value: Any, *, of_model: bool = False) -> dict[str, Any]:
    """A constraint with all of its fields. Raises YamlError for an unknown type."""
    known = isinstance(value, dict) and value.get("type") in CONSTRAINTS
    if not known or misshapen(value, SHAPE):
        hint = f"Its 'type' is one of {', '.join(CONSTRAINTS)}"
        raise found.error(
            f"The constraint {value!r:.80} of '{found.name}' cannot be understood", "constraints", hint=hint
        )
    result = {
        "type": value["type"],
        "name": value.get("name"),
        "expression": value.get("expression"),
        "warn_unenforced": value.get("warn_unenforced", True),
        "warn_unsupported": value.get("warn_unsupported", True),
        "to": value.get("to"),
        "to_columns": value.get("to_columns") or [],
    }
    return {**result, "columns": value.get("columns") or []} if of_model else result


def contract_checksum(node: Model) -> str:
    """The digest of what a contract promises, the columns in order of name (dbt 1.11: build_contract_checksum).

    dbt digests the `repr` of its own classes; equal digests need the same text.
    """
    parts = []
    for column in sorted(node.columns.values(), key=lambda each: str(each["name"])):
        parts.append(f"|{column['name']}{column['data_type']}{_repr(column['constraints'], 'ColumnLevelConstraint')}")
    if node.materialized in ("table", "incremental"):
        parts.append(f"{node.materialized}{_repr(node.constraints, 'ModelLevelConstraint')}")
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _repr(constraints: Sequence[Mapping[str, Any]], name: str) -> str:
    return f"[{', '.join(_fields(each, name) for each in constraints)}]"


def _fields(each: Mapping[str, Any], name: str) -> str:
    kind = f"<ConstraintType.{each['type']}: '{each['type']}'>"
    rest = ", ".join(f"{key}={value!r}" for key, value in each.items() if key != "type")
    return f"{name}(type={kind}, {rest})"
