"""`run-operation`: one macro, with its refs deferred like those of a model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.cli import manifest, ok, project, query, results, understudy

FILES = {
    "models/a.sql": "select 1 as id",
    "models/b.sql": "select * from {{ ref('a') }}",
    "models/e.sql": "{{ config(materialized='ephemeral') }} select 1 as id",
    "macros/ops.sql": """
        {% macro where_is(name) %}{{ print('execute ' ~ execute ~ ' ' ~ ref(name)) }}{% endmacro %}
        {% macro copy_a(times=1) %}
          {% for i in range(times) %}{% do run_query('create table dev.copy_' ~ i ~ ' as select * from ' ~ ref('a')) %}{% endfor %}
        {% endmacro %}
        {% macro through() %}{{ copy_a() }}{% endmacro %}
        {% macro half() %}
          {% do run_query('create schema if not exists dev') %}{% do run_query('create table dev.done as select 1 as x') %}
          {% do run_query('select nope') %}
        {% endmacro %}
        {% macro with_statement() %}
          {% call statement('x') %}create table dev.by_statement as select 1 as x{% endcall %}
        {% endmacro %}
        {% macro everything(a, b=2) %}{{ log(a ~ ' ' ~ b ~ ' ' ~ var('v', 'none'), info=True) }}{% endmacro %}
        {% macro refuses() %}{{ exceptions.raise_compiler_error('not today') }}{% endmacro %}
        """,
}
DEFER = ("--defer", "--state", "prod-artifacts")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return project(tmp_path, FILES)


@pytest.fixture
def produced(shop: Path) -> Path:
    ok("build", "--target", "prod", "--target-path", "prod-artifacts", cwd=shop)
    query(shop, "create schema dev")
    return shop


def operate(root: Path, macro: str, *args: str, given: object = None) -> str:
    """stdout of an operation that has to succeed."""
    return ok("run-operation", macro, *(() if given is None else ("--args", json.dumps(given))), *args, cwd=root).out


def test_arguments_variables_and_messages(shop: Path) -> None:
    ran = ok("run-operation", "everything", "--args", "{a: x}", "--vars", "{v: w}", cwd=shop)
    assert "x 2 w" in ran.err.splitlines()
    assert ran.out == ""
    assert "x 3 none" in ok("run-operation", "shop.everything", "--args", "{a: x, b: 3}", cwd=shop).err.splitlines()


def test_what_is_written(shop: Path) -> None:
    ok("run-operation", "everything", "--args", "{a: x}", cwd=shop)
    (result,) = results(shop).values()
    assert {key: result[key] for key in ("unique_id", "status", "failures", "message")} == {
        "unique_id": "macro.shop.everything",
        "status": "success",
        "failures": 0,
        "message": None,
    }
    assert [timing["name"] for timing in result["timing"]] == ["compile", "execute"]
    args = json.loads((shop / "target/run_results.json").read_text())["args"]
    assert args == {"which": "run-operation", "macro": "everything", "args": {"a": "x"}}
    assert "model.shop.a" in manifest(shop)["nodes"]


def test_each_statement_commits(shop: Path) -> None:
    ok("run", cwd=shop)
    operate(shop, "copy_a", given={"times": 2})
    operate(shop, "with_statement")
    found = query(shop, "select table_name from information_schema.tables where table_type = 'BASE TABLE' order by 1")
    assert found == [("by_statement",), ("copy_0",), ("copy_1",)]


def test_a_failure(shop: Path) -> None:
    ran = understudy("run-operation", "half", cwd=shop)
    assert ran.exit_code == 1
    assert '"nope"' in ran.err
    assert query(shop, "select * from dev.done") == [(1,)]
    assert [(result["status"], result["failures"]) for result in results(shop).values()] == [("error", 1)]


def test_missing_in_the_target(produced: Path) -> None:
    assert operate(produced, "where_is", *DEFER, given={"name": "a"}) == 'execute True "shop"."prod"."a"\n'
    assert operate(produced, "where_is", given={"name": "a"}) == 'execute True "shop"."dev"."a"\n'


def test_there_in_the_target(produced: Path) -> None:
    ok("run", "-s", "a", cwd=produced)
    assert operate(produced, "where_is", *DEFER, given={"name": "a"}) == 'execute True "shop"."dev"."a"\n'
    favored = operate(produced, "where_is", *DEFER, "--favor-state", given={"name": "a"})
    assert favored == 'execute True "shop"."prod"."a"\n'


def test_a_macro_that_calls_another(produced: Path) -> None:
    operate(produced, "through", *DEFER)
    assert query(produced, "select * from dev.copy_0") == [(1,)]


@pytest.mark.parametrize("macro", ["copy_a", "through"])
def test_what_the_macro_names_must_be_there(produced: Path, macro: str) -> None:
    query(produced, "drop view prod.a cascade")
    ran = understudy("run-operation", macro, *DEFER, cwd=produced)
    assert ran.exit_code == 2
    assert "shop.prod.a" in ran.err
    # another node's absence is no business of this macro
    assert operate(produced, "where_is", *DEFER, given={"name": "b"}) == 'execute True "shop"."prod"."b"\n'


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        ((), 2, ["needs a MACRO"]),
        (("everythin",), 2, ["'everythin'", "Did you mean 'everything'"]),
        (("other.everything",), 2, ["'other.everything'"]),
        (("everything", "more"), 2, ["'more'"]),
        (("everything", "--args", "[1]"), 2, ["--args", "map"]),
        (("everything", "--args", "{z: 1}"), 1, ["'z'", "macros/ops.sql"]),
        (("refuses",), 1, ["not today", "macros/ops.sql"]),
        (("where_is", "--args", "{name: e}"), 1, ["ephemeral"]),
        (("where_is", "--args", "{name: aa}"), 1, ["'aa'", "Did you mean 'a'"]),
        (("everything", "--defer"), 2, ["--defer needs a state"]),
    ],
)
def test_errors(shop: Path, args: tuple[str, ...], code: int, told: list[str]) -> None:
    ran = understudy("run-operation", *args, cwd=shop)
    assert ran.exit_code == code, ran.err
    assert "Traceback" not in ran.err
    for text in told:
        assert text in ran.err
