"""`manifest.json` written again: what did not change is copied, and what would stay as it is, is left alone."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.ages import age
from support.cli import manifest, ok, project

from understudy.artifacts import manifest as artifact
from understudy.cache import document, slots

FILES = {f"models/m{n}.sql": f"select {n} as id" for n in range(8)} | {
    "models/m.yml": "models: [{name: m1, columns: [{name: id, data_tests: [unique]}]}]",
    "models/last.sql": "select * from {{ ref('m1') }} join {{ ref('m2') }} using (id)",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = age(project(tmp_path, FILES))
    ok("parse", cwd=root)
    return root


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often an entry of each part of the file was made of its resource, rather than copied."""
    counts: Counter[str] = Counter()
    real = artifact.entry

    def counted(part: artifact.Part, key: str) -> bytes:
        counts[part.name] += 1
        return real(part, key)

    monkeypatch.setattr(document, "entry", counted)
    monkeypatch.setattr(artifact, "entry", counted)
    return counts


def content(root: Path) -> dict[str, Any]:
    """The file without its head."""
    found = manifest(root)
    del found["metadata"]
    return found


def whole(root: Path) -> dict[str, Any]:
    """What a parse of everything writes."""
    ok("parse", "--no-partial-parse", "--target-path", "whole", cwd=root)
    found: dict[str, Any] = json.loads((root / "whole" / "manifest.json").read_text())
    del found["metadata"]
    return found


def identity(root: Path) -> tuple[int, int]:
    status = (root / "target" / "manifest.json").stat()
    return status.st_ino, status.st_mtime_ns


@pytest.mark.parametrize("command", ["parse", "ls"])
def test_a_file_that_would_stay_the_same_is_left_alone(shop: Path, command: str) -> None:
    ok(command, cwd=shop)
    before = identity(shop)
    ok(command, cwd=shop)
    assert identity(shop) == before


def test_it_names_the_run_whose_results_stand_beside_it(shop: Path) -> None:
    for _ in range(2):
        ok("compile", cwd=shop)
        results = json.loads((shop / "target/run_results.json").read_text())
        assert manifest(shop)["metadata"]["invocation_id"] == results["metadata"]["invocation_id"]


