"""A state that was read once: what is decoded of it later, and what makes it be read again. Counted, not timed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.ages import age
from support.cli import ok, project, understudy

from understudy.artifacts import state_files
from understudy.cache import slots
from understudy.cache import states as cached
from understudy.state import diff, prior
from understudy.state.fingerprint import raw_digest

FILES = {f"models/m{n}.sql": f"select {n} as id" for n in range(12)} | {
    "models/m.yml": """
        models: [{name: m1, config: {contract: {enforced: true}}, columns: [{name: id, data_type: int, data_tests: [unique]}]}]
        sources: [{name: raw, tables: [{name: t}]}]
        """,
    "models/macro.sql": "select {{ twice(1) }} as id", "macros/twice.sql": "{% macro twice(x) %}2 * {{ x }}{% endmacro %}",
    "seeds/s.csv": "id\n1",
}  # fmt: skip
STATE = ("--state", "prod")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = project(tmp_path, FILES)
    ok("parse", "--target", "prod", "--target-path", "prod", cwd=root)
    age(root)
    ok("ls", "-s", "state:modified", *STATE, cwd=root)
    return root


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Which entries of the state were decoded, and how often the file was read as a whole (`file`)."""
    counts: Counter[str] = Counter()
    entry, whole = prior.Entries.__getitem__, state_files.read_bytes

    def counted(self: prior.Entries[Any], unique_id: str) -> Any:
        counts[unique_id] += unique_id in self and unique_id not in self._kept
        return entry(self, unique_id)

    def read(state: state_files.StateFile, path: str) -> bytes:
        counts["file"] += 1
        return whole(state, path)

    monkeypatch.setattr(prior.Entries, "__getitem__", counted)
    monkeypatch.setattr(cached, "read_bytes", read)
    monkeypatch.setattr(state_files, "read_bytes", read)
    return counts


def found(root: Path, *args: str) -> list[str]:
    """What is selected, by name; the same as without the cache."""
    lines = ok("ls", *args, *STATE, "--output", "name", cwd=root).lines
    assert ok("ls", "--no-partial-parse", *args, *STATE, "--output", "name", cwd=root).lines == lines
    return lines


def test_nothing_is_decoded_where_nothing_changed(shop: Path, decoded: Counter[str]) -> None:
    assert ok("ls", "-s", "state:modified", *STATE, cwd=shop).lines == []
    assert +decoded == {"macro.shop.twice": 1}  # of macros the texts are compared


def test_what_changed_is_looked_at(shop: Path, decoded: Counter[str]) -> None:
    (shop / "models/m3.sql").write_text("select 33 as id")
    (shop / "models/new.sql").write_text("select 1 as id")
    assert ok("ls", "-s", "state:modified", *STATE, "--output", "name", cwd=shop).lines == ["m3", "new"]
    assert +decoded == {"macro.shop.twice": 1, "model.shop.m3": 1}


@pytest.mark.parametrize(
    ("path", "change", "expected"),
    [
        ("models/m3.sql", lambda text: text + "\n", []),
        ("models/m3.sql", lambda text: text.replace("3", "4"), ["m3"]),
        ("models/m.yml", lambda text: text.replace("int", "text"), ["m1"]),
        ("models/m.yml", lambda text: text.replace("name: t", "name: t, identifier: other"), []),
        ("macros/twice.sql", lambda text: text.replace("2 *", "3 *"), ["macro"]),
        ("seeds/s.csv", lambda text: text + "\n2", ["s"]),
        ("dbt_project.yml", lambda text: text + "models: {shop: {+materialized: table}}\n", ["m1", "macro"]),
    ],
)
def test_every_kind_of_change_is_seen(shop: Path, path: str, change: Callable[[str], str], expected: list[str]) -> None:
    (shop / path).write_text(change((shop / path).read_text()))
    names = found(shop, "-s", "state:modified", "--resource-type", "model", "seed")
    assert [name for name in names if name in ("m1", "macro", "s", "m3")] == expected or path == "dbt_project.yml"
    for selector in (
        "unmodified",
        "new",
        "old",
        "modified.body",
        "modified.configs",
        "modified.macros",
        "modified.contract",
    ):
        found(shop, "-s", f"state:{selector}")


def test_reasons_stay_exact(shop: Path) -> None:
    (shop / "models/m3.sql").write_text("{{ config(tags=['x'], materialized='table') }}select 33 as id")
    (shop / "macros/twice.sql").write_text("{% macro twice(x) %}3 * {{ x }}{% endmacro %}")
    shown = []
    for cache in ("--partial-parse", "--no-partial-parse"):
        ran = ok("plan", cache, "-s", "state:modified", *STATE, "--output", "json", cwd=shop)
        steps = json.loads(ran.out)["steps"]
        shown.append({step["name"]: step["changes"] for step in steps})
    assert shown[0] == shown[1]
    assert [change["key"] for change in shown[0]["m3"]] == ["raw_code", "materialized"]


def test_deferral_decodes_what_it_refers_to(shop: Path, decoded: Counter[str]) -> None:
    (shop / "models/last.sql").write_text("select * from {{ ref('m2') }}")
    ok("run", "--target", "prod", cwd=shop)
    decoded.clear()
    ok("compile", "-s", "last", "--defer", *STATE, cwd=shop)
    assert set(+decoded) == {"model.shop.m2"}


@pytest.mark.parametrize("how", ["touched", "copied"])
def test_another_file_with_the_same_text_is_known(shop: Path, decoded: Counter[str], how: str) -> None:
    file = shop / "prod/manifest.json"
    if how == "touched":
        age(file, 5)
    else:
        text = file.read_bytes()
        file.unlink()
        file.write_bytes(text)
    assert ok("ls", "-s", "state:modified", *STATE, cwd=shop).lines == []
    assert +decoded == {"file": 1, "macro.shop.twice": 1}


