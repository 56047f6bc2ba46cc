"""What templates hold in their hands: relations, columns, and the factories `api.Relation` and `api.Column`.

Thin views over core's values. They show what dbt 1.11's objects show and nothing else; packages ask a relation whether it
is a mapping whose metadata type ends with "Relation" (dbt_utils), so it says that it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from understudy.core.relation import Quoting, Relation, quote
from understudy.core.statement import ColumnType
from understudy.errors import JinjaError
from understudy.template.relations import CTE_PREFIX

PARTS = ("database", "schema", "identifier")


class RelationObject:
    """A relation as templates see it.

    `included` says which parts are rendered; `limit` 0 renders a query without rows (dbt 1.11: render_limited).
    """

    __slots__ = ("included", "limit", "relation")

    def __init__(self, relation: Relation, included: tuple[str, ...] = PARTS, limit: int | None = None) -> None:
        self.relation = relation
        self.included = included
        self.limit = limit

    def render(self) -> str:
        """The name as SQL text."""
        hidden: dict[str, Any] = dict.fromkeys(set(PARTS) - set(self.included))
        return replace(self.relation, **hidden).render() if hidden else self.relation.render()

    def __str__(self) -> str:
        if self.limit is None or self.relation.type == "function":
            return self.render()
        return (
            f"(select * from {self.render()} where false limit 0)"
            if self.limit == 0
            else (f"(select * from {self.render()} limit {self.limit})")
        )

    def __repr__(self) -> str:
        return f"<Relation {self.render()}>"

    def __html__(self) -> str:
        return str(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RelationObject) and (self.relation, self.included) == (other.relation, other.included)

    def __hash__(self) -> int:
        return hash(self.render())

    def __getattr__(self, name: str) -> Any:
        shown = SHOWN.get(name)
        if shown is None:
            raise AttributeError(f"A relation has no attribute {name!r}")
        return shown(self)

    def __getitem__(self, key: str) -> Any:
        if str(key).startswith("_"):
            raise KeyError(key)
        try:
            return getattr(self, key)
        except AttributeError:
            raise KeyError(key) from None

    def get(self, key: str, default: Any = None) -> Any:
        """An attribute, as of a dict."""
        if key == "metadata":
            return {"type": "Relation"}
        try:
            return self[key]
        except KeyError:
            return default

    def include(
        self, database: bool | None = None, schema: bool | None = None, identifier: bool | None = None
    ) -> RelationObject:
        """The relation with parts shown or left out when it is rendered; None leaves a part as it is."""
        wanted = dict(zip(PARTS, (database, schema, identifier), strict=True))
        included = tuple(p for p in PARTS if (p in self.included if wanted[p] is None else wanted[p]))
        return RelationObject(self.relation, included, self.limit)

    def quote(
        self, database: bool | None = None, schema: bool | None = None, identifier: bool | None = None
    ) -> RelationObject:
        """The relation with parts quoted or not; None leaves a part as it is."""
        wanted = dict(zip(PARTS, (database, schema, identifier), strict=True))
        changes = {part: bool(value) for part, value in wanted.items() if value is not None}
        return self._with(replace(self.relation, quoting=replace(self.relation.quoting, **changes)))

    def replace_path(self, **parts: Any) -> RelationObject:
        """The relation under another database, schema or identifier."""
        return self._with(replace(self.relation, **_path(parts)))

    def without_identifier(self) -> RelationObject:
        """The relation's schema."""
        return self.replace_path(identifier=None)

    def incorporate(self, path: Mapping[str, Any] | None = None, type: Any = None, **other: Any) -> RelationObject:
        """The relation with another path or type."""
        changed = self.replace_path(**dict(path or {}))
        changed = changed.include(**dict(other.get("include_policy") or {}))
        changed = changed.quote(**dict(other.get("quote_policy") or {}))
        return changed._with(changed.relation.with_type(type)) if type is not None else changed

    def information_schema(self, view_name: Any = None) -> RelationObject:
        """`<database>.INFORMATION_SCHEMA`, or one of its views."""
        view = view_name if isinstance(view_name, str) else None
        quoting = replace(self.relation.quoting, schema=False, identifier=False)
        return RelationObject(
            replace(self.relation, schema="INFORMATION_SCHEMA", identifier=view, type="view", quoting=quoting)
        )

    def matches(self, database: str | None = None, schema: str | None = None, identifier: str | None = None) -> bool:
        """Whether the named parts are the relation's."""
        wanted = dict(zip(PARTS, (database, schema, identifier), strict=True))
        return all(value is None or getattr(self.relation, part) == value for part, value in wanted.items())

    def _with(self, relation: Relation) -> RelationObject:
        return RelationObject(relation, self.included, self.limit)


