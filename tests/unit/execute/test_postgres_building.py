"""Materializations on a real PostgreSQL: what is left, what a failure leaves, and what only PostgreSQL has."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support import postgres
from support.engine import check, model, seed
from support.postgres_engine import PostgresEngine

from understudy.errors import ConnectionFailed, ContractError, ExecutionError

DATABASE = "building_tests"


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with postgres.database(postgres.server(), DATABASE):
        yield postgres.server()


@pytest.fixture
def engine(server: Any) -> Iterator[PostgresEngine]:
    postgres.sql(server, "drop schema if exists dev cascade", database=DATABASE)
    engine = PostgresEngine(server, DATABASE)
    with closing(engine.adapter):
        yield engine


def hook(sql: str, transaction: bool = True) -> dict[str, Any]:
    return {"sql": sql, "transaction": transaction, "index": None}


# -- relations -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["view", "table", "materialized_view"])
@pytest.mark.parametrize("after", ["view", "table", "materialized_view", "incremental"])
def test_a_relation_is_replaced_whatever_it_was(engine: PostgresEngine, before: str, after: str) -> None:
    engine.one(model("a", "select 1 as n", before))
    result = engine.one(model("a", "select 2 as n", after), flags={"FULL_REFRESH": True})

    assert result.status == "success", result.message
    assert engine.kinds() == {"a": "table" if after == "incremental" else after}
    assert engine.query("select n from dev.a") == [(2,)]


def test_messages_are_those_of_the_server(engine: PostgresEngine) -> None:
    table = engine.one(model("a", "select generate_series(1, 31) as n"))
    assert (table.message, table.adapter_response["rows_affected"]) == ("SELECT 31", 31)
    assert engine.one(model("b", "select 1 as n", "view")).message == "CREATE VIEW"


@pytest.mark.parametrize("kind", ["view", "table", "incremental", "materialized_view"])
def test_a_failed_build_leaves_the_old_relation(engine: PostgresEngine, kind: str) -> None:
    engine.one(model("a", "select 1 as n", kind))
    failing = model("a", "select 2 as n", kind, **{"post-hook": [hook("select 1/0")]})

    result = engine.one(failing, flags={"FULL_REFRESH": True})

    assert result.status == "error"
    assert "division by zero" in str(result.message)
    assert engine.query("select n from dev.a") == [(1,)]
    assert set(engine.kinds()) == {"a"}


def test_views_on_a_replaced_table_are_built_again(engine: PostgresEngine) -> None:
    nodes = [model("a"), model("b", "select * from dev.a", "view", needs=("a",))]
    nodes.append(model("c", "select * from dev.b", "materialized_view", needs=("b",)))
    for _ in range(2):
        assert [result.status for result in engine.run(*nodes, threads=2)] == ["success"] * 3
    assert engine.kinds() == {"a": "table", "b": "view", "c": "materialized_view"}


LONG = "x" * 63


@pytest.mark.parametrize("kind", ["view", "table", "incremental", "materialized_view"])
def test_names_of_63_bytes(engine: PostgresEngine, kind: str) -> None:
    for number in (1, 2):
        assert engine.one(model("a", f"select {number} as n", kind, alias=LONG, unique_key="n")).status == "success"
    assert engine.kinds() == {LONG: "table" if kind == "incremental" else kind}


@pytest.mark.parametrize("kind", ["view", "table", "incremental", "materialized_view"])
@pytest.mark.parametrize("name", [LONG + "y", "ü" * 32])
def test_longer_names_are_refused(engine: PostgresEngine, kind: str, name: str) -> None:
    for _ in range(2):
        result = engine.one(model("a", "select 1 as n", kind, alias=name))
        assert result.status == "error"
        assert "is longer than 63 bytes" in str(result.message)
    assert engine.kinds() == {}


def test_odd_names(engine: PostgresEngine) -> None:
    name = "Odd \"name\" 'ü' select; drop"
    for kind in ("table", "view", "materialized_view", "incremental", "incremental"):
        config = {"alias": name, "persist_docs": {"relation": True}}
        assert engine.one(model("a", "select 1 as n", kind, unique_key="n", **config)).status == "success"
    assert engine.kinds() == {name: "table"}


def test_an_unlogged_table(engine: PostgresEngine) -> None:
    engine.one(model("a", unlogged=True))
    engine.one(model("b"))
    assert engine.query("select relname, relpersistence from pg_class where relname in ('a', 'b') order by 1") == [
        ("a", "u"), ("b", "p"),
    ]  # fmt: skip


# -- indexes, grants, comments ---------------------------------------------------------------------------------

INDEXES = "select indexdef from pg_indexes where schemaname = 'dev' order by 1"


def test_indexes(engine: PostgresEngine) -> None:
    indexes = [
        {"columns": ["id"], "unique": True},
        {"columns": ["name", "id"], "type": "btree"},
        {"columns": ["name"], "type": "hash"},
    ]
    node = model("a", "select 1 as id, 'x'::text as name", indexes=indexes)
    for _ in range(2):  # the second time the old table's indexes are still there while the new ones are made
        assert engine.one(node).status == "success"
    found = sorted(row[0].split(" ON ")[1] for row in engine.query(INDEXES))
    assert found == ["dev.a USING btree (id)", "dev.a USING btree (name, id)", "dev.a USING hash (name)"]
    assert [row[0].startswith("CREATE UNIQUE") for row in engine.query(INDEXES)].count(True) == 1
    assert all(len(row[0]) == 32 for row in engine.query("select indexname from pg_indexes where schemaname = 'dev'"))


@pytest.mark.parametrize(
    ("index", "message"),
    [({"columns": "id"}, "needs a list of columns"), ({"columns": ["id"], "type": "bitmap"}, "no index of type 'bitmap'")],
)  # fmt: skip
def test_an_index_that_is_none(engine: PostgresEngine, index: dict[str, Any], message: str) -> None:
    result = engine.one(model("a", indexes=[index]))
    assert result.status == "error"
    assert message in str(result.message)
    assert engine.kinds() == {}


GRANTS = (
    "select grantee::regrole::text, privilege_type from pg_class, aclexplode(relacl) "
    "where relname = 'a' and grantee <> relowner order by 1, 2"
)


@pytest.fixture
def roles(engine: PostgresEngine) -> Iterator[None]:
    engine.do('create role reader; create role "Other Reader"')
    yield
    engine.do('drop owned by reader, "Other Reader"; drop role reader, "Other Reader"')


@pytest.mark.parametrize("kind", ["view", "table", "incremental", "materialized_view"])
def test_grants(engine: PostgresEngine, roles: None, kind: str) -> None:
    engine.one(model("a", "select 1 as n", kind, grants={"select": ["reader", '"Other Reader"']}))
    assert engine.query(GRANTS) == [('"Other Reader"', "SELECT"), ("reader", "SELECT")]
    sql = "select 1 as n" if kind != "view" else "select 2 as n"
    assert engine.one(model("a", sql, kind, grants={"select": ["reader"]})).status == "success"
    assert engine.query(GRANTS) == [("reader", "SELECT")]


def test_grants_of_a_table_that_is_added_to_are_compared(engine: PostgresEngine, roles: None) -> None:
    config = {"unique_key": "n", "grants": {"select": ["reader"], "insert": ["reader"]}}
    engine.one(model("a", "select 1 as n", "incremental", **config))
    engine.do('grant delete on dev.a to "Other Reader"')
    assert engine.one(model("a", "select 1 as n", "incremental", **config)).status == "success"
    assert engine.query(GRANTS) == [("reader", "INSERT"), ("reader", "SELECT")]
    sent = [request.sql for request in engine.sent if request.purpose == "grant"]  # type: ignore[union-attr]
    assert [sql.rpartition("*/\n")[2] for sql in sent] == [
        'revoke delete on "building_tests"."dev"."a" from "Other Reader";'
    ]


@pytest.mark.parametrize("kind", ["view", "table", "incremental", "materialized_view"])
def test_descriptions_become_comments(engine: PostgresEngine, kind: str) -> None:
    columns = {"n": {"name": "n", "description": 'It\'s a "number"'}, "gone": {"name": "gone", "description": "x"}}
    node = model("a", "select 1 as n", kind, columns=columns, persist_docs={"relation": True, "columns": True})
    node.description = "What's\nit: $dbt_comment_literal_block$ \\ %s"
    assert engine.one(node).status == "success"
    text = "select obj_description('dev.a'::regclass), col_description('dev.a'::regclass, 1)"
    assert engine.query(text) == [(node.description, 'It\'s a "number"')]


# -- materialized views ----------------------------------------------------------------------------------------


def materialized(**config: Any) -> Any:
    return model("a", "select n from dev.source", "materialized_view", **config)


def test_a_materialized_view_is_refreshed(engine: PostgresEngine) -> None:
    engine.one(model("source", "select 1 as n"))
    engine.one(materialized())
    engine.do("insert into dev.source values (2)")
    assert engine.query("select count(*) from dev.a") == [(1,)]
    assert engine.one(materialized()).message == "REFRESH MATERIALIZED VIEW"
    assert engine.query("select count(*) from dev.a") == [(2,)]


@pytest.mark.parametrize(
    ("indexes", "left"),
    [
        ([{"columns": ["N"]}], ["USING btree (n)"]),
        ([{"columns": ["n"], "unique": True}], ["USING btree (n)"]),
        ([{"columns": ["n"], "type": "hash"}, {"columns": ["n"]}], ["USING btree (n)", "USING hash (n)"]),
        ([], []),
    ],
)
def test_changed_indexes_are_applied(engine: PostgresEngine, indexes: list[Any], left: list[str]) -> None:
    engine.one(model("source", "select 1 as n"))
    engine.one(materialized(indexes=[{"columns": ["n"]}]))
    result = engine.one(materialized(indexes=indexes))
    assert result.status == "success", result.message
    found = engine.query("select indexdef from pg_indexes where tablename = 'a'")
    assert sorted(row[0].split(" ON dev.a ")[1] for row in found) == left
    assert engine.one(materialized(indexes=indexes)).message == "REFRESH MATERIALIZED VIEW"


def test_changes_may_be_left_alone_or_refused(engine: PostgresEngine) -> None:
    engine.one(model("source", "select 1 as n"))
    engine.one(materialized())
    more = {"indexes": [{"columns": ["n"]}]}
    skipped = engine.one(materialized(on_configuration_change="continue", **more))
    assert (skipped.status, skipped.message) == ("success", 'skip "building_tests"."dev"."a"')
    for word, message in (("fail", "is 'fail'"), ("perhaps", "must be apply, continue or fail")):
        refused = engine.one(materialized(on_configuration_change=word, **more))
        assert refused.status == "error"
        assert message in str(refused.message)
    assert engine.query("select count(*) from pg_indexes where tablename = 'a'") == [(0,)]


# -- incremental -----------------------------------------------------------------------------------------------

OLD = "select * from (values (1, 'a'), (2, 'b')) as t(id, name)"
NEW = "select * from (values (2, 'b2'), (3, 'c')) as t(id, name)"


def incremental(sql: str = NEW, old: str = OLD, **config: Any) -> Any:
    return model("a", "{% if is_incremental() %}" + sql + "{% else %}" + old + "{% endif %}", "incremental", **config)


ADDED = [(1, "a"), (2, "b"), (2, "b2"), (3, "c")]
MERGED = [(1, "a"), (2, "b2"), (3, "c")]


@pytest.mark.parametrize(
    ("config", "rows"),
    [
        ({}, ADDED),
        ({"incremental_strategy": "append", "unique_key": "id"}, ADDED),
        ({"unique_key": "id"}, MERGED),
        ({"unique_key": ["id", "name"]}, ADDED),
        ({"incremental_strategy": "delete+insert", "unique_key": ["id"]}, MERGED),
        ({"unique_key": "id", "incremental_predicates": ["id < 0"]}, ADDED),
        ({"incremental_strategy": "merge", "unique_key": "id"}, MERGED),
        ({"incremental_strategy": "merge", "unique_key": ["id", "name"]}, ADDED),
        ({"incremental_strategy": "merge"}, ADDED),
        ({"incremental_strategy": "merge", "unique_key": "id", "merge_exclude_columns": ["Name"]}, [(1, "a"), (2, "b"), (3, "c")]),
        ({"incremental_strategy": "merge", "unique_key": "id", "merge_update_columns": ["name"]}, MERGED),
    ],
)  # fmt: skip
def test_rows_are_added(engine: PostgresEngine, config: dict[str, Any], rows: list[tuple[int, str]]) -> None:
    engine.one(incremental(**config))
    result = engine.one(incremental(**config))
    assert result.status == "success", result.message
    assert engine.query("select id, name from dev.a order by 1, 2") == rows
    assert engine.kinds() == {"a": "table"}


def test_two_models_of_one_name_share_a_session(engine: PostgresEngine) -> None:
    nodes = [model("a", "select 1 as n", "incremental", alias="same", unique_key="n", schema=s) for s in ("dev",)]
    nodes.append(model("b", "select 2 as n", "incremental", alias="same", unique_key="n", schema="dev_two"))
    try:
        for _ in range(2):
            assert {result.status for result in engine.run(*nodes, threads=1)} == {"success"}
    finally:
        engine.do("drop schema dev_two cascade")


@pytest.mark.parametrize(
    ("change", "sql", "columns"),
    [
        ("ignore", "select 3 as id, 'c' as name, true as fresh", ["id integer", "name text"]),
        ("append_new_columns", "select 3 as id, 'c' as name, 1.5::numeric(9,2) as cost", ["id integer", "name text", "cost numeric(9,2)"]),
        ("sync_all_columns", "select 3 as id", ["id integer"]),
        ("sync_all_columns", "select 3::bigint as id, 'c' as name", ["name text", "id bigint"]),
    ],
)  # fmt: skip
def test_on_schema_change(engine: PostgresEngine, change: str, sql: str, columns: list[str]) -> None:
    engine.one(incremental())
    engine.do("create view dev.seen as select id from dev.a")
    result = engine.one(incremental(sql, on_schema_change=change))
    assert result.status == "success", result.message
    described = engine.query(
        "select attname || ' ' || format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = 'dev.a'::regclass and attnum > 0 and not attisdropped order by attnum"
    )
    assert [row[0] for row in described] == columns


def test_a_wider_text_fits(engine: PostgresEngine) -> None:
    old, new = "select 'a'::varchar(1) as name", "select 'abc'::varchar(3) as name"
    engine.one(incremental(new, old))
    result = engine.one(incremental(new, old))
    assert result.status == "success", result.message
    assert engine.query("select name from dev.a order by 1") == [("a",), ("abc",)]


# -- contracts -------------------------------------------------------------------------------------------------


def contracted(sql: str, **types: str) -> Any:
    columns = {name: {"name": name, "data_type": kind} for name, kind in types.items()}
    return model("a", sql, columns=columns, contract={"enforced": True})


def test_a_contract_is_kept(engine: PostgresEngine) -> None:
    result = engine.one(contracted("select 'x'::varchar as name, 1 as id", id="integer", name="text"))
    assert result.status == "success", result.message
    assert engine.query("select * from dev.a") == [(1, "x")]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select 1::bigint as id, 'x' as name", ["| id", "LONGINTEGER", "INTEGER", "data type mismatch"]),
        ("select 1 as id", ["| name", "missing in definition"]),
        ("select 1 as id, 'x' as name, now() as at", ["| at", "DATETIMETZ", "missing in contract"]),
    ],
)
def test_a_broken_contract_is_told(engine: PostgresEngine, sql: str, words: list[str]) -> None:
    result = engine.one(contracted(sql, id="integer", name="text"))
    assert isinstance(result.error, ContractError)
    assert all(word in str(result.message) for word in words), result.message
    assert engine.kinds() == {}


# -- seeds and tests -------------------------------------------------------------------------------------------


def test_a_seed_with_indexes(engine: PostgresEngine, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("id\n1\n")
    node = seed("s", str(tmp_path), indexes=[{"columns": ["id"], "unique": True}])
    for flags in ({}, {}, {"FULL_REFRESH": True}):
        assert engine.one(node, flags=flags).status == "success"
        assert len(engine.query(INDEXES)) == 1


def test_a_seed(engine: PostgresEngine, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text('id,Name,at,paid,yes\n1,"x, y",2024-01-02,1.5,true\n2,,,,\n')
    node = seed("s", str(tmp_path))
    result = engine.one(node)
    assert result.adapter_response == {"_message": "INSERT 2", "code": "INSERT", "rows_affected": 2}
    types = "select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'dev.s'::regclass"
    assert engine.query(types + " and attnum > 0 order by attnum") == [
        ("id", "integer"), ("Name", "text"), ("at", "date"), ("paid", "double precision"), ("yes", "boolean"),
    ]  # fmt: skip
    assert engine.query('select id, "Name", paid, yes from dev.s order by id') == [
        (1, "x, y", 1.5, True), (2, None, None, None),
    ]  # fmt: skip
    (tmp_path / "s.csv").write_text("id,Name,at,paid,yes\nx,,,,\n")
    assert engine.one(node).status == "error"
    assert engine.query("select count(*) from dev.s") == [(2,)]


@pytest.mark.parametrize(("sql", "status"), [("select 1 where false", "pass"), ("select 1", "fail")])
def test_a_test(engine: PostgresEngine, sql: str, status: str) -> None:
    assert engine.one(check("t", sql, ())).status == status


def test_stored_failures(engine: PostgresEngine) -> None:
    engine.one(check("t", "select 7 as n", ()), store_failures=True)
    assert engine.query("select n from dev_dbt_test__audit.t") == [(7,)]
    engine.do("drop schema dev_dbt_test__audit cascade")


# -- concurrency -----------------------------------------------------------------------------------------------


def test_many_threads_replace_many_relations(engine: PostgresEngine) -> None:
    """Tables with views upon them, from eight threads, again and again: nobody waits for ever."""
    nodes = [model(f"t{i}", f"select {i} as n") for i in range(12)]
    nodes += [
        model(f"v{i}", f"select * from dev.t{i} union all select * from dev.t{(i + 1) % 12}", "view",
              needs=(f"t{i}", f"t{(i + 1) % 12}"))
        for i in range(12)
    ]  # fmt: skip
    nodes += [
        model(f"w{i}", f"select * from dev.v{i}, dev.v{11 - i} as x(m)", "view", needs=(f"v{i}", f"v{11 - i}"))
        for i in range(12)
    ]
    for _ in range(10):
        assert [r.message for r in engine.run(*nodes, threads=8) if r.status != "success"] == []


def test_views_on_the_same_tables_do_not_make_threads_wait_for_each_other(engine: PostgresEngine) -> None:
    """Dropping a table locks the views upon it; two threads that lock the same ones in different orders would be stuck."""
    draw = random.Random(1)
    tables = [f"t{i}" for i in range(8)]
    for _ in range(8):
        draw.shuffle(tables)
        nodes = [model(name, f"select 1 as a{name}, 2 as b{name}") for name in tables]
        for number in range(10):
            below = draw.sample(tables, 5)
            columns = ", ".join(f"{name}.{draw.choice('ab')}{name}" for name in below)
            froms = ", ".join(f"dev.{name}" for name in below)
            nodes.append(model(f"v{number}", f"select {columns} from {froms}", "view", needs=tuple(below)))
        assert [r.message for r in engine.run(*nodes, threads=8) if r.status != "success"] == []


def test_a_killed_backend_fails_one_node_only(engine: PostgresEngine) -> None:
    engine.run(model("a", "select 'old' as n"), model("b", "select 'old' as n"))
    slow = model("a", "select 'new'::text as n, pg_sleep(20)::text as s")
    nodes = [slow, *(model(f"b{i}", "select 'new' as n") for i in range(4)), model("c", "select 1 as n", needs=("a",))]

    def kill() -> None:
        asked = (
            "select pg_terminate_backend(pid) from pg_stat_activity where state = 'active' and query like '%sleep(20)%'"
        )
        for _ in range(500):
            if engine.query(asked + " and pid <> pg_backend_pid()"):
                return
            time.sleep(0.01)

    thread = threading.Thread(target=kill)
    thread.start()
    results = {result.unique_id.rpartition(".")[2]: result for result in engine.run(*nodes, threads=1)}
    thread.join()

    assert isinstance(results["a"].error, ConnectionFailed)
    assert {name: result.status for name, result in results.items()} == {
        "a": "error", "c": "skipped", **{f"b{i}": "success" for i in range(4)},
    }  # fmt: skip
    assert engine.query("select n from dev.a") == [("old",)]
    assert isinstance(results["a"].error, ExecutionError)
