"""The ledger of builds: announced, confirmed, cut short, at the same time; damaged and foreign files."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.artifacts.ledger import Applied, Build, Ledger, Run, Status
from understudy.errors import ArtifactError
from understudy.state.applied import Print

A, B = '["db", "dev", "a"]', '["db", "dev", "b"]'
OLD, NEW = Print("old", vars={"x": [1, None]}, env={"E": "1"}), Print("new")
PLACE = "duckdb: path /x"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    found = Ledger(str(tmp_path))
    yield found
    found.close()


def run(invocation: str, started: str = "2026-11-21T08:00:00+00:00") -> Run:
    return Run(invocation, PLACE, "dev", started, "abc", True)


def build(
    ledger: Ledger, invocation: str, print_: Print = OLD, status: Status = "success", mixed: bool = False
) -> None:
    ledger.announce(run(invocation), [Build("model.shop.a", A, print_, mixed)])
    ledger.confirm(invocation, "model.shop.a", status, "2026-11-21T08:00:01+00:00")


def stands(ledger: Ledger, relation: str = A) -> Applied | None:
    return ledger.applied(PLACE, [relation]).get(relation)


def test_nothing_is_known_at_first(ledger: Ledger) -> None:
    assert ledger.applied(PLACE, [A, B]) == {}
    assert list(ledger.export()) == []


def test_what_was_built_is_known(ledger: Ledger) -> None:
    build(ledger, "1")
    assert stands(ledger) == Applied(OLD, "", False, "2026-11-21T08:00:01+00:00", "abc")
    assert stands(ledger, B) is None
    assert ledger.applied("postgres: host y", [A]) == {}
    (entry,) = ledger.export()
    assert entry["print"]["code"] == "old"
    assert (entry["status"], entry["git_dirty"], entry["target"]) == ("success", 1, "dev")


def test_the_last_build_counts(ledger: Ledger) -> None:
    build(ledger, "1")
    build(ledger, "2", NEW, mixed=True)
    found = stands(ledger)
    assert found is not None
    assert (found.print, found.mixed) == (NEW, True)


@pytest.mark.parametrize("status", ["error", "skipped"])
def test_a_failed_build_leaves_what_was_there(ledger: Ledger, status: Status) -> None:
    build(ledger, "1")
    build(ledger, "2", NEW, status)
    found = stands(ledger)
    assert found is not None
    assert found.print == OLD


def test_a_partial_build_is_not_known(ledger: Ledger) -> None:
    build(ledger, "1")
    build(ledger, "2", NEW, "partial")
    assert stands(ledger) == Applied(None, "it was built in part only")


def test_an_announced_build_is_not_known(ledger: Ledger) -> None:
    build(ledger, "1")
    ledger.announce(run("2"), [Build("model.shop.a", A, NEW)])
    assert stands(ledger) == Applied(None, "it is being built now")


def test_only_what_was_announced_is_confirmed(ledger: Ledger) -> None:
    ledger.confirm("1", "model.shop.a", "success", "now")
    build(ledger, "1")
    ledger.confirm("1", "model.shop.a", "error", "later")
    assert stands(ledger) is not None
    assert [entry["status"] for entry in ledger.export()] == ["success"]


def test_two_runs_at_the_same_time(tmp_path: Path, ledger: Ledger) -> None:
    other = Ledger(str(tmp_path))
    ledger.announce(run("1"), [Build("model.shop.a", A, OLD)])
    other.announce(run("2"), [Build("model.shop.a", A, NEW), Build("model.shop.b", B, NEW)])
    other.confirm("2", "model.shop.a", "success", "t")
    other.confirm("2", "model.shop.b", "success", "t")
    ledger.confirm("1", "model.shop.a", "success", "t")
    assert stands(ledger) == Applied(None, "two runs built it at the same time")
    assert stands(ledger, B) == Applied(NEW, "", False, "t", "abc")
    build(ledger, "3", NEW)
    found = stands(other)
    assert found is not None
    assert found.print == NEW
    other.close()


KILLED = """
import os, signal, sys
from understudy.artifacts.ledger import Build, Ledger, Run
from understudy.state.applied import Print
ledger = Ledger(sys.argv[1])
run = Run("killed", "duckdb: path /x", "dev", "2026-11-21T08:00:00+00:00")
ledger.announce(run, [Build("model.shop.a", sys.argv[2], Print("new"))])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_that_is_killed(tmp_path: Path, ledger: Ledger) -> None:
    build(ledger, "1")
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), A], check=False)
    assert ended.returncode == -9
    assert stands(ledger) == Applied(None, "its last build was cut short")
    build(ledger, "2", NEW)
    found = stands(ledger)
    assert found is not None
    assert found.print == NEW


def test_of_another_machine_nobody_can_tell(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.announce(run("1"), [Build("model.shop.a", A, OLD)])
    monkeypatch.setattr(ledger, "_host", "elsewhere")
    assert stands(ledger) == Applied(None, "it is being built now")


def test_a_process_of_somebody_else_is_alive(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, signal: int) -> None:
        raise PermissionError

    ledger.announce(run("1"), [Build("model.shop.a", A, OLD)])
    monkeypatch.setattr(os, "kill", refuse)
    assert stands(ledger) == Applied(None, "it is being built now")


def test_old_builds_are_forgotten_unless_they_still_stand(ledger: Ledger) -> None:
    long_ago = "2026-01-01T00:00:00+00:00"
    for invocation in ("1", "2"):
        ledger.announce(run(invocation, long_ago), [Build("model.shop.a", A, OLD)])
        ledger.confirm(invocation, "model.shop.a", "success", long_ago)
    ledger.announce(run("3"), [Build("model.shop.b", B, NEW)])
    assert [entry["invocation"] for entry in ledger.export()] == ["2", "3"]
    assert stands(ledger) is not None


def test_an_announcement_is_whole_or_not_at_all(ledger: Ledger) -> None:
    class Odd:
        unique_id, relation, mixed = "model.shop.b", B, False
        print = object()

    with pytest.raises((TypeError, AttributeError, ArtifactError)):
        ledger.announce(run("1"), [Build("model.shop.a", A, OLD), Odd()])  # type: ignore[list-item]
    assert list(ledger.export()) == []
    build(ledger, "2")


def test_it_is_not_committed_by_accident(tmp_path: Path, ledger: Ledger) -> None:
    assert (tmp_path / ".understudy" / ".gitignore").read_text() == "*\n"
    Ledger(str(tmp_path)).close()


def test_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / ".understudy").mkdir()
    (tmp_path / ".understudy" / "ledger.sqlite").write_bytes(
        b"no database at all, but long enough to be looked at" * 20
    )
    with pytest.raises(ArtifactError, match="ledger of builds cannot be used") as caught:
        Ledger(str(tmp_path))
    assert caught.value.hint is not None
    assert "may be deleted" in caught.value.hint


def test_a_file_of_a_later_version(tmp_path: Path) -> None:
    Ledger(str(tmp_path)).close()
    with sqlite3.connect(tmp_path / ".understudy" / "ledger.sqlite") as database:
        database.execute("pragma user_version = 99")
    database.close()
    with pytest.raises(ArtifactError, match="later version of understudy"):
        Ledger(str(tmp_path))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / ".understudy").write_text("a file")
    with pytest.raises(ArtifactError, match="cannot be used"):
        Ledger(str(tmp_path))
