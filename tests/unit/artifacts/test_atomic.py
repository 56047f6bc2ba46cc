"""A file is written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from understudy.artifacts import atomic
from understudy.errors import ArtifactError


def test_folders_are_made(tmp_path: Path) -> None:
    atomic.write(tmp_path / "a/b/c.json", b"{}")
    assert (tmp_path / "a/b/c.json").read_bytes() == b"{}"
    assert os.listdir(tmp_path / "a/b") == ["c.json"]


def test_pieces_and_mode(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        atomic.write(tmp_path / "x", (b"a", b"b"), durable=False)
    finally:
        os.umask(old)
    assert (tmp_path / "x").read_bytes() == b"ab"
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o644


def test_a_failure_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")

    def pieces() -> Iterator[bytes]:
        yield b"new"
        assert (tmp_path / "x").read_text() == "old"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic.write(tmp_path / "x", pieces())
    assert (tmp_path / "x").read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/x").write_text("old")
    (tmp_path / "x").symlink_to(tmp_path / "real/x")
    atomic.write(tmp_path / "x", b"new")
    assert (tmp_path / "x").is_symlink()
    assert (tmp_path / "real/x").read_text() == "new"


@pytest.mark.parametrize(
    ("number", "hint"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "writable")]
)
def test_what_the_disk_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, hint: str) -> None:
    (tmp_path / "x").write_text("old")

    def refuse(*args: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic.os, "fsync", refuse)
    with pytest.raises(ArtifactError, match=hint) as caught:
        atomic.write(tmp_path / "x", b"new")
    assert caught.value.place
    assert caught.value.place.path == str(tmp_path / "x")
    assert (tmp_path / "x").read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("I am a file")
    with pytest.raises(ArtifactError, match="A file stands where a folder is needed"):
        atomic.write(tmp_path / "target/manifest.json", b"{}")


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(ArtifactError, match="Cannot write"):
        atomic.write(tmp_path / "manifest.json", b"{}")
    assert os.listdir(tmp_path) == ["manifest.json"]


def test_an_update_leaves_what_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.sql"
    atomic.update(path, b"select 1")
    before = path.stat()
    atomic.update(path, b"select 1")
    after = path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    for content in (b"select 2", b"select", b"select 1 as longer", b""):
        atomic.update(path, content)
        assert path.read_bytes() == content
    assert [each.name for each in path.parent.iterdir()] == ["b.sql"]
