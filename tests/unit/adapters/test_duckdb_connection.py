"""DuckDB for real: statements, listings, transactions, interruption, locks."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from understudy.adapters.duckdb.adapter import DuckDBAdapter
from understudy.adapters.duckdb.connection import DuckDBConnection
from understudy.adapters.duckdb.profile import Profile, read_profile
from understudy.adapters.registry import open_adapter
from understudy.core.project import Target
from understudy.core.relation import Relation, SchemaName
from understudy.core.statement import ColumnType, Load, Statement
from understudy.errors import (
    Cancelled,
    ConnectionFailed,
    DatabaseError,
    DatabaseLocked,
    PermissionDenied,
    ProfileError,
)


@pytest.fixture
def adapter() -> DuckDBAdapter:
    return DuckDBAdapter(Profile(), "")


@pytest.fixture
def connection(adapter: DuckDBAdapter) -> DuckDBConnection:
    return adapter.connect()


def do(connection: DuckDBConnection, sql: str) -> list[tuple[object, ...]]:
    return list(connection.execute(Statement(sql, fetch=True)).rows)


def test_rows_columns_and_types(connection: DuckDBConnection) -> None:
    result = connection.execute(Statement("select 1 as a, 'x' as b", fetch=True))
    assert (result.columns, result.types, result.rows) == (("a", "b"), ("INTEGER", "VARCHAR"), [(1, "x")])


def test_rows_are_counted(connection: DuckDBConnection) -> None:
    result = connection.execute(Statement("create table t as select * from range(5)"))
    assert result.adapter_response() == {"_message": "OK", "rows_affected": 5}
    assert connection.execute(Statement("delete from t; insert into t select 1")).rows_affected == 1
    assert connection.execute(Statement("create view v as select 1 as a")).adapter_response() == {"_message": "OK"}


def test_one_query_lists_many_schemas(connection: DuckDBConnection) -> None:
    do(connection, "create schema Dev; create table dev.A as select 1 as x; create view dev.v as select 1 as x")
    do(connection, "create temporary table mine as select 1 as x")
    dev, main, none = (SchemaName("MEMORY", name) for name in ("DEV", "main", "nowhere"))
    gone = SchemaName("other", "dev")

    found = connection.relations([dev, main, none, gone, SchemaName(None, "dev")])

    listed = found[dev]
    assert not isinstance(listed, DatabaseError)
    assert [(r.identifier, r.type) for r in sorted(listed, key=str)] == [("A", "table"), ("v", "view")]
    assert (found[main], found[none]) == ([], [])
    assert found[SchemaName(None, "dev")] == listed
    assert isinstance(found[gone], DatabaseError)
    assert "not attached" in str(found[gone])
    assert connection.relations([]) == {}


def test_names_of_schemas_are_no_sql(connection: DuckDBConnection) -> None:
    name = SchemaName("memory", "x'; drop schema main; --")
    assert connection.relations([name]) == {name: []}


def test_columns(connection: DuckDBConnection) -> None:
    do(connection, 'create table "Odd ""t""" as select 1 as a, 1.5 as "B b"')
    relation = Relation("memory", "main", 'Odd "t"')
    assert connection.columns(relation) == (ColumnType("a", "INTEGER"), ColumnType("B b", "DECIMAL(2,1)"))
    assert connection.columns(Relation("memory", "main", "missing")) == ()


def test_schemas(connection: DuckDBConnection) -> None:
    do(connection, "create schema dev")
    assert "dev" in connection.schemas("Memory")
    assert connection.schemas(None) == connection.schemas("memory")


def test_a_file_is_loaded(connection: DuckDBConnection, tmp_path: Path) -> None:
    path = tmp_path / "it's.csv"
    path.write_text("a|b\n1|x\n2|\n")
    do(connection, "create table t (a integer, b text)")
    assert connection.load(Load(Relation("memory", "main", "t"), str(path), ("a", "b"), "|")).rows_affected == 2
    assert do(connection, "select * from t order by 1") == [(1, "x"), (2, None)]


def test_transactions(connection: DuckDBConnection) -> None:
    connection.rollback()
    connection.commit()
    connection.begin()
    connection.begin()
    do(connection, "create table t as select 1 as a")
    connection.rollback()
    assert connection.columns(Relation("memory", "main", "t")) == ()
    connection.begin()
    with pytest.raises(DatabaseError):
        do(connection, "select * from missing")
    connection.rollback()
    assert do(connection, "select 1") == [(1,)]
    assert not connection.in_transaction


def test_a_running_statement_is_interrupted(connection: DuckDBConnection) -> None:
    timer = threading.Timer(0.3, connection.cancel)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        do(connection, "select count(*) from range(1000000) a, range(1000000) b where a.range * b.range % 7 = 3")
    assert time.monotonic() - began < 20
    assert do(connection, "select 1") == [(1,)]


