"""What the engine-independent rooms must know of an engine: how names are quoted, folded and compared, and its DDL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from understudy.core.relation import PLAIN, Quoting, Relation, RelationType
from understudy.errors import ProfileError, did_you_mean
from understudy.sql.ddl import Ddl
from understudy.sql.duckdb import DuckDB
from understudy.sql.postgres import NAME_BYTES, Postgres
from understudy.sql.spark import Spark

Key = tuple[str | None, str | None, str | None]
"""Database, schema and identifier as the engine compares them."""


ALL_QUOTED = Quoting()


class Dialect(msgspec.Struct, frozen=True):
    """One engine's language.

    `fold` is what happens to a name that is written without quotes; `case_sensitive` says whether names that differ
    in case only are different. `has_databases` False: a name has two parts. `max_identifier_length` in bytes.
    `subquery_alias`: a subquery must have a name.
    """

    name: str
    ddl: Ddl
    quote_character: str = '"'
    quoting: Quoting = ALL_QUOTED
    fold: Literal["lower", "preserve"] = "preserve"
    case_sensitive: bool = True
    has_databases: bool = True
    max_identifier_length: int | None = None
    subquery_alias: bool = False

    def relation(
        self,
        database: str | None,
        schema: str | None,
        identifier: str | None,
        quoting: Mapping[str, bool | None] | None = None,
        type: RelationType | None = None,
    ) -> Relation:
        """A relation of this engine; `quoting` overrides the engine's policy part by part (None: as the engine)."""
        policy = self.quoting
        if quoting:
            chosen = {part: quoting.get(part) for part in ("database", "schema", "identifier")}
            policy = Quoting(**{p: getattr(policy, p) if value is None else value for p, value in chosen.items()})
        return Relation(
            database if self.has_databases else None, schema, identifier, type, policy, self.quote_character
        )

    def key(self, relation: Relation) -> Key:
        """The name as the engine compares it: two relations with one key are the same relation."""
        quoting = relation.quoting
        return (
            self._compared(relation.database, quoting.database),
            self._compared(relation.schema, quoting.schema),
            self._compared(relation.identifier, quoting.identifier),
        )

    def _compared(self, name: str | None, quoted: bool) -> str | None:
        if name is None:
            return None
        if not self.case_sensitive:
            return name.lower()
        return name.lower() if self.fold == "lower" and not quoted and PLAIN.fullmatch(name) else name


DIALECTS: Mapping[str, Dialect] = {
    "duckdb": Dialect("duckdb", DuckDB(), case_sensitive=False),
    "postgres": Dialect("postgres", Postgres(), fold="lower", max_identifier_length=NAME_BYTES, subquery_alias=True),
    "spark": Dialect("spark", Spark(), "`", Quoting(False, False, False), case_sensitive=False),
}


def dialect(name: str) -> Dialect:
    """The dialect of an adapter type. Raises ProfileError, with the nearest name, for one that we do not have."""
    found = DIALECTS.get(name)
    if found is None:
        hint = did_you_mean(name, DIALECTS) or f"Known types: {', '.join(sorted(DIALECTS))}."
        raise ProfileError(f"There is no adapter of type '{name}'", hint=hint)
    return found
