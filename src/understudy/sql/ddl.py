"""DDL and small statements that most engines share; an engine overrides what it says differently."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.relation import Relation, quote
from understudy.sql.language import Language


class Ddl(Language):
    """Statements as text. Names come in as relations and are quoted by them; values are escaped here."""

    indexes_before_swap = False
    """Whether a table with indexes can be renamed: then they are made before its place is taken from the old one."""
    can_replace = False
    """Whether some relations are put in their place by the very statement that creates them: the macro `is_replaced` says
    which; `after_rename` does what the others need."""

    keys_hold_tables = False
    """Whether a table that a foreign key points at can be neither dropped nor renamed."""

    row_estimates: str | None = None
    """A query for (database, schema, name, about how many rows) of the tables whose names, in lower case, are `{names}`; it
    reads none of them. None: the engine keeps no such figures."""

    def create_schema(self, schema: Relation) -> str:
        """`schema` is a relation without an identifier."""
        return f"create schema if not exists {schema.render()}"

    def drop_schema(self, schema: Relation) -> str:
        """Drop a schema and what is in it."""
        return f"drop schema if exists {schema.render()} cascade"

    def drop(self, relation: Relation) -> str:
        """Drop a relation, whatever kind it is known to be (a table when it is not known)."""
        return f"drop {self.kind(relation)} if exists {relation.render()} cascade"

    def rename(self, relation: Relation, identifier: str) -> str:
        """Give a relation another name in its schema."""
        name = Relation(None, None, identifier, quoting=relation.quoting, quote_character=relation.quote_character)
        return f"alter {self.kind(relation)} {relation.render()} rename to {name.render()}"

    def truncate(self, relation: Relation) -> str:
        """Empty a table."""
        return f"truncate table {relation.render()}"

    def add_column(self, relation: Relation, name: str, data_type: str) -> str:
        """Add one column to a table."""
        return f"alter table {relation.render()} add column {quote(name, relation.quote_character)} {data_type}"

    def drop_column(self, relation: Relation, name: str) -> str:
        """Remove one column from a table."""
        return f"alter table {relation.render()} drop column {quote(name, relation.quote_character)}"

    def alter_column_type(self, relation: Relation, name: str, data_type: str) -> str:
        """Change the type of one column of a table."""
        column = quote(name, relation.quote_character)
        return f"alter table {relation.render()} alter column {column} type {data_type}"

    def comment(self, relation: Relation, text: str) -> str:
        """Describe a relation in the engine's catalog."""
        return f"comment on {self.kind(relation)} {relation.render()} is {self.literal(text)}"

    def comment_column(self, relation: Relation, name: str, text: str) -> str:
        """Describe a column in the engine's catalog."""
        column = quote(name, relation.quote_character)
        return f"comment on column {relation.render()}.{column} is {self.literal(text)}"

    def create_index(self, relation: Relation, name: str, columns: Sequence[str], unique: bool) -> str:
        """An index on a table; the columns are expressions as the project wrote them."""
        word = "unique index" if unique else "index"
        return f"create {word} {quote(name, relation.quote_character)} on {relation.render()} ({', '.join(columns)})"

    def copy_csv(self, relation: Relation, columns: Sequence[str], path: str, delimiter: str) -> str:
        """The statement that copies a CSV file with a header into a table, for engines that read files themselves."""
        raise NotImplementedError