def test_connections_share_the_database_and_have_their_own_settings(tmp_path: Path) -> None:
    adapter = DuckDBAdapter(Profile(str(tmp_path / "a.duckdb"), settings={"TimeZone": "Europe/Rome"}), str(tmp_path))
    one, two = adapter.connect(), adapter.connect()
    do(one, "create table t as select 1 as a")
    assert do(two, "select a from t") == [(1,)]
    assert do(two, "select current_setting('TimeZone')") == [("Europe/Rome",)]
    adapter.close()
    assert do(adapter.connect(), "select a from t") == [(1,)]


def test_attached_databases_and_files_beside_the_project(tmp_path: Path) -> None:
    production = DuckDBAdapter(Profile(str(tmp_path / "prod.duckdb")), str(tmp_path))
    do(production.connect(), "create table t as select 1 as a")
    production.close()
    (tmp_path / "raw.csv").write_text("a\n5\n")
    entry = {"path": "prod.duckdb", "alias": "old one", "read_only": True}
    connection = DuckDBAdapter(Profile(str(tmp_path / "dev.duckdb"), attach=[entry]), str(tmp_path)).connect()

    assert do(connection, 'select a from "old one".t') == [(1,)]
    assert do(connection, "select a from 'raw.csv'") == [(5,)]
    with pytest.raises(PermissionDenied):
        do(connection, 'create table "old one".u as select 1 as a')
    listed = connection.relations([SchemaName("old one", "main")])[SchemaName("old one", "main")]
    assert not isinstance(listed, DatabaseError)
    assert [relation.identifier for relation in listed] == ["t"]


def test_a_locked_file_names_who_holds_it(tmp_path: Path) -> None:
    path = str(tmp_path / "a.duckdb")
    program = f"import duckdb, sys; c = duckdb.connect({path!r}); print('open', flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdin is not None
    try:
        other.stdout.readline()
        began = time.monotonic()
        with pytest.raises(DatabaseLocked, match=f"process {other.pid}"):
            DuckDBAdapter(Profile(path, retries={"connect_attempts": 1}), "").connect()
        assert 0.5 < time.monotonic() - began < 10
        waiting = threading.Timer(0.5, other.stdin.close)
        waiting.start()
        assert do(DuckDBAdapter(Profile(path), "").connect(), "select 1") == [(1,)]
    finally:
        other.stdin.close()
        other.wait()
        other.stdout.close()


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    nowhere = {"custom_extension_repository": str(tmp_path), "extension_directory": str(tmp_path)}
    (tmp_path / "no.duckdb").write_text("this is no database, it is a text that is longer than a header " * 99)
    with pytest.raises(ConnectionFailed, match=r"no\.duckdb"):
        DuckDBAdapter(Profile(str(tmp_path / "no.duckdb")), "").connect()
    with pytest.raises(ConnectionFailed):
        DuckDBAdapter(Profile(str(tmp_path / "missing" / "a.duckdb")), "").connect()
    with pytest.raises(ConnectionFailed, match=r"cannot attach '.*no\.duckdb'"):
        DuckDBAdapter(Profile(attach=[{"path": str(tmp_path / "no.duckdb")}]), "").connect()
    with pytest.raises(ConnectionFailed, match="cannot load the extension 'no_such'"):
        DuckDBAdapter(Profile(extensions=("no_such",), config_options=nowhere), "").connect()
    with pytest.raises(ConnectionFailed, match="cannot create the profile's secrets"):
        DuckDBAdapter(Profile(secrets=[{"type": "no_such", "name": "mine"}], config_options=nowhere), "").connect()
    with pytest.raises(ProfileError, match="setting"):
        DuckDBAdapter(Profile(settings={"no_such_setting": 1}), "").connect()
    with pytest.raises(ConnectionFailed):
        DuckDBAdapter(Profile(config_options={"no_such_option": 1}), "").connect()


def test_an_installed_extension_is_loaded() -> None:
    with_it = DuckDBAdapter(Profile(extensions=("json",)), "").connect()
    assert do(with_it, "select json_valid('{}')") == [(True,)]


def test_secrets_are_created() -> None:
    secret = {"type": "http", "name": "mine", "bearer_token": "it's", "scope": ["https://a", "https://b"]}
    connection = DuckDBAdapter(Profile(secrets=[secret]), "").connect()
    assert do(connection, "select name, scope from duckdb_secrets()") == [("mine", ["https://a", "https://b"])]


def test_an_adapter_from_a_target(tmp_path: Path) -> None:
    target = Target("p", "dev", "duckdb", "a", "dev", 1, {"type": "duckdb", "path": "a.duckdb", "threads": 4})
    adapter = open_adapter(target, str(tmp_path))
    assert adapter.dialect.name == "duckdb"
    adapter.connect().close()
    assert (tmp_path / "a.duckdb").exists()
    with pytest.raises(ProfileError, match="Did you mean 'duckdb'"):
        open_adapter(Target("p", "dev", "duckbd", "a", "dev", 1, {}), "")


def test_transactions_can_be_turned_off() -> None:
    assert DuckDBAdapter(Profile(), "").capabilities.transactions
    profile = read_profile({"type": "duckdb", "disable_transactions": True}, "")
    assert not DuckDBAdapter(profile, "").capabilities.transactions
