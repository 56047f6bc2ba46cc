"""`show` and `compile --inline`: rows and SQL of nodes and of queries, with their references deferred."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.cli import ok, project, query, understudy

FILES = {
    "models/a.sql": "select i as id, 'n' || i as name, i / 2 as half, date '2024-01-31' as day, null as nothing "
    "from range(8) t(i)",
    "models/e.sql": "{{ config(materialized='ephemeral') }} select id, name from {{ ref('a') }} where id > 5",
    "models/b.sql": "select * from {{ ref('e') }}",
    "models/schema.yml": """
        models:
          - name: b
            columns:
              - name: id
                data_tests: [not_null]
        """,
    "seeds/names.csv": "id,name,when,ok\n1,x,2024-01-31,true\n2,,2024-02-01,false\n007,z,,\n",
    "macros/limit.sql": "{% macro twice(x) %}{{ x }} * 2{% endmacro %}",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return project(tmp_path, FILES)


@pytest.fixture
def produced(shop: Path) -> Path:
    """Built in production; its artifacts stand in prod-artifacts, and dev is empty."""
    ok("build", "--target", "prod", "--target-path", "prod-artifacts", cwd=shop)
    return shop


def rows(root: Path, *args: str) -> list[dict[str, Any]]:
    """What `show --output json` shows."""
    found: list[dict[str, Any]] = json.loads(ok("show", *args, "--output", "json", cwd=root).out)["show"]
    return found


def test_a_table_of_the_first_five_rows(shop: Path) -> None:
    ok("run", cwd=shop)
    ran = ok("show", "-s", "a", cwd=shop)
    assert ran.lines[:4] == [
        "Previewing node 'a':",
        "id | name | half | day        | nothing",
        "-- | ---- | ---- | ---------- | -------",
        " 0 | n0   |  0.0 | 2024-01-31 |",
    ]
    assert len(ran.lines) == 3 + 5
    assert "a" in ran.err
    quiet = ok("-q", "show", "-s", "a", cwd=shop)
    assert quiet.lines == ran.lines[1:]
    assert quiet.err == ""


def test_json_as_dbt_writes_it(shop: Path) -> None:
    ok("run", cwd=shop)
    ran = ok("show", "-s", "a", "--limit", "1", "--output", "json", cwd=shop)
    row = {"id": 0, "name": "n0", "half": 0.0, "day": "2024-01-31", "nothing": None}
    assert ran.out == json.dumps({"node": "a", "show": [row]}, indent=2) + "\n"
    inline = ok("show", "--inline", "select 1 as x, 2 as x, 'é' as y", "--output", "json", cwd=shop)
    assert json.loads(inline.out) == {"show": [{"x": 1, "x_2": 2, "y": "é"}]}


@pytest.mark.parametrize(("limit", "count"), [("0", 0), ("3", 3), ("-1", 8), ("-2", 8), ("100", 8)])
def test_the_limit(shop: Path, limit: str, count: int) -> None:
    ok("run", cwd=shop)
    assert len(rows(shop, "-s", "a", "--limit", limit)) == count
    assert len(rows(shop, "--inline", "select * from {{ ref('a') }}", "--limit", limit)) == count
    assert len(rows(shop, "--inline-direct", "select * from dev.a", "--limit", limit)) == count


def test_the_limit_is_part_of_the_query(shop: Path) -> None:
    ran = ok("--debug", "show", "--inline", "select 1 as x", "--limit", "3", cwd=shop)
    assert "SQL select 1 as x\n  limit 3" in ran.err
    assert "limit" not in ok("--debug", "show", "--inline", "select 1 as x", "--limit", "-1", cwd=shop).err


def test_values_that_json_does_not_know(shop: Path) -> None:
    sql = "select 'nan'::double as n, [1, 2] as l, {'k': 1.5} as s, 12.50::decimal(5,2) as d, 'a'::blob as b"
    assert rows(shop, "--inline", sql) == [{"n": "nan", "l": [1, 2], "s": {"k": 1.5}, "d": 12.5, "b": "b'a'"}]


def test_a_query_uses_what_the_project_has(shop: Path) -> None:
    ok("run", cwd=shop)
    sql = "select {{ twice(21) }} as x, '{{ var('v') }}' as v from {{ ref('e') }} limit 1"
    assert rows(shop, "--inline", sql, "--limit", "-1", "--vars", "{v: w}") == [{"x": 42, "v": "w"}]


def test_direct_sql_is_not_rendered_and_needs_no_project_that_parses(shop: Path) -> None:
    (shop / "models/broken.sql").write_text("{% if %}")
    assert rows(shop, "--inline-direct", "select '{{ ref(1) }}' as x") == [{"x": "{{ ref(1) }}"}]


def test_selected_nodes_without_the_tests_that_come_along(shop: Path) -> None:
    ok("build", cwd=shop)
    ran = ok("show", "-s", "b", cwd=shop)
    assert ran.lines == ["Previewing node 'b':", "id | name", "-- | ----", " 6 | n6", " 7 | n7"]
    test = ok("show", "-s", "not_null_b_id", cwd=shop)
    assert test.lines == ["Previewing node 'not_null_b_id':", "id", "--"]


def test_a_seed_is_read_from_its_file(shop: Path) -> None:
    assert rows(shop, "-s", "names", "--limit", "2") == [
        {"id": 1, "name": "x", "when": "2024-01-31", "ok": True},
        {"id": 2, "name": None, "when": "2024-02-01", "ok": False},
    ]


def test_nothing_is_left_behind(shop: Path) -> None:
    (shop / "models/bad.sql").write_text("select nope")
    assert understudy("run", cwd=shop).exit_code == 1
    before = {path: path.read_bytes() for path in (shop / "target").rglob("*") if path.is_file()}
    ok("show", "-s", "a", cwd=shop)
    ok("show", "--inline", "select * from {{ ref('b') }}", cwd=shop)
    ok("compile", "--inline", "select * from {{ ref('b') }}", cwd=shop)
    assert {path: path.read_bytes() for path in (shop / "target").rglob("*") if path.is_file()} == before


def test_compile_inline(shop: Path) -> None:
    sql = "select * from {{ ref('e') }}"
    expected = (
        'with __dbt__cte__e as (\n select id, name from "shop"."dev"."a" where id > 5\n) select * from __dbt__cte__e'
    )
    assert ok("compile", "--inline", sql, cwd=shop).out == f"Compiled inline node is:\n{expected}\n"
    assert ok("-q", "compile", "--inline", sql, cwd=shop).out == f"{expected}\n"
    document = json.loads(ok("compile", "--inline", sql, "--output", "json", cwd=shop).out)
    assert document == {"compiled": expected}


# Deferral: every way in asks the same resolution

READS_A = "select count(*) as n, '{{ ref('a').schema }}' as where_ from {{ ref('a') }}"
DEFER = ("--defer", "--state", "prod-artifacts")


def test_missing_in_the_target(produced: Path) -> None:
    assert rows(produced, "--inline", READS_A, *DEFER) == [{"n": 8, "where_": "prod"}]
    assert understudy("show", "--inline", READS_A, cwd=produced).exit_code == 2


def test_there_in_the_target(produced: Path) -> None:
    ok("run", "-s", "a", cwd=produced)
    assert rows(produced, "--inline", READS_A, *DEFER) == [{"n": 8, "where_": "dev"}]
    assert rows(produced, "--inline", READS_A, *DEFER, "--favor-state") == [{"n": 8, "where_": "prod"}]
    assert rows(produced, "--inline", READS_A) == [{"n": 8, "where_": "dev"}]


def test_through_an_ephemeral_model_and_for_a_node(produced: Path) -> None:
    assert [row["id"] for row in rows(produced, "--inline", "select * from {{ ref('e') }}", *DEFER)] == [6, 7]
    assert [row["id"] for row in rows(produced, "-s", "b", *DEFER)] == [6, 7]
    sql = ok("-q", "compile", "--inline", "select * from {{ ref('e') }}", *DEFER, cwd=produced).out
    assert '"shop"."prod"."a"' in sql


def test_a_selected_node_that_is_missing_reads_the_state(produced: Path) -> None:
    """Row 8: `a` is selected, but show builds nothing."""
    assert [row["id"] for row in rows(produced, "-s", "a", "b", "--exclude", "a", *DEFER)] == [6, 7]
    out = ok("show", "-s", "a", "b", *DEFER, cwd=produced)
    assert "Previewing node 'b':" in out.lines


def test_what_is_missing_in_the_state_is_told_before_anything_runs(produced: Path) -> None:
    query(produced, "drop view prod.a cascade")
    ran = understudy("show", "--inline", READS_A, *DEFER, cwd=produced)
    assert ran.exit_code == 2
    assert "shop.prod.a" in ran.err
    assert "sql_operation.shop.inline_query" in ran.err


# Errors


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((), ["--inline", "--select"]),
        (("--inline", "select 1", "-s", "a"), ["--inline and --select exclude each other"]),
        (("--inline", "select 1", "--inline-direct", "select 1"), ["exclude each other"]),
        (("--inline", "select * from {{ ref('aa') }}"), ["'aa'", "--inline:1", "Did you mean 'a'"]),
        (("--inline", "select 1\n{% if %}"), ["--inline:2"]),
        (("--inline", "select nope"), ['"nope"', "--inline"]),
        (("--inline-direct", "select nope"), ['"nope"']),
        (("-s", "bad"), ['"nope"', "models/bad.sql"]),
        (("-s", "a", "--limit", "few"), ["--limit", "'few'"]),
        (("-s", "a", "--output", "yaml"), ["--output", "json, text"]),
    ],
)
def test_errors(shop: Path, args: tuple[str, ...], told: list[str]) -> None:
    (shop / "models/bad.sql").write_text("select nope")
    ran = understudy("show", *args, cwd=shop)
    assert ran.exit_code == 2, ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    for text in told:
        assert text in ran.err
