"""Sessions are opened once, and early: what is idle serves the next one, and the first is opened while the project is read."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support import postgres
from support.cli import ok, project, understudy

from understudy.adapters.postgres import connection as module
from understudy.adapters.postgres.adapter import PostgresAdapter, open_adapter
from understudy.adapters.postgres.sessions import Sessions
from understudy.app import load
from understudy.core.relation import SchemaName
from understudy.core.statement import Statement
from understudy.errors import ConnectionFailed

DEV = SchemaName("session_tests", "dev")
LIVE = "select count(*) from pg_stat_activity where datname = 'session_tests' and pid <> pg_backend_pid()"


@pytest.fixture(scope="module")
def own_database(postgres_server: Any) -> Iterator[Any]:
    with postgres.database(postgres_server, "session_tests"):
        yield postgres_server


@pytest.fixture
def adapter(own_database: Any) -> Iterator[PostgresAdapter]:
    with closing(open_adapter(postgres.target(own_database, database="session_tests"), "")) as adapter:
        yield adapter


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads that have opened sessions."""
    threads: list[str] = []
    open_session = module.open_session

    def noted(*args: Any) -> Any:
        threads.append(threading.current_thread().name)
        return open_session(*args)

    monkeypatch.setattr(module, "open_session", noted)
    return threads


def look(adapter: PostgresAdapter) -> None:
    """Ask for what the catalog says."""
    with closing(adapter.connect()) as session:
        session.relations([DEV])
        session.schemas(None)


def test_questions_share_a_session(adapter: PostgresAdapter, opened: list[str]) -> None:
    look(adapter)
    look(adapter)
    with closing(adapter.connect()) as session:
        session.execute(Statement("select 1"))
    assert len(opened) == 1


def test_a_session_that_was_used_is_not_given_to_others(adapter: PostgresAdapter, opened: list[str]) -> None:
    for use in (
        lambda session: session.execute(Statement("set search_path to nowhere")),
        lambda session: (session.begin(), session.commit()),
        lambda session: session.cancel(),
    ):
        with closing(adapter.connect()) as session:
            use(session)
    assert len(opened) == 3


def test_at_the_same_time_everybody_has_an_own_one(adapter: PostgresAdapter, opened: list[str]) -> None:
    with closing(adapter.connect()) as one, closing(adapter.connect()) as other:
        assert one._session is not other._session
    with closing(adapter.connect()) as one, closing(adapter.connect()) as other:
        assert one._session is not other._session
    assert len(opened) == 2


def test_who_has_left_does_not_cancel_what_others_do(adapter: PostgresAdapter) -> None:
    with closing(adapter.connect()) as first:
        first.relations([DEV])
    with closing(adapter.connect()) as second:
        first.cancel()
        first.close()
        assert second.execute(Statement("select 1", fetch=True)).rows == [(1,)]


def test_the_first_is_opened_ahead(adapter: PostgresAdapter, opened: list[str]) -> None:
    adapter.prepare()
    adapter.prepare()
    look(adapter)
    assert opened == ["connecting"]


def test_an_error_waits_for_who_needs_the_session(own_database: Any, opened: list[str]) -> None:
    target = postgres.target(own_database, database="session_tests", password="wrong")
    with closing(open_adapter(target, "")) as adapter:
        adapter.prepare()
        with pytest.raises(ConnectionFailed, match="password authentication failed"):
            adapter.connect()
        assert opened == ["connecting"]


class Stub:
    """A session that can only end."""

    closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_what_comes_too_late_ends_at_once() -> None:
    gate, stub = threading.Event(), Stub()

    def slowly() -> Any:
        gate.wait(20)
        return stub

    sessions = Sessions(slowly)
    sessions.ahead()
    sessions.close()
    assert not stub.closed.is_set()
    gate.set()
    assert stub.closed.wait(20)


# -- commands --------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(own_database: Any, tmp_path: Path) -> Callable[..., Path]:
    def make(sql: str, **fields: Any) -> Path:
        values = postgres.credentials(own_database, database="session_tests", threads=1, **fields)
        profile = {"shop": {"target": "dev", "outputs": {"dev": {"type": "postgres", **values}}}}
        return project(tmp_path, {"profiles.yml": json.dumps(profile), "models/a.sql": sql})

    return make


def test_a_build_begins_to_connect_before_it_reads(
    shop: Callable[..., Path], opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    ahead, list_files = Sessions.ahead, load.list_files
    monkeypatch.setattr(Sessions, "ahead", lambda self: (order.append("connect"), ahead(self))[1])
    monkeypatch.setattr(load, "list_files", lambda settings: (order.append("read"), list_files(settings))[1])
    ok("build", cwd=shop("select 1 as id"))
    assert order == ["connect", "read"]
    assert opened[0] == "connecting"
    assert len(opened) == 2, "one for the run itself, one for its thread"


@pytest.mark.parametrize("command", ["ls", "parse", "compile", "plan"])
def test_what_may_need_no_database_does_not(command: str, shop: Callable[..., Path], opened: list[str]) -> None:
    ok(command, cwd=shop("select 1 as id"))
    assert "connecting" not in opened


def test_an_error_of_the_project_is_all_that_is_told(own_database: Any, shop: Callable[..., Path]) -> None:
    ran = understudy("build", cwd=shop("select {{ ref('nowhere') }}", port=1))
    assert ran.exit_code == 2
    assert "nowhere" in ran.err
    assert "port 1" not in ran.err + ran.out
    ran = understudy("build", cwd=shop("select {{ ref('nowhere') }}"))
    assert "nowhere" in ran.err
    wait_until_alone(own_database)


def test_a_server_that_is_away_is_told_in_its_place(shop: Callable[..., Path]) -> None:
    ran = understudy("build", cwd=shop("select 1 as id", port=1))
    assert ran.exit_code == 2
    assert "Selected 1 model" in ran.err + ran.out, "the project was read before"


def wait_until_alone(server: Any) -> None:
    """Until the server has nobody's sessions any more; fails when some stay."""
    for _ in range(200):
        if postgres.sql(server, LIVE, database="session_tests") == [(0,)]:
            return
        threading.Event().wait(0.1)
    raise AssertionError("a session was left open")
