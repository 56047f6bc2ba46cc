"""DDL and small statements that most engines share; an engine overrides what it says differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from understudy.core.relation import Relation, quote


class Ddl:
    """Statements as text. Names come in as relations and are quoted by them; values are escaped here."""

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

    def type_name(self, label: str) -> str:
        """The engine's name of a type (`string` -> `TEXT`), or the label itself."""
        return self.type_labels.get(label.lower(), label)

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

    def kind(self, relation: Relation) -> str:
        """The word for the relation's type in statements."""
        return (relation.type or "table").replace("_", " ")

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

    def describe(self, relation: Relation) -> str:
        """A query for the names and types of a relation's columns, in order."""
        where = f"table_name = {self.literal(relation.identifier)} and table_schema = {self.literal(relation.schema)}"
        return f"select column_name, data_type from information_schema.columns where {where} order by ordinal_position"

    def describe_query(self, sql: str) -> str | None:
        """A query for the names and types of another query's columns; None: the result of the query itself tells them."""
        return None

    def create_index(self, relation: Relation, name: str, columns: Sequence[str], unique: bool) -> str:
        """An index on a table; the columns are expressions as the project wrote them."""
        word = "unique index" if unique else "index"
        return f"create {word} {quote(name, relation.quote_character)} on {relation.render()} ({', '.join(columns)})"

    def copy_csv(self, relation: Relation, path: str, delimiter: str) -> str:
        """The statement that copies a CSV file with a header into a table, for engines that read files themselves."""
        raise NotImplementedError

    def constraint_target(self, to: str) -> str:
        """The table that a foreign key names."""
        return to
