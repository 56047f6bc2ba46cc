"""What DuckDB says in its own way."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.relation import Relation
from understudy.sql.ddl import Ddl


class DuckDB(Ddl):
    """DuckDB 1.1 and later."""

    current_timestamp = "now()"
    keys_hold_tables = True
    row_estimates = (
        "select database_name, schema_name, table_name, estimated_size from duckdb_tables() "
        "where lower(table_name) in ({names})"
    )

    def describe(self, relation: Relation) -> str:
        """`describe` reads one entry of the catalog; information_schema would load all of them (dbt-duckdb 1.11)."""
        return f"select column_name, column_type from (describe {relation.render()})"

    def describe_query(self, sql: str) -> str:
        """DuckDB describes a query without running it."""
        return f"select column_name, column_type from (describe {sql}\n)"

    def copy_csv(self, relation: Relation, columns: Sequence[str], path: str, delimiter: str) -> str:
        """DuckDB reads the file itself (dbt-duckdb 1.11: duckdb__load_csv_rows, which goes by the order of the columns)."""
        options = f"FORMAT CSV, HEADER TRUE, DELIMITER {self.literal(delimiter)}"
        return f"COPY {relation.render()} ({', '.join(columns)}) FROM {self.literal(path)} ({options})"

    def constraint_target(self, to: str) -> str:
        """A foreign key may not name a catalog, not even its own (dbt-duckdb 1.11)."""
        parts = to.split(".")
        return ".".join(parts[1:]) if len(parts) > 2 else to
