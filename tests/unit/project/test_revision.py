"""The project's git commit, and whether files differ from it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from understudy.project.revision import Revision, read, revision

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True, env=CLEAN
    ).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "a.sql").write_text("select 1")
    return tmp_path


def test_a_commit(repository: Path) -> None:
    project = str(repository / "project")
    assert revision(project, CLEAN) is None  # nothing is committed yet
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "first")
    commit = git(repository, "rev-parse", "HEAD").strip()
    assert revision(project, CLEAN) == Revision(commit, False)
    (repository / "elsewhere.txt").write_text("no file of the project")
    assert revision(project, CLEAN) == Revision(commit, False)
    (repository / "project" / "b.sql").write_text("select 2")
    assert revision(project, CLEAN) == Revision(commit, True)


def test_no_repository_and_no_git(tmp_path: Path) -> None:
    assert revision(str(tmp_path), {**CLEAN, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}) is None
    assert revision(str(tmp_path), {"PATH": ""}) is None


def test_an_answer_too_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*args: object, **fields: object) -> None:
        raise subprocess.TimeoutExpired("git", 5)

    monkeypatch.setattr(subprocess, "run", late)
    assert revision(str(tmp_path), {}) is None


def test_reading() -> None:
    assert read("# branch.oid abc\n# branch.head main\n") == Revision("abc", False)
    assert read("# branch.oid abc\n1 .M N... a.sql\n") == Revision("abc", True)
    assert read("# branch.oid (initial)\n? a.sql\n") is None
    assert read("") is None