Mapping.register(RelationObject)  # `relation is mapping`, as in dbt

TYPES = {
    "Table": "table", "View": "view", "CTE": "cte", "External": "external", "MaterializedView": "materialized_view",
    "Function": "function",
}  # fmt: skip

SHOWN: dict[str, Callable[[RelationObject], Any]] = {
    "database": lambda r: r.relation.database,
    "schema": lambda r: r.relation.schema,
    "identifier": lambda r: r.relation.identifier,
    "table": lambda r: r.relation.identifier,
    "name": lambda r: r.relation.identifier,
    "type": lambda r: r.relation.type,
    "is_table": lambda r: r.relation.type == "table",
    "is_view": lambda r: r.relation.type == "view",
    "is_cte": lambda r: r.relation.type == "cte",
    "is_materialized_view": lambda r: r.relation.type == "materialized_view",
    "is_function": lambda r: r.relation.type == "function",
    "is_pointer": lambda r: False,
    "can_be_renamed": lambda r: r.relation.type in ("table", "view"),
    "can_be_replaced": lambda r: r.relation.type in ("table", "view"),
    "path": lambda r: {part: getattr(r.relation, part) for part in PARTS},
    "quote_policy": lambda r: {part: getattr(r.relation.quoting, part) for part in PARTS},
    "include_policy": lambda r: {part: part in r.included for part in PARTS},
    "quote_character": lambda r: r.relation.quote_character,
    "quoted": lambda r: lambda name: quote(str(name), r.relation.quote_character),
    "Table": lambda r: "table",
    "View": lambda r: "view",
    "CTE": lambda r: "cte",
    "External": lambda r: "external",
    "MaterializedView": lambda r: "materialized_view",
}


def _path(parts: Mapping[str, Any]) -> dict[str, Any]:
    for part, value in parts.items():
        if part not in PARTS or not isinstance(value, str | None):
            raise JinjaError(f"Got an invalid path {part}: {value}")
    return dict(parts)


class RelationFactory:
    """`api.Relation`: makes relations of this engine, quoted as the project says."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Relation]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> str:
        if name in TYPES:
            return TYPES[name]
        raise AttributeError(name)

    def create(
        self,
        database: str | None = None,
        schema: str | None = None,
        identifier: str | None = None,
        type: Any = None,
        quote_policy: Mapping[str, bool] | None = None,
        **other: Any,
    ) -> RelationObject:
        """A relation of these parts."""
        path = _path({"database": database, "schema": schema, "identifier": identifier})
        relation = self._make(*path.values(), dict(quote_policy or {})).with_type(type or None)
        return RelationObject(relation).include(**dict(other.get("include_policy") or {}))

    def add_ephemeral_prefix(self, name: str) -> str:
        """The CTE's name of an ephemeral model."""
        return CTE_PREFIX + name

    def scd_args(self, primary_key: str | list[str], updated_at: str) -> list[str]:
        """What identifies one version of a snapshot's row."""
        return [*([primary_key] if isinstance(primary_key, str) else primary_key), updated_at]


STRINGS = frozenset({"text", "character varying", "character", "varchar"})
FLOATS = frozenset({"real", "float4", "float", "double precision", "float8", "double"})
INTEGERS = frozenset({
    "smallint", "integer", "bigint", "smallserial", "serial", "bigserial", "int2", "int4", "int8", "serial2", "serial4",
    "serial8", "tinyint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint", "int1", "short", "int", "signed", "long",
})  # fmt: skip
NUMERICS = frozenset({"numeric", "decimal"})
DESCRIPTION = re.compile(r"([^(]+)(?:\(([^)]+)\))?")


