"""What Spark SQL says in its own way: escapes, formats, comments, one statement at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from understudy.core.relation import Relation, quote
from understudy.sql.ddl import Ddl

REPLACEABLE = frozenset({"delta", "iceberg"})
"""Formats with `create or replace table`: readers see the old table, and then the new one."""
MERGEABLE = frozenset({"delta", "iceberg", "hudi"})
"""Formats with `merge into`."""
FILE_FORMATS = ("text", "csv", "json", "jdbc", "parquet", "orc", "hive", "delta", "iceberg", "libsvm", "hudi")
"""The formats that dbt-spark 1.11 accepts for incremental models."""

TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)
      | (?P<text>(?<![\w`])[rR]'[^']*'|(?<![\w`])[rR]"[^"]*"|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:``|[^`])*`)
      | (?P<end>;) | (?P<space>\s+) | (?P<other>[^\s;'"`/-]+|.)""",
    re.VERBOSE | re.DOTALL,
)
SCRIPT = re.compile(r"\s*begin\b(?!\s*;)", re.IGNORECASE)
KIND = re.compile(r"^Type: (\w+)$", re.MULTILINE)
QUERY = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(?:select|with|values|from|table)\b", re.IGNORECASE | re.DOTALL)


def statements(sql: str) -> list[str]:
    """The statements of a text, which Spark takes one by one; empty ones and lonely comments are left out.

    A `;` in a text, a quoted name or a comment ends nothing; a script (`begin ... end`) is one statement.
    """
    if SCRIPT.match(sql):
        return [sql]
    found: list[str] = []
    start, says_something = 0, False
    for match in TOKEN.finditer(sql):
        if match.lastgroup == "end":
            if says_something:
                found.append(sql[start : match.start()].strip())
            start, says_something = match.end(), False
        elif match.lastgroup in ("text", "other"):
            says_something = True
    if says_something:
        found.append(sql[start:].strip())
    return found


def is_query(sql: str) -> bool:
    """Whether a statement is one that Spark does not run before somebody wants its rows."""
    return QUERY.match(sql) is not None


def relation_kind(information: str) -> Literal["view", "table"]:
    """`view` or `table`, from what `show table extended` says of a relation; its own texts come after the type."""
    match = KIND.search(information)
    return "view" if match is not None and match[1].endswith("VIEW") else "table"


class Spark(Ddl):
    """Spark 3.5 and later."""

    binding = "%s"
    can_replace = True
    seed_types: Mapping[str, str] = {
        "integer": "bigint", "number": "double", "date": "date", "datetime": "timestamp", "boolean": "boolean",
        "text": "string",
    }  # fmt: skip
    type_labels: Mapping[str, str] = {"numeric(28,6)": "decimal(28,6)"}
    current_timestamp = "current_timestamp()"

    def literal(self, value: object) -> str:
        """A text as a SQL string: Spark reads a backslash as an escape, and two quotes as two texts side by side."""
        return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"

    def drop(self, relation: Relation) -> str:
        """There is no `cascade`: views on it stay, and find a relation of that name again."""
        return f"drop {self.kind(relation)} if exists {relation.render()}"

    def rename(self, relation: Relation, identifier: str) -> str:
        """The new name has its schema, or some catalogs would look for it in the session's own."""
        name = Relation(
            None, relation.schema, identifier, quoting=relation.quoting, quote_character=relation.quote_character
        )
        return f"alter {self.kind(relation)} {relation.render()} rename to {name.render()}"

    def add_columns(self, relation: Relation, columns: Iterable[tuple[str, str]]) -> str:
        """Add columns, (name, type) each, in one statement."""
        parts = ", ".join(f"{quote(name, relation.quote_character)} {data_type}" for name, data_type in columns)
        return f"alter table {relation.render()} add columns ({parts})"

    def add_column(self, relation: Relation, name: str, data_type: str) -> str:
        """Add one column to a table."""
        return self.add_columns(relation, [(name, data_type)])

    def comment(self, relation: Relation, text: str) -> str:
        """A view's description is a property of it."""
        if relation.type == "view":
            return f"alter view {relation.render()} set tblproperties ('comment' = {self.literal(text)})"
        return f"comment on table {relation.render()} is {self.literal(text)}"

    def comment_column(self, relation: Relation, name: str, text: str) -> str:
        """Of a table; the columns of a view are described when it is created."""
        column = quote(name, relation.quote_character)
        return f"alter table {relation.render()} alter column {column} comment {self.literal(text)}"

    def describe(self, relation: Relation) -> str:
        """Rows of (name, type, comment); what comes after a row without a type is no column, but about partitions."""
        return f"describe table {relation.render()}"

    def list_relations(self, schema: Relation) -> str:
        """Rows of (schema, name, whether it is temporary, a text that names the type) for a relation without identifier."""
        return f"show table extended in {schema.render()} like '*'"

    def list_names(self, schema: Relation, kind: str) -> str:
        """Rows of (schema, name, whether it is temporary), for `tables` (views among them) or `views`."""
        return f"show {kind} in {schema.render()}"

    def insert_texts(self, relation: Relation, types: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str:
        """Insert rows of texts, each cast to its column's type; None is null.

        The rows travel as one text, for Spark takes its time to read thousands of rows of `values`.
        """
        casts = ", ".join(_cast(f"r[{number}]", data_type) for number, data_type in enumerate(types))
        text = self.literal(json.dumps(rows, ensure_ascii=False))
        source = f"select explode(from_json({text}, 'array<array<string>>')) as r"
        return f"insert into {relation.render()} select {casts} from ({source})"


def _cast(value: str, data_type: str) -> str:
    """Whole numbers may be written like `1.0`, as in dbt's seeds."""
    if data_type.lower() in ("bigint", "int", "smallint", "tinyint"):
        value = f"cast({value} as decimal(38, 10))"
    return f"cast({value} as {data_type})"
