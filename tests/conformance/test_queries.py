"""Commands that ask: show, run-operation, source freshness."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conformance.shop import Shop

DEFER = ("--defer", "--state", "prod-artifacts")


def shown(shop: Shop, *args: str) -> list[dict[str, Any]]:
    """What `show` shows."""
    ran = shop.run("show", *args, "--output", "json")
    assert ran.exit_code == 0, ran.err
    found: list[dict[str, Any]] = json.loads(ran.out)["show"]
    return found


class TestShow:
    """Rows of nodes and of queries."""

    def test_nodes_and_queries(self, shop: Shop) -> None:
        shop.models(
            a="{{ config(materialized='table') }} select 1 as id, 'x' as name, cast(1.5 as decimal(5, 2)) as half "
            "union all select 2, null, null",
            e="{{ config(materialized='ephemeral') }} select * from {{ ref('a') }} where id = 1",
        ).ok("run")
        assert shown(shop, "-s", "e") == [{"id": 1, "name": "x", "half": 1.5}]
        assert shown(shop, "--inline", "select id from {{ ref('a') }} order by id", "--limit", "1") == [{"id": 1}]
        assert shown(shop, "--inline-direct", "select 1 as x") == [{"x": 1}]
        ran = shop.run("show", "--inline", "select nope from {{ ref('a') }}")
        assert ran.exit_code == 2
        assert "nope" in ran.err

    def test_references_are_deferred(self, shop: Shop) -> None:
        shop.models(a="{{ config(materialized='table') }} select 7 as id")
        shop.ok("run", "--target", "prod")
        (shop.root / "target").rename(shop.root / "prod-artifacts")
        assert shown(shop, "--inline", "select id from {{ ref('a') }}", *DEFER) == [{"id": 7}]


class TestOperation:
    """Macros that are called from the command line."""

    def test_statements_commit(self, shop: Shop) -> None:
        macro = """
            {% macro rebuild(name) %}
              {% do run_query('create table ' ~ api.Relation.create(schema=target.schema, identifier=name)
                              ~ ' as select id from ' ~ ref('a')) %}
            {% endmacro %}
            {% macro fails() %}{{ rebuild('left') }}{% do run_query('select nope') %}{% endmacro %}
            """
        shop.write({"macros/m.sql": macro}).models(a="select 3 as id").ok("run")
        shop.ok("run-operation", "rebuild", "--args", "{name: copy}")
        assert shop.rows("copy") == [(3,)]
        assert shop.fails("run-operation", "fails")["fails"]["status"] == "error"
        assert shop.rows("left") == [(3,)]


class TestFreshness:
    """How old sources are."""

    def test_by_field_and_by_query(self, shop: Shop) -> None:
        sources = """
            sources:
              - name: own
                schema: "{{ target.schema }}"
                config: {freshness: {warn_after: {count: 1, period: hour}, error_after: {count: 1, period: day}}}
                tables:
                  - {name: old, config: {loaded_at_field: seen}}
                  - {name: new, identifier: old, config: {loaded_at_query: "select {{ current_timestamp() }}"}}
                  - {name: none, identifier: old, config: {loaded_at_field: seen, freshness: {filter: 1 = 2}}}
            """
        shop.write({"models/sources.yml": sources})
        shop.models(old="{{ config(materialized='table') }} select cast('2024-01-02 03:04:05' as timestamp) as seen")
        shop.ok("run")
        shop.fails("source", "freshness")
        document = json.loads((shop.root / "target/sources.json").read_text())
        found = {result["unique_id"].split(".")[3]: result for result in document["results"]}
        assert {name: result["status"] for name, result in found.items()} == {
            "old": "error",
            "new": "pass",
            "none": "error",
        }
        assert found["old"]["max_loaded_at"] == "2024-01-02T03:04:05+00:00"
        assert found["none"]["max_loaded_at"] == "0001-01-01T00:00:00+00:00"


class TestIntrospection:
    """What templates ask while they are rendered, and `--no-introspect`, which forbids it."""

    ASKS = "{% set found = run_query('select 5 as n') %} select {{ found.rows[0][0] if execute else 0 }} as id"

    @pytest.mark.parametrize("command", ["compile", "show"])
    def test_they_ask_or_may_not(self, shop: Shop, command: str) -> None:
        shop.models(a=self.ASKS, b="select 1 as id")
        ran = shop.run(command, "-s", "a")
        assert ran.exit_code == 0, ran.err
        assert "5" in ran.out
        refused = shop.run(command, "-s", "a", "--no-introspect")
        assert refused.exit_code == 2
        assert "asks the database" in refused.err
        assert shop.run(command, "-s", "b", "--no-introspect").exit_code == 0


class TestDebug:
    """`debug`: whether project, profile and engine answer."""

    def test_all_is_well(self, shop: Shop) -> None:
        ran = shop.run("debug")
        assert ran.exit_code == 0, ran.out
        assert "connection" in ran.out
        assert "FAIL" not in ran.out

    def test_only_the_connection(self, shop: Shop) -> None:
        ran = shop.run("debug", "--connection")
        assert ran.exit_code == 0
        assert "dbt_project.yml" not in ran.out

    @pytest.mark.parametrize(
        ("file", "text", "told"),
        [
            ("profiles.yml", "shop: {target: dev, outputs: {}}", "outputs"),
            ("profiles.yml", "other: {target: dev, outputs: {dev: {type: duckdb}}}", "profile"),
            ("profiles.yml", "shop: {target: dev, outputs: {dev: {type: no_such_engine}}}", "no_such_engine"),
            ("profiles.yml", "shop: [", "YAML"),
            ("dbt_project.yml", "name: shop: x", "YAML"),
        ],
    )
    def test_what_is_wrong_is_told(self, shop: Shop, file: str, text: str, told: str) -> None:
        (shop.root / file).write_text(text)
        ran = shop.run("debug")
        assert ran.exit_code == 1
        assert "FAIL" in ran.out
        assert told in ran.out

    @pytest.mark.never("duckdb", "spark", raises=AssertionError, reason="no server that may be away")
    def test_nobody_answers(self, shop: Shop) -> None:
        ran = shop.as_somebody({"port": 1, "host": "127.0.0.1"}).run("debug")
        assert ran.exit_code == 1
        assert "Connection error" in ran.out
