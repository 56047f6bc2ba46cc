"""The engine is closed while the artifacts are written: neither keeps the other from its end, and both are told of."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from support.cli import ok, project, understudy

from understudy.adapters.duckdb.adapter import DuckDBAdapter
from understudy.errors import ConnectionFailed

ARTIFACTS = ("manifest.json", "run_results.json", "applied.json")
FILES = {
    "models/a.sql": "select 1 as id",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return project(tmp_path, FILES)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads that closed the engine."""
    found: list[str] = []
    close = DuckDBAdapter.close

    def told(self: DuckDBAdapter) -> None:
        found.append(threading.current_thread().name)
        close(self)

    monkeypatch.setattr(DuckDBAdapter, "close", told)
    return found


def test_it_is_closed_once_and_beside_the_rest(shop: Path, closed: list[str]) -> None:
    ok("build", cwd=shop)
    assert closed == ["closing"]
    ok("compile", cwd=shop)  # which has nothing to close beside
    assert closed == ["closing", "MainThread"]
    assert "closing" not in {thread.name for thread in threading.enumerate()}


def test_what_goes_wrong_in_closing_is_told_and_nothing_else_is_lost(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: DuckDBAdapter) -> None:
        self._instance = None
        raise ConnectionFailed("The disk went away")

    with monkeypatch.context() as patched:
        patched.setattr(DuckDBAdapter, "close", broken)
        ran = understudy("build", cwd=shop)
    assert ran.exit_code == ConnectionFailed.exit_code
    assert "The disk went away" in ran.err
    assert "OK    view   dev.a" in ran.err
    assert all((shop / "target" / name).is_file() for name in ARTIFACTS)
    assert list(json.loads((shop / "target/applied.json").read_text())["nodes"]) == ["model.shop.a"]


def test_what_goes_wrong_in_writing_is_told_when_all_is_closed(shop: Path, closed: list[str]) -> None:
    ok("build", cwd=shop)
    (shop / "target/run_results.json").unlink()
    (shop / "target/run_results.json").mkdir()
    ran = understudy("build", cwd=shop)
    assert ran.exit_code == 2
    assert "run_results.json" in ran.err
    assert closed == ["closing", "closing"]
    assert not (shop / "shop.duckdb.wal").exists()  # it was closed to the end
