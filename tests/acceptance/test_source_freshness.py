"""`source freshness`: how old sources are, by field, query and filter; and selecting by it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.cli import ok, project, query, understudy

SOURCES = """
sources:
  - name: raw
    schema: raw
    config:
      loaded_at_field: loaded
      freshness:
        warn_after: {count: 1, period: hour}
        error_after: {count: 1, period: day}
    tables:
      - name: new
      - name: older
      - name: old
      - name: empty
      - name: unchecked
        config: {freshness: null}
      - name: filtered
        identifier: old
        config: {freshness: {filter: "id = 2"}}
  - name: by_query
    schema: raw
    config: {freshness: {warn_after: {count: 1, period: minute}}}
    tables:
      - name: old
        config: {loaded_at_query: "select min(loaded) from {{ this }} where {{ condition() }}"}
"""
BROKEN = """
sources:
  - name: broken
    schema: raw
    freshness: {warn_after: {count: 1, period: day}}
    tables:
      - {name: missing, loaded_at_field: loaded}
      - {name: text, identifier: old, loaded_at_field: "'yesterday'"}
      - {name: nothing, identifier: old}
"""
FILES = {
    "models/sources.yml": SOURCES,
    "models/m.sql": "select * from {{ source('raw', 'new') }}",
    "models/n.sql": "select * from {{ source('raw', 'older') }}",
    "macros/condition.sql": "{% macro condition() %}id = 2{% endmacro %}",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = project(tmp_path, FILES)
    now = datetime.now(UTC).replace(tzinfo=None)
    hours = {"new": (0, 0), "older": (5, 5), "old": (48, 2), "unchecked": (100, 100)}
    query(root, "create schema raw")
    query(root, "create table raw.empty (id int, loaded timestamp)")
    for name, (first, second) in hours.items():
        moments = [now - timedelta(hours=first, seconds=5), now - timedelta(hours=second, seconds=9)]
        if name == "old":
            moments = [now - timedelta(hours=48), now - timedelta(hours=49)]
        rows = ", ".join(f"({i}, timestamp '{moment}')" for i, moment in enumerate(moments, 1))
        query(root, f"create table raw.{name} as select * from (values {rows}) t(id, loaded)")
    return root


def found(root: Path, path: str = "target/sources.json") -> dict[str, dict[str, Any]]:
    """The results of `sources.json` by the source's name."""
    document = json.loads((root / path).read_text())
    assert document["metadata"]["dbt_schema_version"].endswith("/sources/v3.json")
    return {result["unique_id"].split(".", 2)[2]: result for result in document["results"]}


def test_statuses(shop: Path) -> None:
    ran = understudy("source", "freshness", cwd=shop)
    assert ran.exit_code == 1
    assert {name: result["status"] for name, result in found(shop).items()} == {
        "raw.new": "pass",
        "raw.older": "warn",
        "raw.old": "error",
        "raw.empty": "error",
        "raw.filtered": "error",
        "by_query.old": "warn",
    }
    assert "1 passed, 2 warned, 3 errors" in ran.err
    assert "should not be older than 1 day" in ran.err
    assert "There are no rows" in ran.err


def test_what_is_measured(shop: Path) -> None:
    understudy("source", "freshness", cwd=shop)
    results = found(shop)
    moments = {name: datetime.fromisoformat(result["max_loaded_at"]) for name, result in results.items()}
    (newest,), (second,) = query(shop, "select loaded from raw.old order by id")
    assert moments["raw.old"] == newest.replace(tzinfo=UTC)
    assert moments["raw.filtered"] == moments["by_query.old"] == second.replace(tzinfo=UTC)
    assert moments["raw.empty"].year == 1
    older = results["raw.older"]
    age = datetime.fromisoformat(older["snapshotted_at"]) - moments["raw.older"]
    assert older["max_loaded_at_time_ago_in_s"] == pytest.approx(age.total_seconds())
    assert older["criteria"] == {
        "warn_after": {"count": 1, "period": "hour"}, "error_after": {"count": 1, "period": "day"}, "filter": None,
    }  # fmt: skip
    assert {"timing", "thread_id", "execution_time", "adapter_response"} <= set(older)


def test_a_selection(shop: Path) -> None:
    ran = ok("source", "freshness", "-s", "source:raw.new", "source:raw.older", cwd=shop)
    assert set(found(shop)) == {"raw.new", "raw.older"}
    assert "WARN" in ran.err
    ok("source", "snapshot-freshness", "-s", "source:raw", "--exclude", "source:raw.old", "source:raw.empty",
       "source:raw.filtered", cwd=shop)  # fmt: skip
    assert set(found(shop)) == {"raw.new", "raw.older"}
    assert "nothing to do" in ok("source", "freshness", "-s", "source:raw.unchecked", cwd=shop).err


