"""The form of cache files: what is whole is read back, and anything else reads as nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from understudy.cache import pack

SECTIONS = {"one": b"first", "none": b"", "pieces": [b"a", memoryview(b"bc")]}


@pytest.fixture
def path(tmp_path: Path) -> str:
    found = str(tmp_path / "new" / "folder" / "file")
    pack.write(found, SECTIONS)
    return found


def test_sections_are_read_back(path: str) -> None:
    found = pack.read(path)
    assert found is not None
    assert {name: bytes(section) for name, section in found.items()} == {"one": b"first", "none": b"", "pieces": b"abc"}


def test_no_file_is_nothing(tmp_path: Path) -> None:
    assert pack.read(str(tmp_path / "file")) is None
    assert pack.read(str(tmp_path)) is None


def test_every_flipped_bit_is_noticed(path: str) -> None:
    whole = Path(path).read_bytes()
    for place in range(len(whole)):
        for bit in (1, 128):
            Path(path).write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            assert pack.read(path) is None, (place, bit)


def test_every_end_that_comes_early_is_noticed(path: str) -> None:
    whole = Path(path).read_bytes()
    for length in range(len(whole)):
        Path(path).write_bytes(whole[:length])
        assert pack.read(path) is None, length
    Path(path).write_bytes(whole + b"\0")
    assert pack.read(path) is None


def test_another_form_is_nothing(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pack.read(path) is not None
    monkeypatch.setattr(pack, "FORM", pack.FORM + 1)
    assert pack.read(path) is None
