"""Hooks and transactions: what a model's hooks leave when the model fails."""

from __future__ import annotations

import json

import pytest
from conformance.shop import Shop

LOG = "dev.hook_log"
PROJECT = f"""
name: shop
version: '1.0'
profile: shop
on-run-start: ["create table if not exists {LOG} (what varchar(50))"]
"""
FAILS = "select cast('x' || cast(count(*) as varchar(20)) as integer) as id from dev.hook_log"


def logs(word: str) -> str:
    return f"insert into {LOG} select '{word}'"


@pytest.fixture
def logged(shop: Shop) -> Shop:
    """A project with a table that hooks write to."""
    return shop.write({"dbt_project.yml": PROJECT})


def model(sql: str, **hooks: str) -> str:
    given = ", ".join(f"{name.replace('_', '_')}=[{value}]" for name, value in hooks.items())
    return f"{{{{ config(materialized='table', {given}) }}}} {sql}"


class TestOutside:
    """Hooks outside of the model's transaction stand by themselves."""

    @pytest.mark.parametrize("hook", ['before_begin("{0}")', '{{"sql": "{0}", "transaction": false}}'])
    def test_before_a_model_that_fails(self, logged: Shop, hook: str) -> None:
        logged.models(a=model(FAILS, pre_hook=hook.format(logs("before")))).fails("run")
        assert logged.rows("hook_log") == [("before",)]

    def test_after_a_model_that_fails_they_do_not_run(self, logged: Shop) -> None:
        logged.models(a=model(FAILS, post_hook=f'after_commit("{logs("after")}")')).fails("run")
        assert logged.rows("hook_log") == []

    def test_one_that_fails_comes_after_the_model_stands(self, logged: Shop) -> None:
        logged.models(a=model("select 1 as id", post_hook='after_commit("select * from missing")'))
        assert logged.fails("run")["a"]["status"] == "error"
        assert logged.rows("a") == [(1,)]


class TestInside:
    """Hooks inside of the transaction share the model's fate."""

    @pytest.mark.never("spark", raises=AssertionError, reason="no transactions")
    def test_before_a_model_that_fails(self, logged: Shop) -> None:
        logged.models(a=model(FAILS, pre_hook=f'"{logs("inside")}"')).fails("run")
        assert logged.rows("hook_log") == []

    def test_they_see_what_is_built(self, logged: Shop) -> None:
        hook = f'"insert into {LOG} select cast(count(*) as varchar(9)) from {{{{ this }}}}"'
        logged.models(a=model("select 1 as id union all select 2", post_hook=hook)).ok("run")
        assert logged.rows("hook_log") == [("2",)]

    @pytest.mark.never("spark", raises=AssertionError, reason="no transactions")
    @pytest.mark.parametrize("kind", ["incremental", "table"])
    def test_a_failed_one_undoes_all(self, logged: Shop, kind: str) -> None:
        head = f"{{{{ config(materialized='{kind}') }}}}"
        logged.models(a=f"{head} select 1 as id").ok("run")
        hooks = f'post_hook=["{logs("after")}", "select * from missing"]'
        logged.models(a=f"{{{{ config(materialized='{kind}', {hooks}) }}}} select 2 as id").fails("run")
        assert logged.rows("a") == [(1,)]
        assert logged.rows("hook_log") == []


class TestSessions:
    """Each node has a session to itself, as far as it can tell."""

    @pytest.mark.never("spark", raises=AssertionError, reason="one session of Spark, which all nodes share")
    @pytest.mark.parametrize("head", ["pre_hook='{0}'", "sql_header='{0};'"])
    def test_a_temporary_table_is_not_the_next_nodes(self, shop: Shop, head: str) -> None:
        shop.threads = 1
        config = head.format("create temporary table mine as select 1 as id")
        text = f"{{{{ config(materialized='table', {config}) }}}} select * from mine"
        shop.write({}).models(a=text, b=text).ok("run")
        assert shop.rows("b") == [(1,)]


class TestEndOfRun:
    """What on-run-end hooks know of the run: its results and its schemas."""

    HOOK = """
    {% macro told(results, schemas, database_schemas) %}
      {% for r in results %}
        {% set d = r.to_dict() %}
        {% do print([r.node.unique_id, r.status, r.failures, r.node.config.materialized, r.timing | map(attribute='name') | list,
          (r.timing | first).started_at <= (r.timing | last).completed_at if r.timing else true, r.execution_time >= 0,
          d.node.alias, d.status == r.status, d.message == r.message, r.node.compiled_code is not none] | tojson) %}
      {% endfor %}
      {% do print(['schemas', schemas, database_schemas | map('last') | list] | tojson) %}
    {% endmacro %}
    """

    def test_results_and_schemas(self, shop: Shop) -> None:
        hook = "{% if execute %}{{ told(results, schemas, database_schemas) }}{% endif %}"
        project = f"name: shop\nversion: '1.0'\nprofile: shop\non-run-end: ['{hook}']\n"
        shop.write({
            "dbt_project.yml": project, "macros/m.sql": self.HOOK,
            "models/s.yml": "models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]",
        })  # fmt: skip
        shop.models(
            a="{{ config(schema='more') }} select 1 as id",
            b="select * from no_such_table",
            c="select * from {{ ref('b') }}",
        )
        ran = shop.run("build")
        assert ran.exit_code == 1
        lines = [json.loads(line) for line in ran.lines if line.startswith("[")]
        both = ["compile", "execute"]
        assert sorted(lines[:-1]) == [
            ["model.shop.a", "success", None, "view", both, True, True, "a", True, True, True],
            ["model.shop.b", "error", None, "view", both, True, True, "b", True, True, True],
            ["model.shop.c", "skipped", None, "view", [], True, True, "c", True, True, False],
            [next(each[0] for each in lines if "unique" in each[0]), "pass", 0, "test", both, True, True, "unique_a_id", True, True, True],
        ]  # fmt: skip
        assert lines[-1] == ["schemas", ["dev_more"], ["dev_more"]]

    def test_results_of_unit_tests(self, shop: Shop) -> None:
        hook = (
            "{% for r in results %}{% do print([r.node.name, r.node.resource_type, r.status] | tojson) %}{% endfor %}"
        )
        project = f'name: shop\nversion: "1.0"\nprofile: shop\non-run-end: ["{hook}"]\n'
        test = "unit_tests: [{name: u, model: a, given: [], expect: {rows: [{id: 1}]}}]"
        shop.write({"dbt_project.yml": project, "models/u.yml": test}).models(a="select 1 as id")
        ran = shop.run("build")
        lines = sorted(json.loads(line) for line in ran.lines if line.startswith("["))
        assert lines == [["a", "model", "success"], ["u", "unit_test", "pass"]]
