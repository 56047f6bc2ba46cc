"""Columns as templates see them, as each engine describes its types, and the factory `api.Column`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from understudy.core.relation import quote
from understudy.errors import JinjaError

STRINGS = frozenset({"text", "character varying", "character", "varchar"})
FLOATS = frozenset({"real", "float4", "float", "double precision", "float8", "double"})
INTEGERS = frozenset({
    "smallint", "integer", "bigint", "smallserial", "serial", "bigserial", "int2", "int4", "int8", "serial2", "serial4",
    "serial8",
})  # fmt: skip
DUCKDB_INTEGERS = frozenset({
    "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint", "int1", "int2",
    "int4", "int8", "short", "int", "signed", "long",
})  # fmt: skip
NUMERICS = frozenset({"numeric", "decimal"})
STRUCT = re.compile(r"struct\((.*)\)", re.IGNORECASE | re.DOTALL)
DESCRIPTION = re.compile(r"([^(]+)(?:\(([^)]+)\))?")


class Column:
    """A column as templates see it (dbt 1.11: adapters.base.Column). Engines have classes of their own below."""

    __slots__ = ("char_size", "column", "dtype", "numeric_precision", "numeric_scale")
    quote_character = '"'
    type_labels: Mapping[str, str] = {"STRING": "TEXT"}

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
            return quote(self.column, self.quote_character)
        if name in ("data_type", "expanded_data_type"):
            return self._data_type()
        raise AttributeError(name)

    def _data_type(self) -> str:
        if self.is_string():
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


class PostgresColumn(Column):
    """Texts without a length keep their type (dbt-postgres: PostgresColumn)."""

    __slots__ = ()

    def _data_type(self) -> str:
        unbounded = self.dtype.lower() in ("text", "character varying") and self.char_size is None
        return self.dtype if unbounded or self.dtype.lower() == "text" else super()._data_type()


class DuckDBColumn(Column):
    """The type is what `describe` says, in one piece; structs have columns of their own (dbt-duckdb: DuckDBColumn)."""

    __slots__ = ()

    def is_float(self) -> bool:
        """Whether it holds floating-point numbers."""
        return self.dtype.lower() in {"real", "float", "float4", "float8", "double"}

    def is_integer(self) -> bool:
        """Whether it holds whole numbers."""
        return self.dtype.lower() in DUCKDB_INTEGERS

    def is_struct(self) -> bool:
        """Whether it has columns of its own."""
        return self.dtype.lower().startswith("struct")

    @property
    def fields(self) -> list[Column]:
        """The columns of a struct."""
        match = STRUCT.fullmatch(self.dtype)
        parts = [part.strip().partition(" ") for part in _split(match.group(1))] if match else []
        return [DuckDBColumn(name, kind) for name, _, kind in parts]

    def flatten(self) -> list[Column]:
        """The column itself, or the columns of a struct, those of inner ones included."""
        if not self.is_struct():
            return [self]
        inner = [leaf for each in self.fields for leaf in each.flatten()]
        return [DuckDBColumn(f"{self.column}.{leaf.column}", leaf.dtype) for leaf in inner]


class SparkColumn(Column):
    """Types are what the engine calls them (dbt-spark: SparkColumn)."""

    __slots__ = ()
    quote_character = "`"
    type_labels: Mapping[str, str] = {}

    def _data_type(self) -> str:
        return self.dtype

    def can_expand_to(self, other_column: Column) -> bool:
        """Whether both hold texts."""
        return self.is_string() and other_column.is_string()

    def literal(self, value: Any) -> str:
        """A value of the column's type as SQL."""
        return f"cast({value} as {self.dtype})"


def _split(text: str) -> list[str]:
    """The parts between the commas that stand in no parentheses and no quotes."""
    parts, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == '"'
        depth += 0 if quoted else (character == "(") - (character == ")")
        if character == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part.strip()]


CLASSES: Mapping[str, type[Column]] = {"duckdb": DuckDBColumn, "postgres": PostgresColumn, "spark": SparkColumn}
"""The class of an engine's columns."""


def described_column(name: str, raw_data_type: str, columns: type[Column]) -> Column:
    """A column of the engine's class from the engine's words; `numeric(10,2)` comes apart, except on DuckDB and Spark."""
    match = DESCRIPTION.fullmatch(raw_data_type.strip())
    if match is None or columns in (DuckDBColumn, SparkColumn):
        return columns(name, raw_data_type)
    sizes = [part.strip() for part in match.group(2).split(",")] if match.group(2) else []
    base = match.group(1)
    if len(sizes) > 2 or not all(size.isdigit() for size in sizes) or base.lower() not in STRINGS | NUMERICS:
        return columns(name, raw_data_type)
    if len(sizes) == 1:
        return columns(name, base, int(sizes[0]))
    return columns(name, base, None, *map(int, sizes)) if sizes else columns(name, base)


class ColumnFactory:
    """`api.Column`: makes columns of the engine."""

    __slots__ = ("_class",)

    def __init__(self, engine: str) -> None:
        self._class = CLASSES.get(engine, Column)

    def __call__(self, *args: Any, **kwargs: Any) -> Column:
        return self._class(*args, **kwargs)

    def create(self, name: str, label_or_dtype: str) -> Column:
        """A column of a type; `string` is another word for text."""
        return self._class(name, self.translate_type(label_or_dtype))

    def translate_type(self, dtype: str) -> str:
        """The engine's word for a type."""
        return self._class.type_labels.get(dtype.upper(), dtype)

    def from_description(self, name: str, raw_data_type: str) -> Column:
        """A column from the engine's words."""
        return described_column(name, raw_data_type, self._class)

    def string_type(self, size: int) -> str:
        """Text of a length."""
        return f"character varying({size})"

    def numeric_type(self, dtype: str, precision: Any, scale: Any) -> str:
        """Decimal numbers of a size."""
        return dtype if precision is None or scale is None else f"{dtype}({precision},{scale})"
