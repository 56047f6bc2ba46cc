"""The kept parse on the disk: who reads which files, what a damaged or foreign file does, where it is and how many are kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from support.ages import age
from support.cli import ok, project, understudy

from understudy.artifacts import atomic
from understudy.cache import slots
from understudy.errors import ArtifactError
from understudy.project import files

FILES = {
    "models/a.sql": "select {{ var('x', 1) }} as id", "models/b.sql": "select * from {{ ref('a') }}",
    "models/m.yml": "models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]", "seeds/s.csv": "id\n1",
}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return age(project(tmp_path, FILES))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file of the project was read."""
    counts: Counter[str] = Counter()
    real = files._read

    def counted(root: str, path: str, kind: files.FileKind) -> tuple[str, str, int]:
        counts[path] += 1
        return real(root, path, kind)

    monkeypatch.setattr(files, "_read", counted)
    return counts


def kept(root: Path) -> list[Path]:
    return sorted((root / slots.FOLDER).glob("parse-*"))


def test_an_unchanged_project_is_not_read(shop: Path, read: Counter[str]) -> None:
    first = ok("ls", cwd=shop).lines
    assert read == dict.fromkeys(FILES, 1)
    read.clear()
    assert ok("ls", cwd=shop).lines == first
    assert not read


def test_a_touched_file_is_read_once(shop: Path, read: Counter[str]) -> None:
    ok("ls", cwd=shop)
    age(shop / "models/a.sql", 1)
    read.clear()
    ok("ls", cwd=shop)
    assert read == {"models/a.sql": 1}
    read.clear()
    ok("ls", cwd=shop)
    assert not read


def test_a_file_that_changed_just_now_is_not_trusted(shop: Path) -> None:
    """It may change again within the same tick of the clock, and with the same size; so its stamp says nothing yet."""
    path = shop / "models/a.sql"
    ok("ls", cwd=shop)
    path.write_text("select 10 as id")
    before = path.stat()
    ok("compile", cwd=shop)
    path.write_text("select 20 as id")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    ok("compile", cwd=shop)
    assert "select 20" in (shop / "target/compiled/shop/models/a.sql").read_text()


def test_no_partial_parse_leaves_nothing_and_uses_nothing(shop: Path, read: Counter[str]) -> None:
    ok("ls", "--no-partial-parse", cwd=shop)
    assert not (shop / slots.FOLDER).exists()
    ok("ls", cwd=shop)
    read.clear()
    ok("ls", "--no-partial-parse", cwd=shop)
    assert read == dict.fromkeys(FILES, 1)


def test_a_target_has_a_parse_of_its_own(shop: Path, read: Counter[str]) -> None:
    for target in ("dev", "prod"):
        ok("ls", "--target", target, cwd=shop)
    read.clear()
    for target in ("dev", "prod", "dev"):
        ok("ls", "--target", target, cwd=shop)
    assert not read
    assert len(kept(shop)) == 2


def test_only_the_last_ones_are_kept(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "KEEP", 2)
    for number in range(4):
        (shop / "dbt_project.yml").write_text(f"name: shop\nprofile: shop\nmodels: {{+tags: [t{number}]}}\n")
        ok("ls", cwd=shop)
    assert len(kept(shop)) == 2
    assert (shop / ".understudy/.gitignore").read_text() == "*\n"


@pytest.mark.parametrize("damage", ["cut", "flip", "other", "empty", "folder"])
def test_a_damaged_file_is_as_none(shop: Path, damage: str) -> None:
    first = ok("ls", cwd=shop).lines
    (file,) = kept(shop)
    whole = file.read_bytes()
    if damage == "folder":
        file.unlink()
        file.mkdir()
    else:
        half = len(whole) // 2
        flipped = whole[:half] + bytes([whole[half] ^ 4]) + whole[half + 1 :]
        file.write_bytes({"cut": whole[:half], "flip": flipped, "other": b"PK" * 999, "empty": b""}[damage])
    ran = ok("ls", cwd=shop)
    assert ran.lines == first
    assert ran.err == ""
    if damage != "folder":
        assert len(file.read_bytes()) == len(whole)


def test_a_folder_that_may_not_be_written_to_keeps_nothing(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, content: object, *, durable: bool = True) -> None:
        raise ArtifactError(f"Cannot write {path}: Permission denied")

    monkeypatch.setattr(atomic, "write", refuse)
    ran = ok("ls", "--no-write-json", cwd=shop)
    assert ran.lines
    assert ran.err == ""
    assert not (shop / slots.FOLDER).exists()


def test_a_file_in_the_place_of_the_folder(shop: Path) -> None:
    (shop / ".understudy").write_text("mine")
    assert ok("ls", cwd=shop).lines == ok("ls", cwd=shop).lines
    assert (shop / ".understudy").read_text() == "mine"


def test_a_value_that_cannot_be_kept(shop: Path) -> None:
    """Then the project is read each time, and nobody hears of it."""
    (shop / "models/big.yml").write_text(f"models: [{{name: b, config: {{meta: {{n: {2**70}}}}}}}]")
    first = ok("ls", cwd=shop)
    assert ok("ls", cwd=shop) == first
    assert kept(shop) == []


def test_clean_removes_it_and_leaves_the_ledger(shop: Path) -> None:
    ok("run", cwd=shop)
    ran = ok("clean", cwd=shop)
    assert ran.lines == ["Deleted target", f"Deleted {slots.FOLDER}"]
    assert (shop / ".understudy/ledger.sqlite").exists()
    assert not (shop / slots.FOLDER).exists()


def test_another_version_of_the_engine_begins_anew(
    shop: Path, read: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ok("ls", cwd=shop)
    read.clear()
    monkeypatch.setattr(slots, "build", lambda: ["another"])
    ok("ls", cwd=shop)
    assert read == dict.fromkeys(FILES, 1)


def test_a_wheel_is_known_by_its_version_and_a_work_tree_by_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "understudy"
    (package / "core").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "core" / "x.py").touch()
    monkeypatch.setattr(slots.understudy, "__file__", str(package / "__init__.py"))
    assert len(slots.build()) == 2
    moved = tmp_path / "src"
    (tmp_path / "site-packages").rename(moved)
    monkeypatch.setattr(slots.understudy, "__file__", str(moved / "understudy" / "__init__.py"))
    before = slots.build()
    (moved / "understudy" / "core" / "x.py").write_text("x = 1")
    assert slots.build() != before


SEVERAL = """
import sys
from understudy.cli.main import main
for n in range(4):
    assert main(["ls", "--project-dir", sys.argv[1], "--log-level-file", "none"]) == 0
"""


def test_two_processes_at_once(shop: Path) -> None:
    """While one reads and writes, a second edits, reads and writes; each sees a whole parse or none."""
    ok("ls", cwd=shop)
    others = [
        subprocess.Popen(
            [sys.executable, "-c", SEVERAL, str(shop)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for n in range(6):
        (shop / f"models/more{n}.sql").write_text(f"select {n} as id")
        assert f"shop.more{n}" in ok("ls", cwd=shop).lines
    for other in others:
        out, err = other.communicate(timeout=120)
        assert other.returncode == 0, err
        assert "shop.a" in out
    assert understudy("ls", cwd=shop).lines == ok("ls", "--no-partial-parse", cwd=shop).lines
