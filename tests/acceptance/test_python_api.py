"""`from understudy import Understudy`: commands from Python, and the examples of its page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from support.cli import project, query

from understudy import Result, Understudy
from understudy.api import ErrorRaised, Event, NodeFinished, Output, RunFinished, Started
from understudy.artifacts.catalog import Catalog
from understudy.core.manifest import Manifest
from understudy.errors import Cancelled, LinkError, StateError, UsageError

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/python-api.md"
FILES = {
    "models/a.sql": "select 1 as id",
    "models/b.sql": "select * from {{ ref('a') }}",
    "models/s.yml": "models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]",
    "macros/m.sql": "{% macro hello() %}{% do log('hello', info=true) %}{% do print('printed') %}{% endmacro %}",
    "models/sources.yml": """
        sources:
          - name: raw
            schema: dev
            tables: [{name: a, config: {freshness: {warn_after: {count: 1, period: day}}, loaded_at_field: now()}}]
    """,
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return project(tmp_path / "shop", FILES)


def run(root: Path, *args: str, **options: Any) -> Result:
    return Understudy(cwd=root).invoke(args, **options)


class TestResults:
    """The right type for each command, and dbt's exit codes."""

    def test_run(self, shop: Path) -> None:
        result = run(shop, "build")
        assert (result.success, result.exit_code, result.exception) == (True, 0, None)
        assert {each.node.name: each.status for each in result.results} == {
            "a": "success", "b": "success", "unique_a_id": "pass"
        }  # fmt: skip
        assert len(result.results) == 3
        assert result.results[0].node.name == "a"
        assert result.results.elapsed_time > 0
        assert result.result is result.results
        assert query(shop, "select * from dev.b") == [(1,)]

    def test_a_node_that_fails(self, shop: Path) -> None:
        (shop / "models/a.sql").write_text("select * from no_such_table")
        result = run(shop, "run")
        assert (result.success, result.exit_code, result.exception) == (False, 1, None)
        assert {each.unique_id: each.status for each in result.results} == {
            "model.shop.a": "error", "model.shop.b": "skipped"
        }  # fmt: skip
        again = run(shop, "retry")
        assert [each.unique_id for each in again.results] == ["model.shop.a", "model.shop.b"]

    def test_nothing_could_be_run(self, shop: Path) -> None:
        (shop / "models/a.sql").write_text("select * from {{ ref('nobody') }}")
        result = run(shop, "run")
        assert (result.success, result.exit_code, result.results) == (False, 2, None)
        assert isinstance(result.exception, LinkError)

    def test_other_commands(self, shop: Path) -> None:
        assert run(shop, "list", "--output", "name", "--resource-type", "model").results == ["a", "b"]
        manifest = run(shop, "parse").results
        assert isinstance(manifest, Manifest)
        assert "model.shop.b" in manifest.nodes
        compiled = run(shop, "compile", "-s", "b").results
        assert compiled[0].compiled_code == 'select * from "shop"."dev"."a"'
        run(shop, "run")
        (preview,) = run(shop, "show", "-s", "b").results
        assert (preview.name, preview.columns, list(preview.rows)) == ("b", ("id",), [(1,)])
        catalog = run(shop, "docs", "generate").results
        assert isinstance(catalog, Catalog)
        assert set(catalog.nodes) == {"model.shop.a", "model.shop.b"}
        (source,) = run(shop, "source", "freshness").results.results
        assert (source.unique_id, source.status) == ("source.shop.raw.a", "pass")
        assert run(shop, "debug").results is True
        assert run(shop, "run-operation", "hello").results[0].status == "success"
        assert run(shop, "plan").results.steps
        assert run(shop, "explain", "b").results.nodes
        assert run(shop, "clean").results is None

    def test_what_fails_with_exit_code_2_is_an_exception(self, shop: Path) -> None:
        result = run(shop, "show", "--inline", "select * from no_such_table")
        assert (result.exit_code, result.results) == (2, ())
        assert "no_such_table" in str(result.exception)

    @pytest.mark.parametrize(
        "args",
        [["no-such-command"], ["run", "--no-such-option"], ["run", "--threads", "many"], [], ["docs"], ["run", "word"]],
    )
    def test_usage(self, shop: Path, args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        result = Understudy(cwd=shop).invoke(args)
        assert result.exit_code == 2
        assert isinstance(result.exception, UsageError)
        assert capsys.readouterr() == ("", "")

    def test_options_by_name(self, shop: Path) -> None:
        (shop / "models/a.sql").write_text("select {{ var('n') }} as id, {{ flags.FULL_REFRESH }} as full")
        result = run(shop, "run", select=["a"], vars={"n": 7}, full_refresh=True, target="prod")
        assert result.success, result.exception
        assert query(shop, "select * from prod.a") == [(7, True)]
        assert run(shop, "list", select="b", output="name", resource_type=["model"]).results == ["b"]
        wrong = run(shop, "run", selct="a")
        assert isinstance(wrong.exception, UsageError)
        assert "Did you mean 'select'" in str(wrong.exception)

    def test_help_and_version_are_answered(self, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(shop, "--version").exit_code == 0
        assert run(shop, "run", "--help").exit_code == 0
        assert "understudy" in capsys.readouterr().out


class TestEvents:
    """Callbacks are told everything, and cannot break a run."""

    def test_typed_events(self, shop: Path) -> None:
        events: list[Event] = []
        result = Understudy(callbacks=[events.append], cwd=shop).invoke(["build"])
        assert sum(isinstance(each, Started) for each in events) == 1
        assert isinstance(events[-1], RunFinished)
        finished = {each.unique_id: each.status for each in events if isinstance(each, NodeFinished)}
        assert finished == {each.unique_id: each.status for each in result.results}

    def test_errors_and_results_are_events(self, shop: Path) -> None:
        events: list[Event] = []
        runner = Understudy(callbacks=[events.append], cwd=shop)
        runner.invoke(["list", "--output", "name", "-s", "a", "--resource-type", "model"])
        assert [each.text for each in events if isinstance(each, Output)] == ["a"]
        result = runner.invoke(["run", "--state", "nowhere", "-s", "state:modified"])
        assert isinstance(result.exception, StateError)
        (raised,) = (each for each in events if isinstance(each, ErrorRaised))
        assert raised.error is result.exception

    def test_a_callback_that_fails(self, shop: Path) -> None:
        def fail(event: Event) -> None:
            raise ValueError("no")

        events: list[Event] = []
        with pytest.warns(RuntimeWarning, match="A callback failed and is not called again"):
            result = Understudy(callbacks=[fail, events.append], cwd=shop).invoke(["run"])
        assert result.success
        assert isinstance(events[-1], RunFinished)

    def test_secrets_are_taken_out(self, shop: Path) -> None:
        profiles = (
            (shop / "profiles.yml").read_text().replace("{type: duckdb,", "{type: duckdb, motherduck_token: geheim123,")
        )
        (shop / "profiles.yml").write_text(profiles)
        (shop / "models/a.sql").write_text(
            "{{ log('my geheim123 and oh-no', info=true) }} select * from \"geheim123 oh-no\""
        )
        events: list[Event] = []
        environ = {**os.environ, "DBT_ENV_SECRET_X": "oh-no"}
        result = Understudy(callbacks=[events.append], cwd=shop, environ=environ).invoke(["run"])
        shown = repr(events) + repr([each.message for each in result.results]) + repr(result.results[0].error)
        assert "*****" in shown
        assert "oh-no" not in shown
        assert "geheim123" not in shown


class TestNoGlobals:
    """Nothing of the process is touched."""

    def test_two_at_once(self, tmp_path: Path) -> None:
        roots = [
            project(tmp_path / name, {"models/m.sql": f"select '{name}' as name, '{{{{ env_var('WHO') }}}}' as who"})
            for name in ("one", "two")
        ]
        both = threading.Barrier(2)
        results: dict[str, Result] = {}
        events: dict[str, list[Event]] = {"one": [], "two": []}

        def work(root: Path) -> None:
            runner = Understudy([events[root.name].append], cwd=root, environ={**os.environ, "WHO": root.name.upper()})
            for _ in range(5):
                both.wait(30)
                results[root.name] = runner.invoke(["build", "--target-path", "out"])

        before = os.getcwd()
        threads = [threading.Thread(target=work, args=(root,)) for root in roots]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert os.getcwd() == before
        for root in roots:
            assert results[root.name].success, results[root.name].exception
            assert query(root, "select * from dev.m") == [(root.name, root.name.upper())]
            assert (root / "out/run_results.json").exists()
            assert len([each for each in events[root.name] if isinstance(each, NodeFinished)]) == 5

    def test_nothing_is_printed(self, shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
        run(shop, "build")
        run(shop, "list")
        run(shop, "run-operation", "hello")
        run(shop, "show", "-s", "a")
        run(shop, "run", "-s", "state:modified")
        assert capfd.readouterr() == ("", "")

    def test_the_console_is_there_when_it_is_wanted(self, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
        result = Understudy(cwd=shop, console=True).invoke(
            ["list", "--output", "name", "-s", "a", "--resource-type", "model"]
        )
        assert result.results == ["a"]
        assert capsys.readouterr().out == "a\n"

    def test_a_project_dir(self, shop: Path, tmp_path: Path) -> None:
        result = Understudy(cwd=tmp_path).invoke(["run", "--project-dir", "shop", "--profiles-dir", "shop"])
        assert result.success, result.exception
        assert (shop / "logs/understudy.log").exists()

    def test_ctrl_c_is_a_result(self, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*args: object, **kwargs: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("understudy.app.pipeline.run_command", interrupted)
        result = run(shop, "run")
        assert isinstance(result.exception, Cancelled)
        assert result.exit_code == 1

    def test_a_mistake_of_ours_is_an_exception(self, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*args: object, **kwargs: object) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr("understudy.app.pipeline.run_command", broken)
        result = run(shop, "run")
        assert result.exit_code == 2
        assert "understudy itself failed: RuntimeError: broken" in str(result.exception)


@pytest.mark.parametrize("number", range(len(re.findall(r"```python\n", PAGE.read_text()))))
def test_the_examples_of_the_page(number: int, tmp_path: Path) -> None:
    """Each by itself, in a process of its own, beside a project `shop`."""
    files = {
        "models/stg_orders.sql": "{{ config(tags=['nightly']) }} select 1 as id",
        "models/orders.sql": "select * from {{ ref('stg_orders') }}",
    }
    project(tmp_path / "shop", files)
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[number]
    inside = "cwd=" not in code
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path / "shop" if inside else tmp_path,
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