def test_another_text_is_read_again(shop: Path, decoded: Counter[str]) -> None:
    file = shop / "prod/manifest.json"
    file.write_bytes(file.read_bytes().replace(b"select 3 as id", b"select 4 as id"))
    assert found(shop, "-s", "state:modified") == ["m3"]
    assert decoded["file"] >= 1


def test_a_state_that_is_damaged_later(shop: Path) -> None:
    file = shop / "prod/manifest.json"
    file.write_bytes(file.read_bytes()[:-100])
    ran = understudy("ls", "-s", "state:modified", *STATE, cwd=shop)
    assert ran.exit_code == 2
    assert "is cut short" in ran.err


def test_a_damaged_entry_is_told_when_it_is_compared(shop: Path) -> None:
    file = shop / "prod/manifest.json"
    document = json.loads(file.read_bytes())
    document["nodes"]["model.shop.m3"]["fqn"] = 7
    file.write_text(json.dumps(document))
    for _ in range(2):
        ran = understudy("ls", "-s", "state:modified", *STATE, cwd=shop)
        assert "nodes['model.shop.m3']" in ran.err
    assert ok("ls", "-s", "tag:x", cwd=shop).lines == []


def test_an_unknown_macro_of_the_state_is_told(shop: Path) -> None:
    file = shop / "prod/manifest.json"
    document = json.loads(file.read_bytes())
    document["nodes"]["model.shop.m3"]["depends_on"]["macros"] = ["macro.shop.lost"]
    file.write_text(json.dumps(document, indent=1))
    for _ in range(2):
        ran = understudy("ls", "-s", "state:modified", *STATE, cwd=shop)
        assert "uses the unknown macro 'macro.shop.lost'" in ran.err


@pytest.mark.parametrize(
    "style", [{"indent": 2}, {"separators": (",", ":")}, {"sort_keys": True}, {"ensure_ascii": False}]
)
def test_every_way_to_write_json(shop: Path, style: dict[str, Any], decoded: Counter[str]) -> None:
    (shop / "models/größe.sql").write_text("select 1 as id")
    ok("parse", "--target", "prod", "--target-path", "prod", cwd=shop)
    file = shop / "prod/manifest.json"
    file.write_text(json.dumps(json.loads(file.read_bytes()), **style))
    age(file)
    (shop / "models/m3.sql").write_text("select 33 as id")
    assert found(shop, "-s", "state:modified") == ["m3"]
    decoded.clear()
    assert ok("ls", "-s", "state:modified", *STATE, "--output", "name", cwd=shop).lines == ["m3"]
    assert decoded["model.shop.m3"] == 1


def test_a_damaged_note_of_it_is_as_none(shop: Path, decoded: Counter[str]) -> None:
    (note,) = (shop / slots.FOLDER).glob("state-*")
    note.write_bytes(note.read_bytes()[:-1])
    assert ok("ls", "-s", "state:modified", *STATE, cwd=shop).lines == []
    assert decoded["file"] == 1


def test_equal_digests_are_the_same_by_every_check(shop: Path) -> None:
    """What digests let pass, a comparison without them lets pass, too, for the state of a run with other settings."""
    captured: list[diff.Comparison] = []
    real = diff.compare

    def compare(manifest: Any, state: prior.Prior, same: Any = None) -> diff.Comparison:
        captured.append(real(manifest, state, same))
        return captured[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diff, "compare", compare)
        (shop / "models/m3.sql").write_text("select 33 as id")
        ok("ls", "-s", "state:modified", *STATE, cwd=shop)
    (comparison,) = captured
    plain = diff.compare(comparison.manifest, comparison.prior)
    assert any(comparison._same(unique_id) for unique_id in comparison.manifest.cards)
    for unique_id in comparison.manifest.cards:
        assert comparison.changes(unique_id) == plain.changes(unique_id)
        for selector in diff.SELECTORS:
            assert comparison.matches(selector, unique_id) == plain.matches(selector, unique_id)
    assert comparison.contract_breaks() == plain.contract_breaks()


def test_a_source_whose_writer_did_not_record_its_names_has_no_digest() -> None:
    old = prior.PriorSource("source.shop.raw.t", ["shop", "raw", "t"], schema="raw")
    assert raw_digest(old) == b""
    assert raw_digest(msgspec.structs.replace(old, unrendered_database=None, unrendered_schema="raw")) != b""


def test_what_is_really_built_lies_over_what_is_kept(shop: Path) -> None:
    """A run that leaves some nodes as they were: the manifest of today, and relations of older code, or none, under it."""
    built = ("--target", "prod", "--target-path", "built")
    ok("build", *built, cwd=shop)
    (shop / "models/m3.sql").write_text("select 33 as id")
    (shop / "models/m4.sql").write_text("select no_such_column")
    (shop / "models/new.sql").write_text("select no_such_column")
    (shop / "macros/twice.sql").write_text("{% macro twice(x) %}3 * {{ x }}{% endmacro %}")
    understudy("run", "-s", "m2", "m4", "new", *built, cwd=shop)
    state = ("-s", "state:modified", "--state", "built", "--output", "name")
    for _ in range(2):  # read, and known
        lines = ok("ls", *state, cwd=shop).lines
        assert lines == ["m3", "m4", "macro", "new"]
        assert ok("ls", "--no-partial-parse", *state, cwd=shop).lines == lines
    assert ok("ls", "-s", "state:new", *state[2:], cwd=shop).lines == ["new"]
