"""What is made anew after a change: that alone, and what hangs together with it. Counted in files and entries, not in time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.ages import age
from support.cli import ok, project, understudy

from understudy.app import load
from understudy.cache import renew
from understudy.core.project import Package
from understudy.parse.scan import Scanned

FILES = {
    "models/a.sql": "select {{ var('x', 1) }} as id", "models/b.sql": "select * from {{ ref('a') }} -- {{ env_var('WHO', '-') }}",
    "models/c.sql": "{{ config(tags=['c']) }} select {{ twice('id') }} from {{ ref('b') }}",
    "models/flagged.sql": "select {{ 1 if flags.FULL_REFRESH else 2 }} as id",
    "models/m.yml": """
        models:
        - {name: a, description: "{{ doc('about') }}", columns: [{name: id, data_tests: [unique, not_null]}]}
        - {name: b, columns: [{name: id, data_tests: [unique]}]}
        - {name: missing}
        sources: [{name: raw, tables: [{name: t}]}]
        unit_tests:
        - {name: u, model: c, given: [{input: ref('b'), rows: [{id: 1}]}], expect: {rows: [{id: 2}]}}
        """,
    "models/docs.md": "{% docs about %}All about it.{% enddocs %}",
    "macros/twice.sql": "{% macro twice(x) %}{{ inner(x) }}{% endmacro %}",
    "macros/inner.sql": "{% macro inner(x) %}2 * {{ x }}{% endmacro %}{% macro idle() %}{% endmacro %}",
    "seeds/s.csv": "id\n1", "tests/one.sql": "select 1 from {{ ref('c') }} where false",
}  # fmt: skip
A, B, C = "models/a.sql", "models/b.sql", "models/c.sql"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = age(project(tmp_path, FILES))
    ok("ls", cwd=root)
    return root


class Made:
    """What was made anew by one run: whole files, entries as path:list:name, and whether everything was."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.entries: set[str] = set()
        self.everything = False

    def see(self, scans: Iterable[Scanned]) -> None:
        """The scans of the last attempt count."""
        self.files, self.entries = set(), set()
        for scan in scans:
            if scan.file.kind != "properties":
                self.files.add(scan.file.path)
            self.entries |= {f"{key}:{entry['name']}" for key, found in scan.tree.items() for entry in found}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    found = Made()
    remake, read_all = renew.remake, load.read_all

    def remade(settings: Any, standing: Any, scans: Sequence[Scanned], hooked: Sequence[Package], **more: Any) -> Any:
        found.see(scans)
        return remake(settings, standing, scans, hooked, **more)

    def all_read(*args: Any) -> Any:
        found.everything = True
        return read_all(*args)

    monkeypatch.setattr(renew, "remake", remade)
    monkeypatch.setattr(load, "read_all", all_read)
    return found


def edit(root: Path, path: str, change: Callable[[str], str]) -> None:
    file = root / path
    file.write_text(change(file.read_text()))


def test_a_model_with_its_entry(shop: Path, made: Made) -> None:
    edit(shop, A, lambda text: text + " -- changed")
    ok("ls", cwd=shop)
    assert (made.files, made.entries, made.everything) == ({A}, {"models:a"}, False)


def test_a_model_with_its_unit_tests(shop: Path, made: Made) -> None:
    edit(shop, C, lambda text: text + " -- changed")
    ok("ls", cwd=shop)
    assert (made.files, made.entries) == ({C}, {"unit_tests:u"})


def test_one_entry_of_a_file(shop: Path, made: Made) -> None:
    edit(shop, "models/m.yml", lambda text: text.replace("name: b, columns", "name: b, description: x, columns"))
    ok("ls", cwd=shop)
    assert (made.files, made.entries) == ({B}, {"models:b"})


def test_entries_in_another_order_are_the_same(shop: Path, made: Made) -> None:
    edit(shop, "models/m.yml", lambda text: f"# a remark\n{text}\n")
    ok("ls", cwd=shop)
    assert (made.files, made.entries, made.everything) == (set(), set(), False)


def test_a_macro_with_what_ran_it(shop: Path, made: Made) -> None:
    edit(shop, "macros/inner.sql", lambda text: text.replace("2 *", "3 *"))
    ok("ls", cwd=shop)
    assert (made.files, made.entries) == ({"macros/inner.sql", C}, {"unit_tests:u"})


def test_a_macro_that_nothing_ran(shop: Path, made: Made) -> None:
    edit(shop, "macros/inner.sql", lambda text: text.replace("idle() %}", "idle() %} "))
    ok("ls", cwd=shop)
    assert (made.files, made.entries) == ({"macros/inner.sql"}, set())


def test_a_macro_that_comes_concerns_everything(shop: Path, made: Made) -> None:
    edit(shop, "macros/inner.sql", lambda text: text + "{% macro ref(x) %}{% endmacro %}")
    ok("ls", cwd=shop)
    assert made.everything


def test_a_docs_block_with_what_names_it(shop: Path, made: Made) -> None:
    edit(shop, "models/docs.md", lambda text: text.replace("All", "Nothing"))
    ok("ls", cwd=shop)
    assert (made.files, made.entries) == ({"models/docs.md", A}, {"models:a"})