def test_but_not_for_longer_than_an_hour(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others tell by its times how old it is."""
    before, head = identity(shop), manifest(shop)["metadata"]
    monkeypatch.setattr(document, "FRESH", 0)
    ok("ls", cwd=shop)
    assert identity(shop) != before
    assert manifest(shop)["metadata"]["generated_at"] > head["generated_at"]


@pytest.mark.parametrize("command", ["run", "test"])
def test_a_run_tells_its_time(shop: Path, command: str) -> None:
    ok("run", cwd=shop)
    before = manifest(shop)["metadata"]
    ok(command, cwd=shop)
    after = manifest(shop)["metadata"]
    assert after["generated_at"] > before["generated_at"]
    assert after["invocation_id"] != before["invocation_id"]


def test_only_the_changed_node_is_made_anew(shop: Path, encoded: Counter[str]) -> None:
    (shop / "models/m3.sql").write_text("select 33 as id")
    ok("ls", cwd=shop)
    assert encoded == {"nodes": 1}
    assert content(shop) == whole(shop)
    assert content(shop)["nodes"]["model.shop.m3"]["raw_code"] == "select 33 as id"


@pytest.mark.parametrize(
    "edit",
    [
        {"models/m3.sql": None},
        {"models/a.sql": "select 1 as id", "models/zz.sql": "select 2 as id"},
        {
            "models/m0.sql": None,
            "models/m7.sql": "select 7 as other",
            "models/last.sql": "select * from {{ ref('m4') }}",
        },
        {"models/m.yml": "models: [{name: m2, columns: [{name: id, data_tests: [not_null]}]}]"},
        {"models/m.yml": "groups: [{name: g, owner: {name: x}}]\nmodels: [{name: m2, group: g}]"},
        {"macros/one.sql": "{% macro one() %}1{% endmacro %}", "models/d.md": "{% docs d %}D{% enddocs %}"},
        {"models/m1.sql": None},
        {"models/m1.sql": "{{ config(enabled=false) }} select 1", "models/last.sql": None},
    ],
)
def test_every_kind_of_change_is_in_it(shop: Path, edit: dict[str, str | None]) -> None:
    for path, text in edit.items():
        if text is None:
            (shop / path).unlink()
            if path == "models/m1.sql":
                (shop / "models/last.sql").unlink(missing_ok=True)
        else:
            (shop / path).parent.mkdir(exist_ok=True)
            (shop / path).write_text(text)
    ok("ls", cwd=shop)
    assert content(shop) == whole(shop)
    assert (shop / "target/manifest.json").read_bytes()[-200:] == (shop / "whole/manifest.json").read_bytes()[-200:]
    for path, text in FILES.items():
        (shop / path).write_text(text)
    ok("ls", cwd=shop)
    assert content(shop) == whole(shop)


def test_what_a_run_compiled_is_in_it_and_goes_with_the_next_parse(shop: Path, encoded: Counter[str]) -> None:
    ok("compile", "-s", "m1 m2", cwd=shop)
    compiled = {i for i, node in content(shop)["nodes"].items() if node.get("compiled")}
    assert sorted(i.split(".")[2] for i in compiled) == ["m1", "m2", "unique_m1_id"]
    assert encoded["nodes"] == 3
    encoded.clear()
    ok("compile", "-s", "m2", cwd=shop)
    assert {i for i, node in content(shop)["nodes"].items() if node.get("compiled")} == {"model.shop.m2"}
    assert encoded["nodes"] == 2
    ok("ls", cwd=shop)
    assert content(shop) == whole(shop)


def test_another_programs_file_is_written_over(shop: Path) -> None:
    file = shop / "target/manifest.json"
    text = file.read_bytes()
    file.write_bytes(text.replace(b"select 3 as id", b"select 4 as id"))
    ok("ls", cwd=shop)
    assert file.read_bytes()[-999:] == text[-999:]
    assert content(shop) == whole(shop)


def test_a_file_that_is_gone_is_written_whole(shop: Path, encoded: Counter[str]) -> None:
    (shop / "target/manifest.json").unlink()
    ok("ls", cwd=shop)
    assert encoded["nodes"] == 10
    assert content(shop) == whole(shop)


def test_a_damaged_note_of_it_is_as_none(shop: Path) -> None:
    for file in (shop / slots.FOLDER).glob("manifest-*"):
        file.write_bytes(file.read_bytes()[:-1])
    (shop / "models/m3.sql").write_text("select 33 as id")
    ok("ls", cwd=shop)
    assert content(shop) == whole(shop)


def test_a_cache_from_before_knows_nothing_of_it(shop: Path) -> None:
    """Two processes may renew the same parse, each in its own way; then the one does not know what the other wrote."""
    (cache,) = (shop / slots.FOLDER).glob("parse-*")
    before = cache.read_bytes()
    (shop / "models/m3.sql").write_text("select 33 as id")
    ok("ls", cwd=shop)
    cache.write_bytes(before)
    (shop / "models/m3.sql").write_text(FILES["models/m3.sql"])
    (shop / "models/m4.sql").write_text("select 44 as id")
    ok("ls", cwd=shop)
    assert content(shop) == whole(shop)


def test_a_file_that_vanishes_meanwhile(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = document._read

    def vanished(file: int, copy: document.Copy) -> Any:
        raise OSError("gone")

    monkeypatch.setattr(document, "_read", vanished)
    (shop / "models/m3.sql").write_text("select 33 as id")
    ok("ls", cwd=shop)
    monkeypatch.setattr(document, "_read", real)
    assert content(shop) == whole(shop)


def test_volatile_nodes_are_made_anew_each_time(shop: Path, encoded: Counter[str]) -> None:
    path = shop / "models/now.sql"
    path.write_text("{{ config(tags=[invocation_id]) }} select 1 as id")
    age(path)
    tags = []
    for _ in range(3):
        ok("ls", cwd=shop)
        time.sleep(0.01)
        tags += content(shop)["nodes"]["model.shop.now"]["tags"]
    assert len(set(tags)) == 3
    encoded.clear()
    ok("ls", cwd=shop)
    assert encoded["nodes"] == 1
