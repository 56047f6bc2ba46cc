"""Macros that decide or ask something, on a real DuckDB."""

from __future__ import annotations

from typing import Any

import pytest
from support.engine import Engine, model, renderer

from understudy.core.relation import Relation
from understudy.core.statement import ColumnType, Statement
from understudy.errors import ContractError, ExecutionError, UnderstudyError
from understudy.execute.database import LiveDatabase, RelationCache
from understudy.sql.dialect import dialect
from understudy.stdlib.contracts import mismatches
from understudy.template.session import Session


@pytest.fixture
def database() -> LiveDatabase:
    engine = Engine()
    opened = LiveDatabase(engine.adapter.connect, RelationCache(dialect("duckdb")), dialect("duckdb"))
    opened.execute(Statement("create schema dev; create table dev.a as select 1 as id, 'x' as name"))
    return opened


def session(
    database: LiveDatabase | None, materialized: str = "table", flags: dict[str, Any] | None = None, **config: Any
) -> Session:
    return renderer(flags=flags or {"FULL_REFRESH": False}).session(
        model("a", materialized=materialized, **config), None, database=database
    )


@pytest.mark.parametrize(
    ("materialized", "flags", "config", "expected"),
    [
        ("incremental", {"FULL_REFRESH": False}, {}, True),
        ("incremental", {"FULL_REFRESH": True}, {}, False),
        ("incremental", {"FULL_REFRESH": True}, {"full_refresh": False}, True),
        ("incremental", {"FULL_REFRESH": False}, {"full_refresh": True}, False),
        ("incremental", {"FULL_REFRESH": False}, {"alias": "missing"}, False),
        ("table", {"FULL_REFRESH": False}, {}, False),
    ],
)
def test_is_incremental(
    database: LiveDatabase, materialized: str, flags: dict[str, Any], config: dict[str, Any], expected: bool
) -> None:
    assert session(database, materialized, flags, **config).call("is_incremental") is expected


def test_is_incremental_without_a_database_and_over_a_view(database: LiveDatabase) -> None:
    assert session(None, "incremental").call("is_incremental") is False
    database.execute(Statement("drop table dev.a; create view dev.a as select 1 as id"))
    assert session(database, "incremental").call("is_incremental") is False


@pytest.mark.parametrize(
    ("macro", "args", "sql", "rows"),
    [
        ("truncate_relation", (), "select count(*) from dev.a", [(0,)]),
        ("drop_relation", (), "select count(*) from duckdb_tables() where schema_name = 'dev'", [(0,)]),
        ("drop_relation_if_exists", (), "select count(*) from duckdb_tables() where schema_name = 'dev'", [(0,)]),
        ("drop_schema", (), "select count(*) from duckdb_schemas() where schema_name = 'dev'", [(0,)]),
        ("rename_relation", (Relation("memory", "dev", "b", "table"),), "select id from dev.b", [(1,)]),
        (
            "create_schema",
            (),
            "select count(*) from duckdb_schemas() where schema_name = 'dev'",
            [(1,)],
        ),
        ("alter_column_type", ("id", "bigint"), "select typeof(id) from dev.a", [("BIGINT",)]),
        (
            "alter_relation_add_remove_columns",
            ([ColumnType("more", "date")], [ColumnType("name", "text")]),
            "select column_name from (describe dev.a)",
            [("id",), ("more",)],
        ),
    ],
)
def test_macros_that_change_relations(
    database: LiveDatabase, macro: str, args: tuple[Any, ...], sql: str, rows: list[tuple[Any, ...]]
) -> None:
    session(database).call(macro, Relation("memory", "dev", "a", "table"), *args)
    assert list(database.execute(Statement(sql, fetch=True)).rows) == rows


def test_what_is_known_follows(database: LiveDatabase) -> None:
    a = Relation("memory", "dev", "a", "table")
    assert database.relation("memory", "dev", "a") == a
    session(database).call("rename_relation", a, a.with_identifier("b"))
    assert (database.relation("memory", "dev", "a"), database.relation("memory", "dev", "b")) == (
        None,
        a.with_identifier("b"),
    )
    session(database).call("drop_relation", a.with_identifier("b"))
    assert database.relation("memory", "dev", "b") is None
    assert session(database).call("drop_relation_if_exists", None) == ""