def test_a_variable_with_what_used_it(shop: Path, made: Made) -> None:
    ok("ls", "--vars", "{x: 2}", cwd=shop)
    assert (made.files, made.entries) == ({A}, {"models:a"})
    made.see(())
    ok("ls", "--vars", "{x: 2, y: 3}", cwd=shop)
    assert (made.files, made.entries, made.everything) == (set(), set(), False)


def test_an_environment_variable_with_what_used_it(shop: Path, made: Made) -> None:
    ok("ls", cwd=shop, env={"WHO": "me"})
    assert (made.files, made.entries) == ({B}, {"models:b"})


def test_a_flag_with_what_looked_at_it(shop: Path, made: Made) -> None:
    ok("compile", "--full-refresh", cwd=shop)
    assert (made.files, made.entries) == ({"models/flagged.sql"}, set())


def test_a_model_that_comes_with_the_entry_that_missed_it(shop: Path, made: Made) -> None:
    (shop / "models/missing.sql").write_text("select * from {{ ref('c') }}")
    assert "shop.missing" in ok("ls", cwd=shop).lines
    assert (made.files, made.entries, made.everything) == ({"models/missing.sql"}, {"models:missing"}, False)


def test_a_model_that_goes_is_missed(shop: Path, made: Made) -> None:
    (shop / "tests/one.sql").unlink()
    assert "shop.one" not in ok("ls", cwd=shop).lines
    assert not made.everything
    (shop / A).unlink()
    ran = understudy("ls", cwd=shop)
    assert made.everything
    assert "'model.shop.b' depends on a node named 'a', which was not found" in ran.err


def test_a_mistake_is_told_as_by_a_whole_parse(shop: Path, made: Made) -> None:
    edit(shop, B, lambda text: text.replace("ref('a')", "ref('nothing')"))
    first = understudy("ls", cwd=shop)
    assert made.everything
    assert understudy("ls", "--no-partial-parse", cwd=shop).err == first.err
    edit(shop, B, lambda text: text.replace("ref('nothing')", "ref('a')"))
    made.everything = False
    ok("ls", cwd=shop)
    assert not made.everything


def test_what_differs_in_every_run_is_made_in_every_run(shop: Path, made: Made) -> None:
    (shop / "models/now.sql").write_text("{{ config(meta={'at': run_started_at | string}) }}select 1 as id")
    age(shop / "models/now.sql")
    for _ in range(2):
        ok("ls", cwd=shop)
        assert (made.files, made.everything) == ({"models/now.sql"}, False)
        made.see(())


@pytest.mark.parametrize(
    ("text", "timeless"),
    [
        ("select '{{ run_started_at }}' as at, '{{ invocation_id }}' as by", True),
        ("select '{{ var('at') }}' as at", True),
        ("select '{{ var('no', run_started_at) }}' as at", False),
        ("select '{{ modules.datetime.datetime.now() }}' as at", False),
        ("{% if run_started_at.day == 1 %}{{ ref('a') }}{% endif %}", False),
        ("{{ config(tags='sunday' if run_started_at.weekday() == 6 else 'day') }}select 1", False),
        ("{{ config(meta={'at': var('at')}) }}select 1", False),
        ("{{ config(alias=invocation_id) }}select 1", False),
        ("{% if run_started_at.year < 2020 %}{{ exceptions.raise_compiler_error('old') }}{% endif %}", False),
    ],
)
def test_a_template_that_only_writes_the_time_is_not_made_again(
    shop: Path, made: Made, text: str, timeless: bool
) -> None:
    edit(shop, "dbt_project.yml", lambda project: project + "vars: {at: '{{ run_started_at }}'}\n")
    (shop / "models/now.sql").write_text(text)
    age(shop / "models/now.sql")
    ok("ls", cwd=shop)
    made.see(())
    ok("ls", cwd=shop)
    assert made.files == (set() if timeless else {"models/now.sql"})


def test_a_second_run_finds_nothing_to_do(shop: Path, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(shop, A, lambda text: text + " -- changed")
    age(shop / A, 1)
    ok("ls", cwd=shop)
    monkeypatch.setattr(load, "renewed", None)
    monkeypatch.setattr(load, "read_all", None)
    ok("ls", cwd=shop)


def test_a_large_properties_file_is_not_read_for_one_model(shop: Path, made: Made) -> None:
    entries = "".join(f"- {{name: n{n}, columns: [{{name: id, data_tests: [unique]}}]}}\n" for n in range(50))
    (shop / "models/large.yml").write_text(f"models:\n{entries}")
    for n in range(50):
        (shop / f"models/n{n}.sql").write_text("select 1 as id")
    ok("ls", cwd=shop)
    made.everything = False
    edit(shop, "models/n7.sql", lambda text: text + " -- changed")
    ok("ls", cwd=shop)
    assert (made.files, made.entries, made.everything) == ({"models/n7.sql"}, {"models:n7"}, False)


def test_warnings_are_told_again(shop: Path, made: Made) -> None:
    expected = understudy("ls", "--no-partial-parse", cwd=shop).err
    assert "There is no node for the entry 'missing'" in expected
    assert understudy("ls", cwd=shop).err == expected
    edit(shop, A, lambda text: text + " -- changed")
    assert understudy("ls", cwd=shop).err == expected
