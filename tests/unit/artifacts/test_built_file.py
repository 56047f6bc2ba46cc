"""`applied.json` and the manifest that it belongs to: found, kept, written whole; what leaves the machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from understudy.artifacts import atomic
from understudy.artifacts.built_file import APPLIED, KEPT, keep_manifest, manifest_of, read_built, write_built
from understudy.artifacts.state_files import StateFile, read_prior
from understudy.errors import StateError
from understudy.state.applied import Print
from understudy.state.built import FORM, BuiltState, Entry, Head

A = "model.shop.a"
SCHEMA = "https://schemas.getdbt.com/dbt/manifest/v12.json"
NODE = {
    "unique_id": A, "resource_type": "model", "name": "a", "package_name": "shop", "fqn": ["shop", "a"], "schema": "prod",
    "alias": "a",
}  # fmt: skip


def built(invocation: str, **entry: object) -> BuiltState:
    fields = {"print": Print("c", vars={"v": "s3cret"}, env={"E": "value"}), **entry}
    return BuiltState(Head(form=FORM, invocation_id=invocation), {A: Entry(**fields)})  # type: ignore[arg-type]


def write_manifest(folder: Path, invocation: str, code: str = "", pad: int = 0) -> None:
    """As a command does it: what has to be kept is kept first."""
    keep_manifest(str(folder))
    head = {"dbt_schema_version": SCHEMA, "env": {"x": "y" * pad}, "invocation_id": invocation}
    document = {"metadata": head, "nodes": {A: {**NODE, "raw_code": code}}}
    atomic.write(folder / "manifest.json", json.dumps(document).encode())


def state(folder: Path, *, whole: bool = True) -> StateFile:
    return StateFile("prod", "--state", str(folder), str(folder / "manifest.json"), whole=whole)


def code(folder: Path) -> tuple[str | None, bool]:
    """The code that the state has, and whether it says what is built."""
    prior = read_prior(state(folder))
    return prior.nodes[A].raw_code, prior.built is not None


def test_a_folder_without_one(tmp_path: Path) -> None:
    assert read_built(str(tmp_path)) is None
    write_manifest(tmp_path, "1", "one")
    assert code(tmp_path) == ("one", False)
    assert not (tmp_path / KEPT).exists()


def test_other_commands_do_not_become_the_state(tmp_path: Path) -> None:
    """Whatever writes a manifest: `parse`, `compile`, `docs generate`, `test` ..."""
    write_manifest(tmp_path, "1", "one")
    write_built(built("1"), str(tmp_path))
    assert code(tmp_path) == ("one", True)
    for number in ("2", "3"):
        write_manifest(tmp_path, number, "not built")
        assert code(tmp_path) == ("one", True)
    assert manifest_of(str(tmp_path), "1") == str(tmp_path / KEPT)
    write_manifest(tmp_path, "4", "four")
    write_built(built("4"), str(tmp_path))
    assert code(tmp_path) == ("four", True)
    assert not (tmp_path / KEPT).exists()


def test_the_two_belong_together_at_every_moment(tmp_path: Path) -> None:
    """A kill between the steps of a command leaves the state of the run before, or that of this one."""
    write_manifest(tmp_path, "1", "one")
    write_built(built("1"), str(tmp_path))
    keep_manifest(str(tmp_path))
    assert code(tmp_path) == ("one", True)
    write_manifest(tmp_path, "2", "two")
    assert code(tmp_path) == ("one", True)
    (tmp_path / "copy").write_bytes((tmp_path / KEPT).read_bytes())
    write_built(built("2"), str(tmp_path))
    os.replace(tmp_path / "copy", tmp_path / KEPT)  # killed before it was taken away
    assert code(tmp_path) == ("two", True)
    write_manifest(tmp_path, "3", "three")
    assert code(tmp_path) == ("two", True)


def test_a_manifest_of_another_program_is_a_manifest_alone(tmp_path: Path) -> None:
    """dbt replaces manifest.json and knows nothing of the rest."""
    write_manifest(tmp_path, "1", "one")
    write_built(built("1"), str(tmp_path))
    (tmp_path / "manifest.json").write_bytes((tmp_path / "manifest.json").read_bytes().replace(b'"1"', b'"dbt"'))
    assert code(tmp_path) == ("one", False)
    assert manifest_of(str(tmp_path), "1") is None
    write_manifest(tmp_path, "2", "two")
    assert not (tmp_path / KEPT).exists()


def test_the_manifest_may_be_named_by_itself(tmp_path: Path) -> None:
    write_manifest(tmp_path, "1", "one")
    write_built(built("1", exists=False, print=None), str(tmp_path))
    assert A not in read_prior(state(tmp_path)).nodes
    assert A in read_prior(state(tmp_path, whole=False)).nodes


def test_a_head_that_is_too_long_to_be_looked_at_is_no_match(tmp_path: Path) -> None:
    write_manifest(tmp_path, "1", "one", pad=5000)
    write_built(built("1"), str(tmp_path))
    assert code(tmp_path) == ("one", False)


def test_secrets_and_the_environment_are_hidden(tmp_path: Path) -> None:
    write_built(built("1"), str(tmp_path), secrets=["s3cret"])
    text = (tmp_path / APPLIED).read_text()
    assert "s3cret" not in text
    assert '"E":"sha256:' in text
    assert "value" not in text
    assert text.endswith("}\n")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / APPLIED).mkdir()
    with pytest.raises(StateError, match="cannot be read"):
        read_built(str(tmp_path))
    (tmp_path / APPLIED).rmdir()
    (tmp_path / APPLIED).write_bytes(b"{")
    with pytest.raises(StateError, match="cannot be read"):
        read_prior(state(tmp_path))


def test_where_links_are_not_allowed_the_manifest_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str, target: str) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    write_manifest(tmp_path, "1", "one")
    write_built(built("1"), str(tmp_path))
    write_manifest(tmp_path, "2", "two")
    assert code(tmp_path) == ("one", True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [KEPT, APPLIED, "manifest.json"]


def test_a_run_that_ends_while_the_state_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from understudy.artifacts import built_file

    write_manifest(tmp_path, "1", "one")
    write_built(built("1"), str(tmp_path))
    asked = []

    def read(folder: str) -> BuiltState | None:
        found = read_built(folder)
        if not asked:
            write_manifest(tmp_path, "2", "two")
            write_built(built("2"), str(tmp_path))
        asked.append(1)
        return found

    monkeypatch.setattr(built_file, "read_built", read)
    assert code(tmp_path) == ("two", True)
    assert len(asked) == 2
