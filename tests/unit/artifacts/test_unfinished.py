"""The journal of a run that goes on: read back after a kill at any moment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from understudy.artifacts.metadata import RUN_RESULTS
from understudy.artifacts.run_results import PriorResult
from understudy.artifacts.unfinished import FILE, Head, Journal, read_unfinished, remove
from understudy.errors import StateError

HEAD = Head(RUN_RESULTS, "an-id", {"which": "build", "vars": {"key": "top-secret"}}, ["model.a", "model.b", "model.c"])


def written(folder: Path, *done: PriorResult) -> Path:
    journal = Journal(str(folder), HEAD, ["top-secret"])
    for each in done:
        journal.done(each)
    journal.close()
    journal.close()
    return folder / FILE


def test_what_is_done_and_what_is_not(tmp_path: Path) -> None:
    batches = {"successful": [["2026-01-01", "2026-01-02"]], "failed": []}
    written(
        tmp_path, PriorResult("model.b", "error", 1.5, {"rows_affected": 3}, batches), PriorResult("model.a", "success")
    )
    found = read_unfinished(str(tmp_path))
    assert found is not None
    assert found.statuses() == {"model.b": "error", "model.a": "success", "model.c": "skipped"}
    assert found.args == {"which": "build", "vars": {"key": "*****"}}
    assert (found.results[0].rows, found.results[0].batch_results) == (3, batches)
    assert (found.metadata.dbt_schema_version, found.metadata.invocation_id) == (RUN_RESULTS, "an-id")


def test_a_kill_at_any_byte(tmp_path: Path) -> None:
    file = written(tmp_path, PriorResult("model.a", "success"), PriorResult("model.b", "success"))
    whole = file.read_bytes()
    first = whole.index(b"\n") + 1
    seen = set()
    for end in range(first, len(whole) + 1):  # the first line is there whole, or the file is not there
        file.write_bytes(whole[:end])
        found = read_unfinished(str(tmp_path))
        assert found is not None
        seen.add(sum(status == "success" for status in found.statuses().values()))
        assert set(found.statuses()) == set(HEAD.nodes)
    assert seen == {0, 1, 2}


def test_there_is_none(tmp_path: Path) -> None:
    assert read_unfinished(str(tmp_path)) is None
    (tmp_path / FILE).write_text("")
    assert read_unfinished(str(tmp_path)) is None
    remove(str(tmp_path))
    remove(str(tmp_path))
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("content", [b"\n", b"[]\n", b'{"schema": 1}\n', b"\xff\n"])
def test_a_damaged_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StateError, match="The unfinished run cannot be read") as caught:
        read_unfinished(str(tmp_path))
    assert caught.value.hint == "Remove the file to retry the last run that ended."


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(StateError, match="Is a directory"):
        read_unfinished(str(tmp_path))


def test_what_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    journal = Journal(str(tmp_path / "file"), HEAD)
    journal.done(PriorResult("model.a", "success"))
    journal = Journal(str(tmp_path), HEAD)

    def full(*args: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    journal.done(PriorResult("model.a", "success"))
    journal.done(PriorResult("model.b", "success"))
    monkeypatch.undo()
    found = read_unfinished(str(tmp_path))
    assert found is not None
    assert set(found.statuses().values()) == {"skipped"}
