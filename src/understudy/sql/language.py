"""Words and questions of an engine: how values and types are written, and how columns are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from understudy.core.relation import Relation


class Language:
    """What is no statement that changes something. An engine overrides what it says differently."""

    binding = "?"
    """How a parameter is written in a statement."""
    seed_types: Mapping[str, str] = {
        "integer": "integer", "number": "float8", "date": "date", "datetime": "timestamp without time zone",
        "boolean": "boolean", "text": "text",
    }  # fmt: skip
    """What a column of a seed becomes, by the kind of values in it (dbt 1.11: convert_*_type)."""
    type_labels: Mapping[str, str] = {"string": "TEXT"}
    """Names of types that the engine spells differently (dbt 1.11: Column.TYPE_LABELS)."""
    current_timestamp = "current_timestamp"

    def literal(self, value: object) -> str:
        """A text as a SQL string: quotes inside it are doubled."""
        return "'" + str(value).replace("'", "''") + "'"

    def value(self, value: object) -> str:
        """A value of Python's as a SQL expression."""
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float | Decimal):
            return str(value)
        if isinstance(value, datetime):
            return f"cast({self.literal(value.isoformat(sep=' '))} as timestamp)"
        if isinstance(value, date):
            return f"cast({self.literal(value.isoformat())} as date)"
        return self.literal(value)

    def bound(self, sql: str, values: Iterable[object]) -> str:
        """A statement with its parameters filled in. Raises ValueError when their numbers differ."""
        first, *parts = sql.split(self.binding)
        return first + "".join(f"{self.value(value)}{part}" for value, part in zip(values, parts, strict=True))

    def type_name(self, label: str) -> str:
        """The engine's name of a type (`string` -> `TEXT`), or the label itself."""
        return self.type_labels.get(label.lower(), label)

    def kind(self, relation: Relation) -> str:
        """The word for the relation's type in statements."""
        return (relation.type or "table").replace("_", " ")

    def constraint_target(self, to: str) -> str:
        """The table that a foreign key names."""
        return to

    def describe(self, relation: Relation) -> str:
        """A query for the names and types of a relation's columns, in order."""
        where = f"table_name = {self.literal(relation.identifier)} and table_schema = {self.literal(relation.schema)}"
        return f"select column_name, data_type from information_schema.columns where {where} order by ordinal_position"

    def describe_query(self, sql: str) -> str | None:
        """A query for the names and types of another query's columns; None: the result of the query itself tells them."""
        return None
