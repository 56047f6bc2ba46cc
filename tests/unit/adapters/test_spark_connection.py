"""Connections, on a real Spark in this process."""

from __future__ import annotations

import datetime
import os
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from support import spark

from understudy.adapters.registry import open_adapter
from understudy.adapters.spark.adapter import SparkAdapter
from understudy.adapters.spark.connection import SparkConnection
from understudy.adapters.spark.java import wrapped
from understudy.adapters.spark.profile import Profile
from understudy.adapters.spark.session import open_client
from understudy.core.relation import Relation, SchemaName
from understudy.core.statement import ColumnType, Load, Statement
from understudy.errors import Cancelled, ConnectionFailed, DatabaseError
from understudy.sql.dialect import dialect

DEV = SchemaName(None, "dev")


@pytest.fixture
def adapter() -> Iterator[SparkAdapter]:
    spark.session()
    spark.emptied()
    spark.sql("create schema dev")
    opened = open_adapter(spark.target(), ".")
    assert isinstance(opened, SparkAdapter)
    yield opened
    opened.close()


@pytest.fixture
def connection(adapter: SparkAdapter) -> SparkConnection:
    return adapter.connect()


def named(name: str) -> Relation:
    return dialect("spark").relation(None, "dev", name)


def ask(connection: SparkConnection, sql: str) -> list[tuple[object, ...]]:
    return list(connection.execute(Statement(sql, fetch=True)).rows)


def test_names_are_quoted_where_they_must_be() -> None:
    assert named("a").render() == "dev.a"
    assert named("a b`c").render() == "dev.`a b``c`"


def test_values_and_types(connection: SparkConnection) -> None:
    result = connection.execute(
        Statement("select 1 as id, 'x' as name, 1.50 as price, date'2024-01-02' as day, null as nothing", fetch=True)
    )
    assert result.columns == ("id", "name", "price", "day", "nothing")
    assert result.types == ("int", "string", "decimal(3,2)", "date", "void")
    assert result.rows == [(1, "x", Decimal("1.50"), datetime.date(2024, 1, 2), None)]


def test_statements_go_one_by_one_and_the_last_one_answers(connection: SparkConnection) -> None:
    sql = "create table dev.a as select ';' as x; -- a; comment\n insert into dev.a values ('it\\'s;'); select count(*) from dev.a;"
    assert ask(connection, sql) == [(2,)]


def test_a_query_without_fetch_runs(connection: SparkConnection) -> None:
    with pytest.raises(DatabaseError, match="my words"):
        connection.execute(Statement("/* a hook */ select raise_error('my words')"))


def test_relations_and_their_types(connection: SparkConnection) -> None:
    connection.execute(
        Statement(
            "create table dev.a (id int) comment 'Type: VIEW'; create view dev.v as select * from dev.a; "
            "create temporary view t as select 1 as id"
        )
    )
    listing = connection.relations([DEV, SchemaName(None, "missing"), SchemaName("nowhere", "dev"), DEV])
    found = listing[DEV]
    assert not isinstance(found, DatabaseError)
    assert {(each.identifier, each.type) for each in found} == {("a", "table"), ("v", "view")}
    assert list(listing[SchemaName(None, "missing")]) == []  # type: ignore[arg-type]
    assert isinstance(listing[SchemaName("nowhere", "dev")], DatabaseError)
    connection.execute(Statement("drop view t"))