def test_another_file(shop: Path) -> None:
    ran = ok("source", "freshness", "-s", "source:raw.new", "-o", "out/fresh.json", cwd=shop)
    assert set(found(shop, "out/fresh.json")) == {"raw.new"}
    assert not (shop / "target/sources.json").exists()
    assert "CustomOutputPathInSourceFreshnessDeprecation" in ran.err
    ok("source", "freshness", "-s", "source:raw.new", "--no-write-json", cwd=shop)
    assert not (shop / "target/sources.json").exists()


def test_sources_that_cannot_be_asked(shop: Path) -> None:
    (shop / "models/broken.yml").write_text(BROKEN)
    ran = understudy("source", "freshness", "-s", "source:broken", "source:raw.new", cwd=shop)
    assert ran.exit_code == 1
    results = found(shop)
    assert {name: result["status"] for name, result in results.items()} == {
        "broken.missing": "runtime error",
        "broken.text": "runtime error",
        "broken.nothing": "runtime error",
        "raw.new": "pass",
    }
    assert "missing" in results["broken.missing"]["error"]
    for text in ("'yesterday'", "loaded_at_query in its properties", "models/broken.yml"):
        assert text in ran.err
    assert "Traceback" not in ran.err


def test_a_macro_of_the_project_measures(shop: Path) -> None:
    (shop / "macros/fresh.sql").write_text("""
        {% macro collect_freshness(source, loaded_at_field, filter) %}
          {% call statement('own', fetch_result=True) %}
            select timestamp '2020-01-01' as a, timestamp '2020-01-01 00:30:00' as b from {{ source }} limit 1
          {% endcall %}
          {{ return(load_result('own')) }}
        {% endmacro %}
    """)
    ok("source", "freshness", "-s", "source:raw.old", cwd=shop)
    assert found(shop)["raw.old"]["max_loaded_at_time_ago_in_s"] == 1800


def test_hooks_run_unless_the_flag_is_off(shop: Path) -> None:
    settings = (
        shop / "dbt_project.yml"
    ).read_text() + "on-run-end: create or replace table raw.hooked as select 1 as x\n"
    (shop / "dbt_project.yml").write_text(settings)
    ok("source", "freshness", "-s", "source:raw.new", cwd=shop)
    assert query(shop, "select * from raw.hooked") == [(1,)]
    assert set(found(shop)) == {"raw.new"}
    query(shop, "drop table raw.hooked")
    (shop / "dbt_project.yml").write_text(settings + "flags: {source_freshness_run_project_hooks: false}\n")
    ran = ok("source", "freshness", "-s", "source:raw.new", cwd=shop)
    assert "source_freshness_run_project_hooks is off" in ran.err
    assert query(shop, "select count(*) from duckdb_tables() where table_name = 'hooked'") == [(0,)]


def test_selecting_what_is_fresher(shop: Path) -> None:
    choose = ("list", "-s", "source_status:fresher+", "--output", "name")
    ok("source", "freshness", "-s", "source:raw.new", "source:raw.older", cwd=shop)
    (shop / "target").rename(shop / "before")
    ran = understudy(*choose, "--state", "before", cwd=shop)
    assert ran.exit_code == 2
    assert "source freshness" in ran.err
    ok("source", "freshness", "-s", "source:raw.new", "source:raw.older", cwd=shop)
    assert ok(*choose, "--state", "before", cwd=shop).lines == []
    query(shop, "insert into raw.older values (3, now()::timestamp)")
    ok("source", "freshness", "-s", "source:raw.new", "source:raw.older", cwd=shop)
    assert ok(*choose, "--state", "before", cwd=shop).lines == ["n", "raw.older"]
    before = json.loads((shop / "before/sources.json").read_text())
    before["results"] = [each for each in before["results"] if each["unique_id"].endswith("older")]
    (shop / "before/sources.json").write_text(json.dumps(before))
    assert ok(*choose, "--state", "before", cwd=shop).lines == ["m", "n", "raw.new", "raw.older"]
    before["results"][0]["max_loaded_at"] = "soon"
    (shop / "before/sources.json").write_text(json.dumps(before))
    assert "'soon'" in understudy(*choose, "--state", "before", cwd=shop).err
