"""Sessions of Spark."""

from __future__ import annotations

import csv
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice, takewhile
from typing import Any

from understudy.adapters.base import Listing
from understudy.adapters.scripts import Interpreter, compute
from understudy.adapters.spark.errors import DRIVER_ERRORS, is_missing, translate
from understudy.adapters.spark.frames import as_spark, by_value
from understudy.adapters.spark.profile import Profile
from understudy.adapters.spark.session import open_spark
from understudy.core.relation import Relation, RelationType, SchemaName
from understudy.core.statement import ColumnType, Load, Result, Script, Statement
from understudy.errors import Cancelled, DatabaseError, ExecutionError, PermissionDenied
from understudy.sql.dialect import Dialect
from understudy.sql.spark import Spark, is_query, relation_kind, statements

__all__ = ["SparkConnection", "open_spark"]

SQL = Spark()
CHUNK_ROWS = 10_000
"""Rows of a seed that are sent at once."""
NULLS = frozenset({"", "null"})
"""Cells of a seed that are null (dbt 1.11: build_type_tester)."""


class SparkConnection:
    """What one thread sends to the session. There are no transactions."""

    in_transaction = False

    def __init__(self, session: Any, profile: Profile, dialect: Dialect) -> None:
        self._session = session
        self._dialect = dialect
        self._is_client = profile.method == "connect"
        self._tag = f"understudy-{uuid.uuid4()}"
        self._cancelled = threading.Event()
        self._interpreter = Interpreter()

    def execute(self, statement: Statement | Script) -> Result:
        """Send a statement, or several in one text, one by one; the last one's answer counts. Or run a Python model."""
        if isinstance(statement, Script):
            return self._run(statement)
        result = Result()
        with self._speaking(always=statement.purpose == "restore"):
            parts = statements(statement.sql)
            for number, sql in enumerate(parts, 1):
                result = self._send(sql, fetch=statement.fetch and number == len(parts))
        return result

    def load(self, load: Load) -> Result:
        """Insert the file's rows, some at once; an empty cell and `null` are null, as in dbt's seeds."""
        types = [column.data_type for column in self.columns(load.relation)]
        count = 0
        try:
            with open(load.path, encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file, delimiter=load.delimiter)
                next(reader, None)
                cells = texts(reader, len(load.columns))
                while rows := list(islice(cells, CHUNK_ROWS)):
                    with self._speaking():
                        self._send(SQL.insert_texts(load.relation, types, rows), fetch=False)
                    count += len(rows)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DatabaseError(f"The file {load.path} cannot be loaded: {error}") from error
        return Result(message=f"INSERT {count}", code="INSERT", rows_affected=count)

    def _run(self, script: Script) -> Result:
        """A Python model sees what it would in a notebook: `spark` is the session."""
        session = self._session
        with (
            self._speaking(),
            self._interpreter.running(script, {"spark": session}) as module,
            by_value(module),
        ):
            self._mark()
            if "materialize" in vars(module):  # else the script has done it all, as Databricks' scripts do
                module.materialize(as_spark(session, compute(module, session, session.table)), session)
        return Result()

    def relations(self, schemas: Iterable[SchemaName]) -> Listing:
        """One query for each schema. A schema that is missing is empty; what else goes wrong is its value."""
        return {name: self._listed(name) for name in dict.fromkeys(schemas)}

    def denied(self, relations: Iterable[Relation]) -> Mapping[Relation, PermissionDenied]:
        """Spark itself has no rights that one could ask for."""
        return {}

    def columns(self, relation: Relation) -> Sequence[ColumnType]:
        """The columns with their types, those of partitions last; empty when the relation is missing."""
        try:
            rows = self._ask(SQL.describe(relation))
        except DatabaseError as error:
            if error.__cause__ is not None and is_missing(error.__cause__):
                return ()
            raise
        return tuple(ColumnType(str(row[0]), str(row[1])) for row in takewhile(lambda row: row[1], rows))

    def schemas(self, database: str | None) -> Sequence[str]:
        """The names of all schemas, of the current catalog or another one."""
        where = f" in {self._dialect.relation(None, None, database).render()}" if database else ""
        return tuple(str(row[0]) for row in self._ask(f"show schemas{where}"))

    def begin(self) -> None:
        """Spark has no transactions."""

    def commit(self) -> None:
        """Spark has no transactions."""

    def rollback(self) -> None:
        """Nothing can be undone; after a cancellation statements are sent again."""
        self._cancelled.clear()

    def cancel(self) -> None:
        """End the jobs of the running statement; later ones are refused until `rollback`."""
        self._cancelled.set()
        self._interpreter.cancel()
        try:
            if self._is_client:
                self._session.interruptTag(self._tag)
            else:
                self._session.sparkContext.cancelJobGroup(self._tag)
        except DRIVER_ERRORS:
            return  # the session is gone, and its statement with it

    def close(self) -> None:
        """Nothing is the connection's own."""

    # -- how it speaks -----------------------------------------------------------------------------------------

    @contextmanager
    def _speaking(self, *, always: bool = False) -> Iterator[None]:
        """The driver's errors as ours; nothing is sent after a cancellation, unless it has to be."""
        if self._cancelled.is_set() and not always:
            raise Cancelled("The statement was not sent: the run was cancelled")
        try:
            yield
        except ExecutionError:
            raise
        except Exception as error:
            raise translate(error, cancelled=self._cancelled.is_set()) from error

    def _send(self, sql: str, *, fetch: bool) -> Result:
        """One statement. Spark runs a query only when somebody wants its rows: without `fetch` they go nowhere."""
        self._mark()
        frame = self._session.sql(sql)
        if not fetch:
            if is_query(sql):
                frame.write.format("noop").mode("overwrite").save()
            return Result()
        fields = frame.schema.fields
        names, types = tuple(each.name for each in fields), tuple(each.dataType.simpleString() for each in fields)
        return Result(names, types, [tuple(row) for row in frame.collect()])

    def _mark(self) -> None:
        """What this thread sends from now on is this connection's, to be cancelled with it."""
        if self._is_client:
            self._session.addTag(self._tag)
        else:
            self._session.sparkContext.setJobGroup(self._tag, "understudy")

    def _ask(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """Rows of the catalog."""
        with self._speaking():
            return self._send(sql, fetch=True).rows

    # -- what it finds -----------------------------------------------------------------------------------------

    def _listed(self, name: SchemaName) -> Sequence[Relation] | DatabaseError:
        """The relations of one schema; temporary views, which are listed in every schema, are left out."""
        try:
            found = self._kinds(self._dialect.relation(name.database, name.schema, None))
        except DatabaseError as error:
            return () if error.__cause__ is not None and is_missing(error.__cause__) else error
        except ExecutionError as error:
            return DatabaseError(error.message, hint=error.hint)
        return [
            self._dialect.relation(name.database, name.schema, identifier, type=kind)
            for identifier, kind in found.items()
        ]

    def _kinds(self, schema: Relation) -> dict[str, RelationType]:
        """Name -> kind. One relation that Spark cannot read, or a catalog that knows no details, makes it ask for names."""
        try:
            rows = self._ask(SQL.list_relations(schema))
        except DatabaseError as error:
            if type(error) is not DatabaseError or (error.__cause__ is not None and is_missing(error.__cause__)):
                raise
        else:
            return {str(row[1]): relation_kind(str(row[3])) for row in rows if not row[2]}
        tables = self._ask(SQL.list_names(schema, "tables"))
        views = {str(row[1]) for row in self._ask(SQL.list_names(schema, "views"))}
        return {str(row[1]): "view" if row[1] in views else "table" for row in tables if not row[2]}


def texts(rows: Iterable[Sequence[str]], width: int) -> Iterator[list[str | None]]:
    """Rows of cells, null where they say so; short rows end in nulls, empty ones are left out."""
    for row in rows:
        if row:
            cells = [None if cell.strip().lower() in NULLS else cell for cell in row]
            yield [*cells, *[None] * (width - len(cells))]
