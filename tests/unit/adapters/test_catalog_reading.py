"""What stands in the database, for the documentation: from DuckDB in one query, from any other connection piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support import postgres

from understudy.adapters.catalog import Described, DescribedColumn, Describes, describe
from understudy.adapters.duckdb.adapter import DuckDBAdapter
from understudy.adapters.duckdb.connection import DuckDBConnection
from understudy.adapters.duckdb.profile import Profile
from understudy.adapters.postgres.adapter import open_adapter as open_postgres
from understudy.core.relation import Relation, SchemaName
from understudy.core.statement import ColumnType, Result, Statement
from understudy.errors import DatabaseError, PermissionDenied
from understudy.sql.dialect import dialect

DUCKDB = dialect("duckdb")
SETUP = """
create schema "Odd ""name";
create table "Odd ""name".t ("A b" integer, c decimal(9, 2)[]);
create view v as select 1 as one;
comment on view v is 'it''s';
comment on table "Odd ""name".t is 'rows';
comment on column "Odd ""name".t.c is 'lists';
create temporary table passing (x int);
"""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[DuckDBConnection]:
    adapter = DuckDBAdapter(Profile(path=str(tmp_path / "x.duckdb")), str(tmp_path))
    with closing(adapter), closing(adapter.connect()) as opened:
        opened.execute(Statement(SETUP))
        yield opened


def test_duckdb_describes_schemas_in_one_query(connection: DuckDBConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Statement] = []
    execute = connection.execute

    def counted(statement: Statement) -> Result:
        sent.append(statement)
        return execute(statement)

    monkeypatch.setattr(connection, "execute", counted)
    schemas = [SchemaName("x", 'odd "NAME'), SchemaName("X", "main"), SchemaName("x", "nowhere"), SchemaName("y", "z")]
    found = connection.describe(schemas)
    assert len(sent) == 1
    assert list(found) == schemas
    assert found[schemas[0]] == [
        Described(
            DUCKDB.relation("x", 'Odd "name', "t", type="table"),
            "BASE TABLE",
            (DescribedColumn("A b", "INTEGER", 1), DescribedColumn("c", "DECIMAL(9,2)[]", 2, "lists")),
            "rows",
        )
    ]
    assert found[schemas[1]] == [
        Described(
            DUCKDB.relation("x", "main", "v", type="view"), "VIEW", (DescribedColumn("one", "INTEGER", 1),), "it's"
        )
    ]
    assert (found[schemas[2]], found[schemas[3]]) == ([], [])


def test_a_schema_without_a_database_is_the_current_ones(connection: DuckDBConnection) -> None:
    found = connection.describe([SchemaName(None, "main")])[SchemaName(None, "main")]
    assert not isinstance(found, DatabaseError)
    assert [each.relation.identifier for each in found] == ["v"]
    assert connection.describe([]) == {}


def test_an_error_is_a_value(connection: DuckDBConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(statement: Statement) -> Result:
        raise DatabaseError("no")

    monkeypatch.setattr(connection, "execute", refused)
    schemas = [SchemaName("x", "a"), SchemaName("x", "b")]
    relations, errors = describe(connection, schemas, lambda relation: True)
    assert relations == []
    assert [error.message for error in errors] == ["no"]  # told once


def test_postgres_describes_schemas(postgres_server: Any) -> None:
    with postgres.database(postgres_server, "catalog_tests"):
        setup = """
        create schema dev; create schema secret;
        create table dev."Odd ""t" (gone int, id int, name varchar(10), at timestamptz);
        alter table dev."Odd ""t" drop column gone;
        create materialized view dev.m as select 1.5::numeric(9, 2) as n;
        comment on table dev."Odd ""t" is 'rows'; comment on column dev."Odd ""t".name is 'called';
        create table secret.s (x int); create role stranger login;
        grant usage on schema dev to stranger
        """
        postgres.sql(postgres_server, setup, database="catalog_tests")
        target = postgres.target(postgres_server, database="catalog_tests", role="stranger")
        with closing(open_postgres(target, "")) as adapter, closing(adapter.connect()) as opened:
            schemas = [SchemaName("catalog_tests", name) for name in ("dev", "secret", "none")]
            found = opened.describe([*schemas, SchemaName("other", "dev")])
        postgres.sql(postgres_server, "drop owned by stranger; drop role stranger", database="catalog_tests")
    dev = found[schemas[0]]
    assert not isinstance(dev, DatabaseError)
    by_name = {each.relation.identifier: each for each in dev}
    odd, view = by_name['Odd "t'], by_name["m"]
    assert (odd.kind, odd.comment, odd.owner) == ("BASE TABLE", "rows", postgres_server.user)
    assert odd.columns == (
        DescribedColumn("id", "integer", 2),
        DescribedColumn("name", "character varying(10)", 3, "called"),
        DescribedColumn("at", "timestamp with time zone", 4),
    )
    assert (view.kind, view.columns) == ("MATERIALIZED VIEW", (DescribedColumn("n", "numeric(9,2)", 1),))
    assert isinstance(found[schemas[1]], PermissionDenied)
    assert found[schemas[2]] == []
    assert isinstance(found[SchemaName("other", "dev")], DatabaseError)


class Plain:
    """A connection that can list relations and columns, and no more."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []

    def relations(self, schemas: Iterable[SchemaName]) -> dict[SchemaName, Any]:
        refused = PermissionDenied("not for you")
        a = [DUCKDB.relation("d", "a", name, type="view" if name == "v" else None) for name in ("t", "v", "unwanted")]
        return {name: refused if name.schema == "secret" else a for name in schemas}

    def columns(self, relation: Relation) -> tuple[ColumnType, ...]:
        self.asked.append(relation.identifier)
        return (ColumnType("id", "int"), ColumnType("name", "text"))


def test_other_connections_are_asked_for_each_wanted_relation() -> None:
    plain: Any = Plain()
    assert not isinstance(plain, Describes)
    found, errors = describe(
        plain, [SchemaName("d", "a"), SchemaName("d", "secret")], lambda relation: relation.identifier != "unwanted"
    )
    assert plain.asked == ["t", "v"]
    columns = (DescribedColumn("id", "int", 1), DescribedColumn("name", "text", 2))
    assert [(each.relation.identifier, each.kind, each.columns) for each in found] == [
        ("t", "BASE TABLE", columns),
        ("v", "VIEW", columns),
    ]
    assert [error.message for error in errors] == ["not for you"]
