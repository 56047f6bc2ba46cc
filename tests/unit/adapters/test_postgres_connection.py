"""A session of PostgreSQL, on a real server: what it lists, loads, undoes, and what it does when it is interrupted."""

from __future__ import annotations

import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from support import postgres

from understudy.adapters import registry
from understudy.adapters.postgres.adapter import open_adapter
from understudy.adapters.postgres.connection import PostgresConnection
from understudy.core.project import Target
from understudy.core.relation import Relation, SchemaName
from understudy.core.statement import ColumnType, Load, Statement
from understudy.errors import Cancelled, ConnectionFailed, DatabaseError, PermissionDenied, ProfileError
from understudy.sql.dialect import dialect

PG = dialect("postgres")
DEV = SchemaName("adapter_tests", "dev")


@pytest.fixture(scope="module")
def own_database(postgres_server: Any) -> Iterator[Any]:
    """A database for this module, with a schema."""
    with postgres.database(postgres_server, "adapter_tests"):
        yield postgres_server


@pytest.fixture
def admin(own_database: Any) -> Callable[[str], list[tuple[Any, ...]]]:
    """A way to the server past the code under test; `dev` is empty before each test."""

    def run(text: str) -> list[tuple[Any, ...]]:
        return postgres.sql(own_database, text, database="adapter_tests")

    run("drop schema if exists dev cascade; create schema dev")
    return run


@pytest.fixture
def connect(own_database: Any) -> Iterator[Callable[..., PostgresConnection]]:
    """Open sessions; they are closed in the end."""
    with ExitStack() as opened:

        def open_(**fields: Any) -> PostgresConnection:
            target = postgres.target(own_database, database="adapter_tests", **fields)
            adapter = opened.enter_context(closing(open_adapter(target, "")))
            return opened.enter_context(closing(adapter.connect()))

        yield open_


@pytest.fixture
def connection(connect: Callable[..., PostgresConnection], admin: Any) -> PostgresConnection:
    return connect()


def relation(name: str, schema: str = "dev") -> Relation:
    return PG.relation("adapter_tests", schema, name)


def names(listed: Any) -> dict[str, str]:
    assert not isinstance(listed, DatabaseError), listed
    return {item.identifier: item.type for item in listed}


# -- statements ------------------------------------------------------------------------------------------------


def test_the_last_statement_answers(connection: PostgresConnection) -> None:
    result = connection.execute(Statement("create table dev.t as select 1 a; select 5 x, 'ü%s' y", fetch=True))
    assert (result.columns, list(result.rows)) == (("x", "y"), [(5, "ü%s")])
    assert result.types == ("INTEGER", "TEXT")


def test_the_answer_is_written_down_as_dbt_does(connection: PostgresConnection) -> None:
    created = connection.execute(Statement("create table dev.t as select generate_series(1, 31) a"))
    assert created.adapter_response() == {"_message": "SELECT 31", "code": "SELECT", "rows_affected": 31}
    viewed = connection.execute(Statement("create view dev.v as select 1 a"))
    assert viewed.adapter_response() == {"_message": "CREATE VIEW", "code": "CREATE VIEW", "rows_affected": -1}


def test_an_error_keeps_the_words_of_the_server(connection: PostgresConnection) -> None:
    with pytest.raises(DatabaseError, match=r'relation "dev.nowhere" does not exist\nLINE 1') as caught:
        connection.execute(Statement("select * from dev.nowhere"))
    assert caught.value.__cause__ is not None


def test_types_of_a_query_without_rows(connection: PostgresConnection) -> None:
    sql = "select null::varchar(3) a, 1.5::numeric(9,2) b, null::jsonb c, array[1] d, now() e where false"
    assert connection.execute(Statement(sql, fetch=True)).types == (
        "TEXT", "DECIMAL", "JSONB", "INTEGERARRAY", "DATETIMETZ",
    )  # fmt: skip


# -- transactions ----------------------------------------------------------------------------------------------


def test_a_failure_leaves_nothing_behind(connection: PostgresConnection, admin: Any) -> None:
    admin("create table dev.t as select 'old' a")
    connection.begin()
    connection.execute(Statement("create table dev.t__dbt_tmp as select 'new' a"))
    connection.execute(Statement(PG.ddl.drop(relation("t").with_type("table"))))
    with pytest.raises(DatabaseError):
        connection.execute(Statement("select 1/0"))
    assert connection.in_transaction
    connection.rollback()
    assert not connection.in_transaction
    assert admin("select a from dev.t") == [("old",)]
    assert names(connection.relations([DEV])[DEV]) == {"t": "table"}


