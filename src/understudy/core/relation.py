"""A relation: the name of a table or view in an engine, and how it is quoted."""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from msgspec.structs import replace

RelationType = Literal["table", "view", "materialized_view", "external", "cte", "function"]

PLAIN = re.compile(r"[^\W\d][\w$]*")
"""A name that every engine reads without quotes."""


class Quoting(msgspec.Struct, frozen=True):
    """Which parts of a name are quoted when it is rendered."""

    database: bool = True
    schema: bool = True
    identifier: bool = True


class SchemaName(msgspec.Struct, frozen=True):
    """A database and a schema: the unit in which engines list relations. None: the engine has no databases."""

    database: str | None
    schema: str


class Relation(msgspec.Struct, frozen=True):
    """The place of a table or view. A value: methods return new relations.

    `database`, `schema` and `identifier` are raw names, never quoted text; a part that is None is left out when rendered.
    `type` is None as long as nobody asked the engine. `external` is the SQL that stands for a source outside of the engine.
    """

    database: str | None
    schema: str | None
    identifier: str | None
    type: RelationType | None = None
    quoting: Quoting = Quoting()
    quote_character: str = '"'
    external: str | None = None

    def render(self) -> str:
        """The name as SQL text.

        Names come from projects and states, so they are hostile: a quote character inside a name is doubled, and a
        part that is no plain identifier is quoted even where the policy says not to (unquoted it could only be an
        error or an injection).
        """
        if self.external is not None:
            return self.external
        parts = (
            (self.database, self.quoting.database),
            (self.schema, self.quoting.schema),
            (self.identifier, self.quoting.identifier),
        )
        return ".".join(
            quote(name, self.quote_character) if quoted or not PLAIN.fullmatch(name) else name
            for name, quoted in parts
            if name
        )

    def __str__(self) -> str:
        return self.render()

    @property
    def schema_name(self) -> SchemaName:
        """The schema that holds the relation."""
        return SchemaName(self.database, self.schema or "")

    def with_type(self, type: RelationType | None) -> Relation:
        """The same name as another type of relation."""
        return replace(self, type=type)

    def with_identifier(self, identifier: str) -> Relation:
        """Another relation in the same schema."""
        return replace(self, identifier=identifier)


def quote(name: str, quote_character: str = '"') -> str:
    """The name as a quoted identifier; a quote character inside it is doubled."""
    return f"{quote_character}{name.replace(quote_character, quote_character * 2)}{quote_character}"
