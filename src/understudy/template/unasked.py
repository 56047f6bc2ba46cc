"""The engine while a project is parsed: nothing is asked of it, so nothing is there (dbt 1.11: `@available.parse`)."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.relation import Relation, SchemaName
from understudy.core.statement import ColumnType, Result, Script, Statement


class UnaskedDatabase:
    """A `Database` that answers every question with nothing."""

    def execute(self, statement: Statement | Script) -> Result:
        """No rows."""
        return Result()

    def relation(self, database: str | None, schema: str, identifier: str) -> Relation | None:
        """No relation."""
        return None

    def relations(self, schema: SchemaName) -> Sequence[Relation]:
        """No relations."""
        return ()

    def columns(self, relation: Relation) -> Sequence[ColumnType]:
        """No columns."""
        return ()

    def schemas(self, database: str | None) -> Sequence[str]:
        """No schemas."""
        return ()

    def added(self, relation: Relation) -> None:
        """Nothing is noted."""

    def dropped(self, relation: Relation) -> None:
        """Nothing is noted."""

    def renamed(self, old: Relation, new: Relation) -> None:
        """Nothing is noted."""