def test_columns_of_queries_and_relations(database: LiveDatabase) -> None:
    ours = session(database)
    assert ours.call("get_columns_in_query", "select 1 as a, 2 as b") == ["a", "b"]
    found = ours.call("get_columns_in_relation", Relation("memory", "dev", "a"))
    assert [column.name for column in found] == ["id", "name"]
    assert ours.call("list_schemas", "memory").columns["schema_name"].values().count("dev") == 1
    assert ours.call("check_schema_exists", {"database": "memory"}, "DEV").rows[0][0] == 1
    assert ours.call("get_or_create_relation", "memory", "dev", "a", "view")[0] is True
    assert ours.call("get_or_create_relation", "memory", "dev", "z", "view")[0] is False


def test_what_a_contract_says() -> None:
    def column(name: str, kind: str) -> dict[str, str]:
        return {"name": name, "data_type": kind, "formatted": f"{name.lower()} {kind}"}

    same = [column("a", "INTEGER"), column("b", "VARCHAR")]
    assert mismatches(same, list(reversed(same))) == []
    assert mismatches([column("A", "INTEGER"), same[1]], same) == []
    assert mismatches([column("a", "INTEGER"), column("c", "DATE")], same) == [
        ("b", "", "VARCHAR", "missing in definition"),
        ("c", "DATE", "", "missing in contract"),
    ]
    assert mismatches([same[0], column("b", "DATE")], same) == [("b", "DATE", "VARCHAR", "data type mismatch")]


@pytest.mark.parametrize(
    ("constraints", "words"),
    [
        ([{"type": "primary_key", "columns": ["id", "b"]}], "primary key (id, b)"),
        ([{"type": "unique", "name": "u", "columns": ["id"]}], "constraint u unique (id)"),
        ([{"type": "check", "expression": "id > 0", "columns": []}], "check (id > 0)"),
        (
            [{"type": "foreign_key", "columns": ["id"], "to": '"memory"."dev"."p"', "to_columns": ["k"]}],
            'foreign key (id) references "dev"."p" (k)',
        ),
        ([{"type": "foreign_key", "columns": ["id"], "expression": "p (k)"}], "foreign key (id) references p (k)"),
        ([{"type": "custom", "expression": "anything", "columns": []}], "anything"),
    ],
)
def test_constraints_of_models(constraints: list[dict[str, Any]], words: str) -> None:
    node = model(
        "a", columns={"id": {"name": "id", "data_type": "int"}, "B": {"name": "B", "data_type": "int", "quote": True}}
    )
    node.constraints.extend(constraints)
    text = renderer().session(node, None, database=None).call("get_table_columns_and_constraints")
    assert " ".join(text.split()) == f'( id int, "B" int, {words} )'


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        ({"type": "not_null"}, "not null"),
        ({"type": "primary_key"}, "primary key"),
        ({"type": "unique", "expression": "x"}, "unique x"),
        ({"type": "check", "expression": "id > 0"}, "check (id > 0)"),
        ({"type": "foreign_key", "to": "dev.p", "to_columns": ["k"]}, "references dev.p (k)"),
        ({"type": "foreign_key", "expression": "p (k)"}, "references p (k)"),
        ({"type": "custom", "expression": "tag"}, "tag"),
    ],
)
def test_constraints_of_columns(constraint: dict[str, Any], words: str) -> None:
    node = model("a", columns={"id": {"name": "id", "data_type": "int", "constraints": [constraint]}})
    text = renderer().session(node, None, database=None).call("get_table_columns_and_constraints")
    assert " ".join(text.split()) == f"( id int {words} )"


@pytest.mark.parametrize(
    ("macro", "args", "error"),
    [
        ("get_empty_schema_sql", ({"id": {"name": "id"}},), ContractError),
        ("get_incremental_insert_overwrite_sql", ({},), ExecutionError),
        ("get_powers_of_two", (0,), ExecutionError),
        ("drop_relation", ("text",), UnderstudyError),
        ("list_schemas", ("memory",), ExecutionError),
    ],
)
def test_what_macros_refuse(macro: str, args: tuple[Any, ...], error: type[UnderstudyError]) -> None:
    with pytest.raises(error):
        session(None).call(macro, *args)