def test_a_relation_is_swapped_in_one_transaction(connection: PostgresConnection, admin: Any) -> None:
    admin("create view dev.t as select 'old' a")
    new = relation("t__dbt_tmp").with_type("table")
    connection.begin()
    connection.execute(Statement("create table dev.t__dbt_tmp as select 'new' a"))
    connection.execute(Statement(PG.ddl.drop(relation("t").with_type("view"))))
    connection.execute(Statement(PG.ddl.rename(new, "t")))
    assert admin("select relkind from pg_class where relname = 't'") == [("v",)]
    connection.commit()
    assert admin("select a from dev.t") == [("new",)]


def test_a_commit_that_undoes_is_an_error(connection: PostgresConnection) -> None:
    connection.begin()
    with pytest.raises(DatabaseError):
        connection.execute(Statement("select 1/0"))
    with pytest.raises(DatabaseError, match="rolled back"):
        connection.commit()
    connection.begin()
    connection.commit()


def test_without_transactions_each_statement_stands_alone(connect: Any, admin: Any) -> None:
    connection = connect(autocommit=True)
    connection.begin()
    assert not connection.in_transaction
    connection.execute(Statement("create table dev.t as select 1 a"))
    connection.rollback()
    assert admin("select count(*) from dev.t") == [(1,)]


def test_what_allows_no_transaction_runs_outside_of_one(connection: PostgresConnection, admin: Any) -> None:
    admin("create table dev.t as select 1 a")
    connection.execute(Statement("vacuum dev.t", purpose="hook", in_transaction=False))
    connection.begin()
    with pytest.raises(DatabaseError, match="VACUUM cannot run inside a transaction block"):
        connection.execute(Statement("vacuum dev.t"))


# -- listing ---------------------------------------------------------------------------------------------------


