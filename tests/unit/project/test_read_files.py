"""The walker of the disk: which files, in which order, with which text and digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from support.projects import package, settings

from understudy.core.project import Settings
from understudy.errors import ParseError
from understudy.project.files import read_files

PATHS = {
    "model": ("models",), "seed": ("seeds",), "test": ("tests",), "analysis": (), "macro": ("macros",), "snapshot": ("models",),
    "function": (), "asset": (), "docs": ("models",),
}  # fmt: skip


def project(root: Path, files: dict[str, bytes]) -> Settings:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    found = package(paths=PATHS)
    rooted = type(found)(name="shop", root=str(root), paths=PATHS)
    return settings(rooted)


def test_kinds_and_order(tmp_path: Path) -> None:
    names = [
        "models/b.sql", "models/a/z.sql", "models/a.yml", "models/x.YAML", "models/d.md", "models/.hidden.sql", "models/#x.sql",
        "models/~x.sql", "models/notes.txt", "seeds/s.csv", "tests/t.sql", "tests/generic/g.sql", "tests/fixtures/f.sql",
        "macros/m.sql", "elsewhere/x.sql",
    ]  # fmt: skip
    files = read_files(project(tmp_path, dict.fromkeys(names, b"x")))
    assert [(file.kind, file.path) for file in files] == [
        ("macro", "macros/m.sql"),
        ("model", "models/b.sql"),
        ("model", "models/a/z.sql"),
        ("snapshot", "models/b.sql"),
        ("snapshot", "models/a/z.sql"),
        ("test", "tests/t.sql"),
        ("generic_test", "tests/generic/g.sql"),
        ("seed", "seeds/s.csv"),
        ("docs", "models/d.md"),
        ("properties", "models/a.yml"),
        ("properties", "models/x.YAML"),
        ("fixture", "tests/fixtures/f.sql"),
    ]
    assert files[2].relative_path == "a/z.sql"


def test_texts_are_stripped_and_keep_their_line_ends(tmp_path: Path) -> None:
    file = read_files(project(tmp_path, {"models/a.sql": b"\n select 1\r\n, 2 \n\n"}))[0]
    assert file.text == "select 1\r\n, 2"
    assert file.checksum == hashlib.sha256(b"select 1\r\n, 2").hexdigest()


def test_seeds_have_a_digest_and_no_text(tmp_path: Path) -> None:
    big = b"id\n" + b"1234567\n" * 200_000
    file = read_files(project(tmp_path, {"seeds/s.csv": big}))[0]
    assert (file.text, file.checksum) == ("", hashlib.sha256(big.strip()).hexdigest())


def test_dbtignore_is_obeyed(tmp_path: Path) -> None:
    files = {".dbtignore": b"models/old/\n*.tmp.sql\n!keep.tmp.sql\n", "models/old/a.sql": b"", "models/b.tmp.sql": b"",
             "models/keep.tmp.sql": b"", "models/c.sql": b""}  # fmt: skip
    found = {file.path for file in read_files(project(tmp_path, files)) if file.kind == "model"}
    assert found == {"models/c.sql", "models/keep.tmp.sql"}


def test_linked_folders_are_not_followed(tmp_path: Path) -> None:
    given = project(tmp_path, {"models/a.sql": b"", "outside/b.sql": b""})
    (tmp_path / "models" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "models" / "c.sql").symlink_to(tmp_path / "outside" / "b.sql")
    assert {file.path for file in read_files(given)} == {"models/a.sql", "models/c.sql"}


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="no UTF-8") as caught:
        read_files(project(tmp_path, {"models/a.sql": b"select '\xe9'"}))
    assert caught.value.place is not None
    assert caught.value.place.path == "models/a.sql"