def test_dates_are_counted_as_elsewhere(database: LiveDatabase) -> None:
    """The week begins on Sunday; 2024-01-06 was a Saturday."""
    ours = session(database)
    for first, second, weeks in (
        ("2024-01-06", "2024-01-07", 1),
        ("2024-01-07", "2024-01-13", 0),
        ("2024-01-07", "2024-01-06", -1),
    ):
        sql = ours.call("datediff", f"'{first}'::date", f"'{second}'::date", "week")
        assert database.execute(Statement(f"select {sql}", fetch=True)).rows == [(weeks,)]
    spine = ours.call("date_spine", "day", "'2024-01-01'::date", "'2024-01-05'::date")
    assert len(database.execute(Statement(spine, fetch=True)).rows) in (4, 5)
    month = ours.call("last_day", "'2024-02-10'::date", "month")
    quarter = ours.call("last_day", "'2024-02-10'::date", "quarter")
    rows = database.execute(Statement(f"select cast({month} as varchar), cast({quarter} as varchar)", fetch=True)).rows
    assert rows == [("2024-02-29", "2024-03-31")]


def test_dates_that_make_no_range(database: LiveDatabase) -> None:
    call = session(database).call
    with pytest.raises(UnderstudyError, match="does not have the format"):
        call("convert_datetime", "2020", "%Y-%m-%d")
    with pytest.raises(UnderstudyError, match="begins after its end"):
        call("dates_in_range", "20200102", "20200101")
    with pytest.raises(UnderstudyError, match="A range of partitions"):
        call("partition_range", "1,2,3")
    with pytest.raises(UnderstudyError, match="must be a text or a list"):
        call("normalize_string_or_list", {"a": 1}, "keys")
    with pytest.raises(UnderstudyError, match="must be a text without"):
        call("duckdb_escape_comment", "$dbt_comment_literal_block$")


def test_hooks_run_where_they_belong(database: LiveDatabase) -> None:
    hooks = [
        {"sql": "insert into dev.a values ({{ 1 + 1 }}, 'in')", "transaction": True},
        {"sql": "insert into dev.a values (3, 'out')", "transaction": False},
        {"sql": "{# nothing #}", "transaction": True},
    ]
    session(database).call("run_hooks", hooks)
    assert database.execute(Statement("select id from dev.a order by id", fetch=True)).rows == [(1,), (2,)]
    session(database).call("run_hooks", hooks, inside_transaction=False)
    assert database.execute(Statement("select max(id) from dev.a", fetch=True)).rows == [(3,)]


def test_a_relation_is_replaced_by_statements(database: LiveDatabase) -> None:
    mine = Relation("memory", "dev", "a", "table")
    opened = session(database)
    steps = [
        opened.call("get_create_intermediate_sql", mine, "select 7 as id"),
        opened.call("get_create_backup_sql", mine),
        opened.call("get_rename_intermediate_sql", mine),
        opened.call("get_drop_backup_sql", mine),
    ]
    database.execute(Statement(";\n".join(steps)))
    assert database.execute(Statement("select * from dev.a", fetch=True)).rows == [(7,)]
    tables = "select table_name from information_schema.tables where table_schema = 'dev'"
    assert database.execute(Statement(tables, fetch=True)).rows == [("a",)]
    with pytest.raises(UnderstudyError, match="cannot be renamed"):
        opened.call("get_rename_sql", Relation("memory", "dev", "a"), "b")


def test_a_schema_is_dropped_by_its_name(database: LiveDatabase) -> None:
    database.execute(Statement("create schema gone"))
    session(database).call("drop_schema_named", "gone")
    assert "gone" not in database.schemas(None)


def test_files_of_external_models_become_views(database: LiveDatabase, tmp_path: Any) -> None:
    database.execute(Statement(f"copy (select 5 as id) to '{tmp_path}/up.parquet'"))
    up = {
        "depends_on": {"nodes": []}, "database": "memory", "schema": "files", "alias": "up", "resource_type": "model",
        "config": {"materialized": "external", "location": f"{tmp_path}/up.parquet"},
    }  # fmt: skip
    down = {**up, "depends_on": {"nodes": ["model.shop.up"]}, "config": {"materialized": "table"}}
    opened = session(database)
    opened.set("graph", {"nodes": {"model.shop.up": up, "model.shop.down": down}})
    opened.set("selected_resources", ["model.shop.down"])
    opened.call("register_upstream_external_models")
    assert database.execute(Statement("select * from files.up", fetch=True)).rows == [(5,)]