class Column:
    """A column as templates see it (dbt 1.11: adapters.base.Column)."""

    __slots__ = ("char_size", "column", "dtype", "numeric_precision", "numeric_scale")

    def __init__(
        self,
        column: str,
        dtype: str,
        char_size: int | None = None,
        numeric_precision: Any = None,
        numeric_scale: Any = None,
    ) -> None:
        self.column = column
        self.dtype = dtype
        self.char_size = char_size
        self.numeric_precision = numeric_precision
        self.numeric_scale = numeric_scale

    def __repr__(self) -> str:
        return f"<Column {self.column} ({self.data_type})>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Column) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __getattr__(self, name: str) -> Any:
        if name == "name":
            return self.column
        if name == "quoted":
            return quote(self.column)
        if name in ("data_type", "expanded_data_type"):
            return self._data_type()
        raise AttributeError(name)

    def _data_type(self) -> str:
        if self.is_string() and self.char_size is not None:
            return f"character varying({self.string_size()})"
        if self.is_numeric() and self.numeric_precision is not None and self.numeric_scale is not None:
            return f"{self.dtype}({self.numeric_precision},{self.numeric_scale})"
        return self.dtype

    def is_string(self) -> bool:
        """Whether it holds text."""
        return self.dtype.lower() in STRINGS

    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self.is_integer() or self.is_numeric() or self.is_float()

    def is_float(self) -> bool:
        """Whether it holds floating-point numbers."""
        return self.dtype.lower() in FLOATS

    def is_integer(self) -> bool:
        """Whether it holds whole numbers."""
        return self.dtype.lower() in INTEGERS

    def is_numeric(self) -> bool:
        """Whether it holds decimal numbers."""
        return self.dtype.lower() in NUMERICS

    def string_size(self) -> int:
        """How long a text may be. Raises JinjaError for another type."""
        if not self.is_string():
            raise JinjaError("Called string_size() on non-string field!")
        return 256 if self.dtype == "text" or self.char_size is None else int(self.char_size)

    def can_expand_to(self, other_column: Column) -> bool:
        """Whether the other column takes longer texts."""
        return self.is_string() and other_column.is_string() and other_column.string_size() > self.string_size()

    def literal(self, value: Any) -> str:
        """A value of the column's type as SQL."""
        return f"{value}::{self._data_type()}"

    def flatten(self) -> list[Column]:
        """The column itself; structs of other engines have more."""
        return [self]


def described_column(name: str, raw_data_type: str) -> Column:
    """A column from the engine's words (`numeric(10,2)`). Raises JinjaError when they make no sense."""
    match = DESCRIPTION.fullmatch(raw_data_type.strip())
    if match is None:
        return Column(name, raw_data_type)
    sizes = [part.strip() for part in match.group(2).split(",")] if match.group(2) else []
    base = match.group(1)
    if len(sizes) > 2 or not all(size.isdigit() for size in sizes) or base.lower() not in STRINGS | NUMERICS:
        return Column(name, raw_data_type)
    if len(sizes) == 1:
        return Column(name, base, int(sizes[0]))
    return Column(name, base, None, *map(int, sizes)) if sizes else Column(name, base)


class ColumnFactory:
    """`api.Column`: makes columns."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Column:
        return Column(*args, **kwargs)

    def create(self, name: str, label_or_dtype: str) -> Column:
        """A column of a type; `string` is another word for text."""
        return Column(name, self.translate_type(label_or_dtype))

    def translate_type(self, dtype: str) -> str:
        """The engine's word for a type."""
        return "TEXT" if dtype.upper() == "STRING" else dtype

    def from_description(self, name: str, raw_data_type: str) -> Column:
        """A column from the engine's words."""
        return described_column(name, raw_data_type)

    def string_type(self, size: int) -> str:
        """Text of a length."""
        return f"character varying({size})"

    def numeric_type(self, dtype: str, precision: Any, scale: Any) -> str:
        """Decimal numbers of a size."""
        return dtype if precision is None or scale is None else f"{dtype}({precision},{scale})"


def wrap(value: Any) -> Any:
    """Core's relations and columns as templates see them, in lists, too; anything else as it is."""
    if isinstance(value, Relation):
        return RelationObject(value)
    if isinstance(value, ColumnType):
        return described_column(value.name, value.data_type)
    if isinstance(value, list):
        return [wrap(item) for item in value]
    if isinstance(value, tuple):
        return tuple(wrap(item) for item in value)
    return value


def unwrap(value: Any) -> Relation:
    """The relation behind an object. Raises JinjaError for anything else."""
    if isinstance(value, RelationObject):
        hidden: dict[str, Any] = dict.fromkeys(set(PARTS) - set(value.included))
        return replace(value.relation, **hidden) if hidden else value.relation
    if isinstance(value, Relation):
        return value
    raise JinjaError(f"Expected a relation, got {type(value).__name__}: {value!r}")


__all__ = [
    "Column",
    "ColumnFactory",
    "Quoting",
    "RelationFactory",
    "RelationObject",
    "described_column",
    "unwrap",
    "wrap",
]
