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


def why(ledger: Ledger) -> str:
    """Why it is not known what stands in the relation."""
    found = stands(ledger)
    assert found is not None
    assert found.print is None
    return found.why


def test_nothing_is_known_at_first(ledger: Ledger) -> None:
    assert ledger.applied(PLACE, [A, B]) == {}
    assert list(ledger.export()) == []


def test_what_was_built_is_known(ledger: Ledger) -> None:
    build(ledger, "1")
    assert stands(ledger) == Applied(
        OLD, "", False, "2026-11-21T08:00:01+00:00", "abc", dirty=True, invocation="1", unique_id="model.shop.a"
    )
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
    assert why(ledger) == "it was built in part only"


def test_an_announced_build_is_not_known(ledger: Ledger) -> None:
    build(ledger, "1")
    ledger.announce(run("2"), [Build("model.shop.a", A, NEW)])
    assert why(ledger) == "it is being built now"


def test_only_what_was_announced_is_confirmed(ledger: Ledger) -> None:
    ledger.confirm("1", "model.shop.a", "success", "now")
    build(ledger, "1")
    ledger.confirm("1", "model.shop.a", "error", "later")
    assert stands(ledger) is not None
    assert [entry["status"] for entry in ledger.export()] == ["success"]


def test_no_row_is_looked_at_but_the_one_that_is_confirmed(ledger: Ledger) -> None:
    ledger.announce(run("1"), [Build("model.shop.a", A, OLD), Build("model.shop.b", B, OLD)])
    sent: list[str] = []
    ledger._database.set_trace_callback(sent.append)
    ledger.confirm("1", "model.shop.b", "success", "t")
    ledger._database.set_trace_callback(None)
    (update,) = [sql for sql in sent if sql.startswith("update")]
    assert [row[3] for row in ledger._database.execute(f"explain query plan {update}")] == [
        "SEARCH builds USING INTEGER PRIMARY KEY (rowid=?)"
    ]
    assert [entry["status"] for entry in ledger.export()] == ["building", "success"]


def test_what_was_built_before_is_not_looked_through(ledger: Ledger) -> None:
    """SQLite takes as many steps for a run's questions after a hundred builds as after ten."""

    def looked_at() -> int:
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1

        ledger._database.set_progress_handler(step, 1)
        ledger.announce(run("now"), [Build("model.shop.a", A, OLD)])
        ledger.applied(PLACE, [A])
        ledger._database.set_progress_handler(None, 1)
        return steps

    for number in range(10):
        build(ledger, f"{number}")
    few = looked_at()
    for number in range(100):
        build(ledger, f"later {number}")
    assert looked_at() < 2 * few


def test_two_runs_at_the_same_time(tmp_path: Path, ledger: Ledger) -> None:
    other = Ledger(str(tmp_path))
    ledger.announce(run("1"), [Build("model.shop.a", A, OLD)])
    other.announce(run("2"), [Build("model.shop.a", A, NEW), Build("model.shop.b", B, NEW)])
    other.confirm("2", "model.shop.a", "success", "t")
    other.confirm("2", "model.shop.b", "success", "t")
    ledger.confirm("1", "model.shop.a", "success", "t")
    assert why(ledger) == "two runs built it at the same time"
    assert stands(ledger, B) == Applied(
        NEW, "", False, "t", "abc", dirty=True, invocation="2", unique_id="model.shop.b"
    )
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
    assert why(ledger) == "its last build was cut short"
    build(ledger, "2", NEW)
    found = stands(ledger)
    assert found is not None
    assert found.print == NEW


def test_of_another_machine_nobody_can_tell(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.announce(run("1"), [Build("model.shop.a", A, OLD)])
    monkeypatch.setattr(ledger, "_host", "elsewhere")
    assert why(ledger) == "it is being built now"


def test_a_process_of_somebody_else_is_alive(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, signal: int) -> None:
        raise PermissionError

    ledger.announce(run("1"), [Build("model.shop.a", A, OLD)])
    monkeypatch.setattr(os, "kill", refuse)
    assert why(ledger) == "it is being built now"


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


def test_all_at_once_is_what_each_is(tmp_path: Path, ledger: Ledger) -> None:
    build(ledger, "1")
    build(ledger, "2", NEW, "error")
    ledger.announce(run("3"), [Build("model.shop.b", B, NEW, True, "digest"), Build("model.shop.c", "c", OLD)])
    ledger.confirm("3", "model.shop.b", "success", "t")
    elsewhere = Run("4", "postgres: host y", "dev", "t")
    ledger.announce(elsewhere, [Build("model.shop.a", A, NEW)])
    assert ledger.all_applied(PLACE) == ledger.applied(PLACE, [A, B, "c"])
    found = ledger.all_applied(PLACE)
    assert {relation: each.print for relation, each in found.items()} == {A: OLD, B: NEW, "c": None}
    assert (found[B].record, found[B].mixed, found[A].record) == ("digest", True, None)
    assert set(ledger.all_applied("postgres: host y")) == {A}


def test_a_clone_of_what_nobody_knows(ledger: Ledger) -> None:
    ledger.announce(run("1"), [Build("model.shop.a", A, None)])
    ledger.confirm("1", "model.shop.a", "success", "t")
    assert why(ledger) == "it was cloned, and from which code that was built is not known, or not today's"


OLDER = """
create table builds (
    id integer primary key autoincrement,
    place text not null, relation text not null, unique_id text not null, target text not null,
    invocation text not null, host text not null, pid integer not null,
    print text not null, whole text not null, mixed integer not null, overlapped integer not null,
    git_commit text, git_dirty integer,
    started text not null, finished text, status text not null
);
create index builds_of_a_relation on builds (place, relation, id);
insert into builds values (1, 'duckdb: path /x', '["db", "dev", "a"]', 'model.shop.a', 'dev', '1', 'h', 1,
    '{"code":"old"}', 'w', 0, 0, null, null, 't', 't', 'success');
pragma user_version = 1;
"""
"""The first form of the file, with a build."""


def test_an_older_file_is_brought_up_to_date(tmp_path: Path) -> None:
    (tmp_path / ".understudy").mkdir()
    database = sqlite3.connect(tmp_path / ".understudy" / "ledger.sqlite")
    database.executescript(OLDER)
    database.close()
    for _ in range(2):
        found = Ledger(str(tmp_path))
        assert stands(found) == Applied(Print("old"), "", False, "t", invocation="1", unique_id="model.shop.a")
        found.close()
    found = Ledger(str(tmp_path))
    build(found, "2", NEW)
    assert [entry["record"] for entry in found.export()] == [None, None]
    found.close()
    new = tmp_path / "new"
    Ledger(str(new)).close()
    assert layout(tmp_path) == layout(new)


def layout(root: Path) -> tuple[set[str], list[str]]:
    """The indexes of a file, and the columns of its table."""
    database = sqlite3.connect(root / ".understudy" / "ledger.sqlite")
    indexes = {sql for (sql,) in database.execute("select sql from sqlite_schema where type = 'index'")}
    columns = [row[1] for row in database.execute("pragma table_info(builds)")]
    database.close()
    return indexes, columns