def test_every_kind_is_listed_in_one_query(
    connection: PostgresConnection, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin(
        'create table dev.t (a int); create view dev.v as select 1 a; create materialized view dev."m V" as select 1 a;'
        "create table dev.p (a int) partition by range (a); create sequence dev.s; create unlogged table dev.u (a int)"
    )
    missing, other = SchemaName("adapter_tests", "nowhere"), SchemaName("ADAPTER_tests", "public")
    sent: list[str] = []
    answer = connection._answer
    monkeypatch.setattr(connection, "_answer", lambda sql, fetch: (sent.append(sql), answer(sql, fetch))[1])
    listing = connection.relations([DEV, missing, other, DEV])
    assert len(sent) == 1
    assert names(listing[DEV]) == {"t": "table", "v": "view", "m V": "materialized_view", "p": "table", "u": "table"}
    assert (list(listing[missing]), list(listing[other])) == ([], [])


def test_another_database_cannot_be_listed(connection: PostgresConnection) -> None:
    name = SchemaName("elsewhere", "prod")
    error = connection.relations([name, DEV])[name]
    assert isinstance(error, DatabaseError)
    assert "cannot read another database: 'elsewhere'" in error.message
    assert names(connection.relations([name, DEV])[DEV]) == {}


def test_reading_another_database_is_explained(connection: PostgresConnection) -> None:
    with pytest.raises(DatabaseError) as caught:
        connection.execute(Statement('select * from "elsewhere"."prod"."t"'))
    assert "cannot read another database" in (caught.value.hint or "")


def test_schemas_are_found_under_the_folded_name_too(connection: PostgresConnection, admin: Any) -> None:
    admin("create table dev.t (a int)")
    upper = SchemaName("adapter_tests", "DEV")
    found = connection.relations([upper])[upper]
    assert not isinstance(found, DatabaseError)
    wanted = PG.relation("adapter_tests", "DEV", "t", {"schema": False})
    assert PG.key(wanted) in {PG.key(item) for item in found}
    assert PG.key(PG.relation("adapter_tests", "DEV", "t")) not in {PG.key(item) for item in found}


def test_odd_names(connection: PostgresConnection, admin: Any) -> None:
    odd = relation("a \"b\" 'c' ü.%s")
    connection.execute(Statement(f"create table {odd.render()} as select 1 a"))
    assert names(connection.relations([DEV])[DEV]) == {odd.identifier: "table"}
    assert connection.columns(odd) == (ColumnType("a", "integer"),)


def test_columns_have_their_full_types(connection: PostgresConnection, admin: Any) -> None:
    admin("create view dev.v as select 'a'::varchar(3) \"A b\", 1::numeric(9,2) n, array['x'] t, now()::timestamp ts")
    assert connection.columns(relation("v")) == (
        ColumnType("A b", "character varying(3)"),
        ColumnType("n", "numeric(9,2)"),
        ColumnType("t", "text[]"),
        ColumnType("ts", "timestamp without time zone"),
    )
    assert connection.columns(relation("nowhere")) == ()
    connection.execute(Statement('create temporary table "Waiting" as select 1 a'))
    assert connection.columns(PG.relation(None, None, "Waiting")) == (ColumnType("a", "integer"),)


def test_schemas(connection: PostgresConnection) -> None:
    assert "dev" in connection.schemas("adapter_tests")
    with pytest.raises(DatabaseError, match="another database"):
        connection.schemas("elsewhere")


# -- rights ----------------------------------------------------------------------------------------------------


@pytest.fixture
def reader(admin: Any, connect: Any) -> Iterator[PostgresConnection]:
    """A role that may read `dev` in part, and `closed` not at all."""
    admin(
        "drop schema if exists closed cascade; create schema closed; create table closed.t as select 1 a;"
        "create table dev.open as select 1 a; create table dev.shut as select 1 a; create table dev.half (a int, b int);"
        "create role reader login password 'r'; grant usage on schema dev to reader;"
        "grant select on dev.open to reader; grant select (a) on dev.half to reader"
    )
    yield connect(user="reader", password="r")
    admin("drop schema closed cascade; drop owned by reader; drop role reader")


def test_a_schema_without_usage_is_no_empty_schema(reader: PostgresConnection) -> None:
    closed = SchemaName("adapter_tests", "closed")
    listing = reader.relations([closed, DEV])
    error = listing[closed]
    assert isinstance(error, PermissionDenied)
    assert error.message == "permission denied for schema closed"
    assert error.hint == "Ask its owner to: grant usage on schema closed to reader"
    assert set(names(listing[DEV])) == {"open", "shut", "half"}


def test_what_may_not_be_read_is_known_before(reader: PostgresConnection) -> None:
    asked = [relation(name) for name in ("open", "shut", "half", "nowhere")] + [relation("t", "closed")]
    denied = reader.denied(asked)
    assert set(denied) == {relation("shut"), relation("t", "closed")}
    assert 'grant select on "adapter_tests"."dev"."shut" to reader' in (denied[relation("shut")].hint or "")
    with pytest.raises(PermissionDenied, match="permission denied for table shut"):
        reader.execute(Statement("select * from dev.shut"))


def test_a_role_is_taken(connect: Any, admin: Any) -> None:
    admin('create role "Some Role"; grant usage on schema dev to "Some Role"')
    try:
        connection = connect(role="Some Role")
        assert connection.execute(Statement("select current_role", fetch=True)).rows == [("Some Role",)]
    finally:
        connection.close()
        admin('drop owned by "Some Role"; drop role "Some Role"')
    with pytest.raises(ConnectionFailed, match=r"role 'nobody_of_that_name' as .* does not exist"):
        connect(role="nobody_of_that_name")


# -- seeds -----------------------------------------------------------------------------------------------------


def test_a_file_is_loaded(connection: PostgresConnection, admin: Any, tmp_path: Path) -> None:
    admin("create table dev.seed (id int, name text, day date)")
    text = '\ufeffid;name;day\r\n1;"a;\t\\ ""x""\r\nnext";2026-01-02\r\n2;;null\r\n\r\n3;NULL\r\n4; spaced ;\r\n'
    file = tmp_path / "seed.csv"
    file.write_text(text, encoding="utf-8", newline="")
    result = connection.load(Load(relation("seed"), str(file), ("id", "name", "day"), ";"))
    assert result.rows_affected == 4
    assert admin("select id, name, day::text from dev.seed order by id") == [
        (1, 'a;\t\\ "x"\r\nnext', "2026-01-02"), (2, None, None), (3, None, None), (4, " spaced ", None),
    ]  # fmt: skip


def test_a_file_of_many_rows_is_sent_in_parts(connection: PostgresConnection, admin: Any, tmp_path: Path) -> None:
    admin("create table dev.seed (id int, name text)")
    file = tmp_path / "seed.csv"
    file.write_text("id,name\n" + "".join(f"{i},name {i}\n" for i in range(5001)))
    assert connection.load(Load(relation("seed"), str(file), ("id", "name"))).rows_affected == 5001
    assert admin("select count(distinct name), max(id) from dev.seed") == [(5001, 5000)]


def test_a_wrong_value_names_its_line_and_leaves_nothing(
    connection: PostgresConnection, admin: Any, tmp_path: Path
) -> None:
    admin("create table dev.seed (id int)")
    file = tmp_path / "seed.csv"
    file.write_text("id\n1\nx\n")
    with pytest.raises(DatabaseError, match=r'(?s)invalid input syntax for type integer: "x".*line 2, column id'):
        connection.load(Load(relation("seed"), str(file), ("id",)))
    assert admin("select count(*) from dev.seed") == [(0,)]
    with pytest.raises(DatabaseError, match=r"nowhere\.csv cannot be loaded"):
        connection.load(Load(relation("seed"), str(tmp_path / "nowhere.csv"), ("id",)))
    assert connection.execute(Statement("select 1", fetch=True)).rows == [(1,)]


# -- interruptions ---------------------------------------------------------------------------------------------


def later(action: Callable[[], object], admin: Any, sleeping: str) -> threading.Thread:
    """Do something as soon as the server runs a statement with that text."""

    def wait() -> None:
        text = f"select 1 from pg_stat_activity where query like '%{sleeping}%' and pid <> pg_backend_pid()"
        for _ in range(500):
            if admin(text + " and state = 'active'"):
                break
            time.sleep(0.01)
        action()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_running_statement_is_cancelled(connection: PostgresConnection, admin: Any) -> None:
    connection.begin()
    connection.execute(Statement("create table dev.half_done as select 1 a"))
    thread = later(connection.cancel, admin, "pg_sleep(31)")
    started = time.monotonic()
    with pytest.raises(Cancelled):
        connection.execute(Statement("select pg_sleep(31)"))
    thread.join()
    assert time.monotonic() - started < 20
    with pytest.raises(Cancelled):
        connection.execute(Statement("select 1"))
    connection.rollback()
    assert names(connection.relations([DEV])[DEV]) == {}


def test_a_statement_that_the_server_ends_is_not_our_cancellation(connection: PostgresConnection) -> None:
    with pytest.raises(DatabaseError, match="statement timeout") as caught:
        connection.execute(Statement("set statement_timeout = 50; select pg_sleep(32)"))
    assert not isinstance(caught.value, Cancelled)
    assert "statement_timeout" in (caught.value.hint or "")


def kill(admin: Any) -> None:
    assert admin(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = 'adapter_tests' and pid <> pg_backend_pid() and backend_type = 'client backend'"
    )


def test_a_killed_session_loses_its_transaction_and_goes_on_with_the_next(
    connection: PostgresConnection, admin: Any
) -> None:
    admin("create table dev.t as select 'old' a")
    connection.begin()
    connection.execute(Statement("drop table dev.t"))
    connection.execute(Statement("create table dev.t as select 'new' a"))
    thread = later(lambda: kill(admin), admin, "pg_sleep(33)")
    with pytest.raises(ConnectionFailed):
        connection.execute(Statement("select pg_sleep(33)"))
    thread.join()
    with pytest.raises(ConnectionFailed):  # the transaction is lost: nothing may go on as if it were not
        connection.execute(Statement("select 1"))
    connection.rollback()
    assert admin("select a from dev.t") == [("old",)]
    connection.begin()
    connection.execute(Statement("update dev.t set a = 'next'"))
    connection.commit()
    assert admin("select a from dev.t") == [("next",)]


def farewell(connection: PostgresConnection) -> None:
    """Wait until the session's socket tells that the server has ended it."""
    assert select.select([connection._session.fileno()], [], [], 20)[0]


def queries(connection: PostgresConnection, work: Callable[[], object], folder: Path) -> list[str]:
    """The queries that the driver sends meanwhile, each a journey to the server and back."""
    file = folder / "trace"
    with file.open("w") as trace:
        connection._session.pgconn.trace(trace.fileno())
        work()
        connection._session.pgconn.untrace()
    lines = [line.split("\t") for line in file.read_text().splitlines()]
    return [line[-1].split('"')[1] for line in lines if line[1] == "F" and "Query" in line[3:][0]]


def test_what_nobody_waits_for_travels_with_the_next_statement(connection: PostgresConnection, tmp_path: Path) -> None:
    def swap() -> None:
        connection.begin()
        connection.execute(Statement("create table dev.t__new as select 1 as a", purpose="main"))
        connection.execute(Statement("drop table if exists dev.t", purpose="drop"))
        connection.execute(Statement("alter table dev.t__new rename to t;", purpose="rename"))
        connection.commit()

    assert queries(connection, swap, tmp_path) == [
        "begin; create table dev.t__new as select 1 as a",
        "drop table if exists dev.t; alter table dev.t__new rename to t; commit",
    ]
    assert connection.columns(PG.relation(None, "dev", "t")) == (ColumnType("a", "integer"),)
    assert queries(connection, lambda: (connection.begin(), connection.commit()), tmp_path) == []
    assert queries(connection, lambda: (connection.begin(), connection.rollback()), tmp_path) == []


def test_what_waits_is_done_before_anybody_looks(connection: PostgresConnection, tmp_path: Path, admin: Any) -> None:
    admin("create table dev.t (a int); create table dev.s (a text)")
    connection.begin()
    connection.execute(Statement("alter table dev.t rename to u", purpose="rename"))
    assert connection.columns(PG.relation(None, "dev", "t")) == ()
    connection.execute(Statement("alter table dev.s rename to v", purpose="rename"))
    (tmp_path / "s.csv").write_text("a\nx\n")
    connection.load(Load(PG.relation(None, "dev", "v"), str(tmp_path / "s.csv"), ("a",)))
    connection.execute(Statement("drop table dev.gone", purpose="drop"))
    with pytest.raises(DatabaseError, match="gone"):
        connection.commit()
    connection.rollback()
    assert sorted(names(connection.relations([DEV])[DEV])) == ["s", "t"], "all of it is undone"


def test_an_idle_session_that_was_lost_is_opened_anew(connection: PostgresConnection, admin: Any) -> None:
    kill(admin)
    farewell(connection)
    connection.begin()
    connection.execute(Statement("select 1"))
    connection.rollback()
    kill(admin)
    assert names(connection.relations([DEV])[DEV]) == {}
    kill(admin)
    with pytest.raises(ConnectionFailed):  # a statement with an effect is never sent twice
        connection.execute(Statement("create table dev.t as select 1 a"))
    connection.execute(Statement("create table dev.t as select 1 a"))


# -- connecting ------------------------------------------------------------------------------------------------


def test_settings_of_the_profile_reach_the_server(connect: Any, admin: Any) -> None:
    connection = connect(search_path="dev, public", application_name="nightly", keepalives_idle=30)
    asked = "select current_setting('search_path'), current_setting('application_name')"
    assert connection.execute(Statement(asked, fetch=True)).rows == [("dev, public", "nightly")]


@pytest.mark.skipif(sys.platform != "linux", reason="systems name the option differently")
@pytest.mark.parametrize(
    ("fields", "seconds"), [({"keepalives_idle": 37}, 37), ({"keepalives_idle": 0}, None), ({}, None)]
)
def test_a_silent_session_is_kept_alive(connect: Any, fields: dict[str, int], seconds: int | None) -> None:
    with socket.socket() as untouched:
        systems_own = untouched.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    with socket.fromfd(connect(**fields)._session.fileno(), socket.AF_INET, socket.SOCK_STREAM) as ours:
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == (seconds or systems_own)


def test_a_server_that_says_nothing_is_not_waited_for_ever(connect: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        started = time.monotonic()
        with pytest.raises(ConnectionFailed, match="timeout expired"):
            connect(port=mute.getsockname()[1], connect_timeout=2)
        assert time.monotonic() - started >= 1.5


def test_a_wrong_password_is_told_without_it(connect: Any, admin: Any) -> None:
    with pytest.raises(ConnectionFailed, match="password authentication failed") as caught:
        connect(password="wr0ng-secret", retries=3)
    assert "wr0ng-secret" not in str(caught.value)
    assert "understudy@127.0.0.1" in caught.value.message


def test_connecting_is_tried_again_with_dbts_pauses(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    with pytest.raises(ConnectionFailed):
        connect(port=1, retries=3)
    assert pauses == [1, 4, 9]


def test_a_missing_driver_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "understudy.adapters.postgres.connection")
    fields = {"host": "localhost", "user": "me", "password": "no", "port": 5432, "dbname": "shop", "schema": "dev"}
    adapter = registry.open_adapter(Target("p", "dev", "postgres", "shop", "dev", 1, fields), "")
    with pytest.raises(ProfileError, match="driver of postgres cannot be loaded") as caught:
        adapter.connect()
    assert caught.value.hint == "pip install 'understudy[postgres]'"