def test_a_relation_that_cannot_be_read_hides_no_other(
    connection: SparkConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with Iceberg on older Sparks: no details for a whole catalog."""
    connection.execute(Statement("create table dev.a (id int); create view dev.v as select * from dev.a"))
    monkeypatch.setattr(
        "understudy.adapters.spark.connection.SQL.list_relations", lambda schema: "select raise_error('not for v2')"
    )
    found = connection.relations([DEV])[DEV]
    assert not isinstance(found, DatabaseError)
    assert {(each.identifier, each.type) for each in found} == {("a", "table"), ("v", "view")}


def test_columns(connection: SparkConnection) -> None:
    connection.execute(
        Statement("create table dev.a (id bigint, `Na me` varchar(10), p int) using parquet partitioned by (p)")
    )
    assert connection.columns(named("a")) == (
        ColumnType("id", "bigint"), ColumnType("Na me", "varchar(10)"), ColumnType("p", "int")
    )  # fmt: skip
    assert connection.columns(named("missing")) == ()


def test_schemas(connection: SparkConnection) -> None:
    assert set(connection.schemas(None)) == {"default", "dev"}
    assert set(connection.schemas("spark_catalog")) == {"default", "dev"}


def test_a_file_is_loaded(connection: SparkConnection, tmp_path: Path) -> None:
    types = "id bigint, name string, price decimal(10,2), day date, seen timestamp, ok boolean"
    connection.execute(Statement(f"create table dev.s ({types})"))
    lines = [
        "id,name,price,day,seen,ok",
        '1,"it\'s ""a\\b""; -- no\n☃",1.5,2024-01-02,2024-01-02 03:04:05,true',
        "",
        "2.0,NULL,,,,FALSE",
        "3",
    ]
    (tmp_path / "s.csv").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    columns = ("id", "name", "price", "day", "seen", "ok")
    assert connection.load(Load(named("s"), str(tmp_path / "s.csv"), columns)).rows_affected == 3
    assert ask(connection, "select * from dev.s order by id") == [
        (1, 'it\'s "a\\b"; -- no\n☃', Decimal("1.50"), datetime.date(2024, 1, 2), datetime.datetime(2024, 1, 2, 3, 4, 5), True),
        (2, None, None, None, None, False),
        (3, None, None, None, None, None),
    ]  # fmt: skip


def test_a_value_of_another_type_is_refused(connection: SparkConnection, tmp_path: Path) -> None:
    connection.execute(Statement("create table dev.s (id int)"))
    (tmp_path / "s.csv").write_text("id\nx\n")
    with pytest.raises(DatabaseError, match="CAST_INVALID_INPUT"):
        connection.load(Load(named("s"), str(tmp_path / "s.csv"), ("id",)))
    with pytest.raises(DatabaseError, match=r"missing\.csv cannot be loaded"):
        connection.load(Load(named("s"), str(tmp_path / "missing.csv"), ("id",)))


def test_one_connection_is_cancelled_and_the_other_goes_on(adapter: SparkAdapter) -> None:
    first, second = adapter.connect(), adapter.connect()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            ask(first, "select count(*) from range(10000000) a cross join range(10000000) b")
        except Cancelled as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 30
    while not spark.session().sparkContext.statusTracker().getActiveJobsIds():
        assert time.monotonic() < deadline, "the statement did not start"
        time.sleep(0.05)
    first.cancel()
    thread.join(30)
    assert [type(error) for error in errors] == [Cancelled]
    assert ask(second, "select 1") == [(1,)]
    with pytest.raises(Cancelled):
        ask(first, "select 1")
    first.rollback()
    assert ask(first, "select 1") == [(1,)]


def test_there_are_no_transactions(adapter: SparkAdapter) -> None:
    connection = adapter.connect()
    connection.begin()
    assert not connection.in_transaction
    connection.commit()
    assert not adapter.capabilities.transactions
    assert connection.denied([named("a")]) == {}
    connection.close()


def test_a_spark_that_others_started_goes_on(adapter: SparkAdapter) -> None:
    adapter.connect()
    adapter.close()
    assert spark.sql("select 1") == [(1,)]


def test_settings_of_the_profile(adapter: SparkAdapter) -> None:
    assert ask(adapter.connect(), "set spark.sql.shuffle.partitions")[0][1] == "2"


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("grpc", reason="the client of Spark Connect is an extra of PySpark")
    monkeypatch.delenv("SPARK_CONNECT_MODE_ENABLED", raising=False)
    profile = Profile("connect", remote="sc://127.0.0.1:1/;token=s3cret;use_ssl=false")
    with pytest.raises(ConnectionFailed) as caught:
        open_client(profile)
    assert "127.0.0.1:1" in caught.value.message
    assert "s3cret" not in caught.value.message
    assert "SPARK_CONNECT_MODE_ENABLED" not in os.environ, "the process must stay able to start a Spark of its own"


def test_the_option_that_a_small_java_does_not_know(tmp_path: Path) -> None:
    import subprocess

    home = tmp_path / "java home"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").write_text('#!/bin/sh\nfor word do echo "<$word>"; done\n')
    (home / "bin" / "java").chmod(0o755)
    (tmp_path / "w").mkdir()
    program = wrapped(home, tmp_path / "w") / "bin" / "java"
    arguments = ["-a b", "--add-modules=jdk.incubator.vector", "", "$c"]
    said = subprocess.run([program, *arguments], capture_output=True, text=True, check=True)
    assert said.stdout.split("\n")[:-1] == ["<-a b>", "<>", "<$c>"]
