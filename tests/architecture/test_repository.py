"""What is committed says nothing about the machine it was written on, and the two locks fit each other."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pathspec
import pytest
from architecture.source_tree import ROOT

MACHINE_PATH = re.compile(r"(?<![\w.~/:$}-])/(?:work|root|home|Users|opt)/[\w.-]")


def project_files() -> Iterator[Path]:
    """Every file that git would take: all but what .gitignore names (`.git` is a file in a work tree beside another)."""
    ignored = pathspec.GitIgnoreSpec.from_lines((ROOT / ".gitignore").read_text().splitlines())
    for folder, folders, files in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        folders[:] = [name for name in folders if name != ".git" and not ignored.match_file(f"{here / name}/")]
        yield from (ROOT / here / name for name in files if name != ".git" and not ignored.match_file(str(here / name)))


def test_no_machine_paths() -> None:
    found = []
    for file in project_files():
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        found += [
            f"{file.relative_to(ROOT)}:{number}" for number, line in enumerate(lines, 1) if MACHINE_PATH.search(line)
        ]
    assert found == []


def test_machine_paths_are_noticed() -> None:
    slash = "/"
    assert MACHINE_PATH.search(f"path: {slash}home/someone/project")
    assert not MACHINE_PATH.search(f"https:{slash}{slash}example.org{slash}home{slash}x")


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text()
    return dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE))


def test_both_environments_hold_the_same_duckdb() -> None:
    assert pins("dev.txt")["duckdb"] == pins("dbt.txt")["duckdb"]


@pytest.mark.parametrize("lock", ["dev.txt", "dbt.txt"])
def test_locks_name_no_index_and_no_path(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    assert not re.search(r"https?://|file:|^--(?!hash)|@ ", text, re.MULTILINE)
    assert len(pins(lock)) > 20


def test_modules_of_tests_have_names_of_their_own() -> None:
    """There are no packages under tests/; two files of one name would hide each other from the reader."""
    names = [file.name for file in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
