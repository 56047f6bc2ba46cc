"""`retry`: what failed runs again, as the run that failed was asked for: its selection, state, variables, target."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support.cli import compiled, ok, project, query, results, understudy

import understudy as understudy_package

SOURCE = str(Path(understudy_package.__file__).parents[1])
BROKEN = "select * from {{ ref('a') }} where nope = 1"
MENDED = "select * from {{ ref('a') }}"
FILES = {
    "models/a.sql": "select 1 as id",
    "models/b.sql": BROKEN,
    "models/c.sql": "select id, '{{ var('v', 'none') }}' as v from {{ ref('b') }}",
    "models/d.sql": "select * from {{ ref('a') }}",
    "models/schema.yml": """
        models:
          - name: a
            columns:
              - name: id
                data_tests: [unique]
          - name: d
            columns:
              - name: id
                data_tests:
                  - accepted_values: {arguments: {values: [2], quote: false}}
        """,
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return project(tmp_path, FILES)


def statuses(root: Path, target: str = "target") -> dict[str, str]:
    """What became of each node, by its short name."""
    return {uid.split(".")[2]: result["status"] for uid, result in results(root, target).items()}


def mend(root: Path) -> None:
    (root / "models/b.sql").write_text(MENDED)


def args(root: Path, target: str = "target") -> dict[str, Any]:
    """The arguments that the last run wrote down."""
    found: dict[str, Any] = json.loads((root / target / "run_results.json").read_text())["args"]
    return found


def test_what_failed_and_what_was_skipped(shop: Path) -> None:
    assert understudy("build", cwd=shop).exit_code == 1
    failing = "accepted_values_d_id__False__2"
    assert statuses(shop) == {
        "a": "success", "unique_a_id": "pass", "b": "error", "c": "skipped", "d": "success", failing: "fail",
    }  # fmt: skip
    mend(shop)
    assert understudy("retry", cwd=shop).exit_code == 1  # the test still fails
    assert statuses(shop) == {"b": "success", "c": "success", failing: "fail"}
    assert args(shop)["which"] == "build"
    (shop / "models/a.sql").write_text("select 2 as id")
    ok("run", "-s", "a", cwd=shop)


def test_again_and_again(shop: Path) -> None:
    assert understudy("run", cwd=shop).exit_code == 1
    assert understudy("retry", cwd=shop).exit_code == 1
    assert statuses(shop) == {"b": "error", "c": "skipped"}
    mend(shop)
    ok("retry", cwd=shop)
    assert statuses(shop) == {"b": "success", "c": "success"}
    before = (shop / "target/run_results.json").read_bytes()
    ran = ok("retry", cwd=shop)
    assert "Nothing to retry" in ran.err
    assert (shop / "target/run_results.json").read_bytes() == before


def test_variables_target_and_full_refresh_come_back(shop: Path) -> None:
    command = ("run", "--vars", "{v: theirs}", "--target", "prod", "--full-refresh", "-s", "b+", "a")
    assert understudy(*command, cwd=shop).exit_code == 1
    mend(shop)
    ok("retry", cwd=shop)
    assert query(shop, "select * from prod.c") == [(1, "theirs")]
    assert args(shop) == {
        "which": "run", "vars": {"v": "theirs"}, "target": "prod", "full_refresh": True, "select": ["b+", "a"],
    }  # fmt: skip


def test_what_retry_is_given_wins(shop: Path) -> None:
    assert understudy("run", "--vars", "{v: theirs}", "--threads", "2", cwd=shop).exit_code == 1
    mend(shop)
    ran = ok("--debug", "retry", "--vars", "{v: mine}", "--threads", "1", cwd=shop)
    assert query(shop, "select * from dev.c") == [(1, "mine")]
    assert args(shop)["threads"] == 1
    assert "Thread-2" not in (shop / "target/run_results.json").read_text(), ran.err


def test_todays_environment_is_not_the_runs(shop: Path) -> None:
    assert understudy("run", cwd=shop).exit_code == 1
    mend(shop)
    ok("retry", cwd=shop, env={"DBT_TARGET": "prod", "DBT_STATE": "nowhere", "DBT_DEFER": "1"})
    assert query(shop, "select * from dev.c") == [(1, "none")]


def test_what_the_environment_gave_comes_back(shop: Path) -> None:
    assert understudy("run", cwd=shop, env={"DBT_TARGET": "prod"}).exit_code == 1
    mend(shop)
    ok("retry", cwd=shop)
    assert query(shop, "select * from prod.c") == [(1, "none")]


DBTS_ARGS = {
    "which": "run", "select": ["b+", "a"], "exclude": [], "resource_types": [], "vars": {"v": "theirs"}, "defer": False,
    "indirect_selection": "eager", "full_refresh": True, "warn_error_options": {"error": [], "warn": [], "silence": []},
    "favor_state": False, "target": "prod", "introspect": True, "partial_parse": True, "log_path": "/nowhere/logs",
    "project_dir": "/nowhere", "profiles_dir": "/nowhere", "sqlparse": {"MAX_GROUPING_DEPTH": None}, "empty": False,
    "log_format": "text", "printer_width": 80, "show": False, "threads": 1, "invocation_command": "dbt run",
}  # fmt: skip


def test_a_run_of_dbts(shop: Path) -> None:
    assert understudy("run", "--target", "prod", cwd=shop).exit_code == 1
    path = shop / "target/run_results.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "args": DBTS_ARGS}))
    mend(shop)
    ok("retry", cwd=shop)
    assert statuses(shop) == {"b": "success", "c": "success"}
    assert query(shop, "select * from prod.c") == [(1, "theirs")]
    assert args(shop)["full_refresh"] is True


def test_another_folder(shop: Path) -> None:
    assert understudy("run", "--target-path", "out", cwd=shop).exit_code == 1
    mend(shop)
    assert understudy("retry", cwd=shop).exit_code == 2
    ok("retry", "--target-path", "out", cwd=shop)
    assert statuses(shop, "out") == {"b": "success", "c": "success"}


def test_state_names_the_run(shop: Path) -> None:
    assert understudy("run", "--target-path", "out", cwd=shop).exit_code == 1
    mend(shop)
    ok("retry", "--state", "out", cwd=shop)
    assert statuses(shop) == {"b": "success", "c": "success"}


# Deferral


@pytest.fixture
def produced(shop: Path) -> Path:
    mend(shop)
    ok("run", "--target", "prod", "--target-path", "prod-artifacts", cwd=shop)
    (shop / "models/b.sql").write_text(BROKEN)
    return shop


@pytest.mark.parametrize("state", [("--state", "prod-artifacts"), ("--defer-state", "prod-artifacts")])
def test_the_state_comes_back(produced: Path, state: tuple[str, str]) -> None:
    """dbt loses --defer-state here."""
    assert understudy("run", "-s", "b+", "--defer", *state, cwd=produced).exit_code == 1
    mend(produced)
    ok("retry", cwd=produced)
    assert statuses(produced) == {"b": "success", "c": "success"}
    assert '"prod"."a"' in compiled(produced, "models/b.sql")
    assert '"dev"."b"' in compiled(produced, "models/c.sql")


def test_what_the_earlier_run_built_counts_as_selected(produced: Path) -> None:
    """With --favor-state an unselected node is the state's; `a` is not part of the second run, but of the selection."""
    command = ("run", "-s", "a", "b", "--defer", "--state", "prod-artifacts", "--favor-state")
    assert understudy(*command, cwd=produced).exit_code == 1
    mend(produced)
    ok("retry", cwd=produced)
    assert statuses(produced) == {"b": "success"}
    assert '"dev"."a"' in compiled(produced, "models/b.sql")


def test_a_node_that_is_no_longer_selected_is_retried(produced: Path) -> None:
    """b is mended to what production has, so that it is not modified any more."""
    command = ("run", "-s", "state:modified", "--defer", "--state", "prod-artifacts")
    assert understudy(*command, cwd=produced).exit_code == 1
    assert statuses(produced) == {"b": "error"}
    mend(produced)
    ok("retry", cwd=produced)
    assert statuses(produced) == {"b": "success"}


def test_what_the_earlier_run_built_counts_though_it_is_no_longer_selected(produced: Path) -> None:
    """`a` was modified and built in dev; it is taken back before the retry, so the selection does not hold it any more."""
    (produced / "models/a.sql").write_text("select 2 as id")
    command = ("run", "-s", "state:modified", "--defer", "--state", "prod-artifacts", "--favor-state")
    assert understudy(*command, cwd=produced).exit_code == 1
    assert statuses(produced) == {"a": "success", "b": "error"}
    (produced / "models/a.sql").write_text(FILES["models/a.sql"])
    mend(produced)
    ok("retry", cwd=produced)
    assert statuses(produced) == {"b": "success"}
    assert '"dev"."a"' in compiled(produced, "models/b.sql")


def test_another_state(produced: Path) -> None:
    os.rename(produced / "prod-artifacts", produced / "old")
    assert understudy("run", "-s", "b+", "--defer", "--state", "old", cwd=produced).exit_code == 1
    os.rename(produced / "old", produced / "new")
    mend(produced)
    ran = understudy("retry", cwd=produced)
    assert ran.exit_code == 2
    assert "--state of the last run old" in ran.err
    os.rename(produced / "new", produced / "old")
    ok("retry", "--defer-state", "old", cwd=produced)


# Other commands, other ends


def test_an_operation(tmp_path: Path) -> None:
    macro = "{% macro make(name) %}{% do run_query('create table ' ~ name ~ ' as select * from later') %}{% endmacro %}"
    root = project(tmp_path, {"macros/make.sql": macro})
    assert understudy("run-operation", "make", "--args", "{name: made}", cwd=root).exit_code == 1
    query(root, "create table later as select 1 as x")
    ok("retry", cwd=root)
    assert query(root, "select * from made") == [(1,)]
    assert "Nothing to retry" in ok("retry", cwd=root).err


def test_warnings_with_warn_error(shop: Path) -> None:
    mend(shop)
    text = (shop / "models/schema.yml").read_text()
    (shop / "models/schema.yml").write_text(text.replace("values: [2]", "values: [2]}, config: {severity: warn"))
    ok("build", cwd=shop)
    assert "Nothing to retry" in ok("retry", cwd=shop).err
    assert understudy("retry", "--warn-error", cwd=shop).exit_code == 1
    assert list(statuses(shop).values()) == ["fail"]


def test_a_run_that_was_interrupted(tmp_path: Path) -> None:
    slow = "select count(*) as n from range(10000000) a, range({{ var('size', 1) }}) b where a.range % 7 = b.range % 11"
    files = {
        "models/a.sql": "select 1 as id",
        "models/b.sql": "{{ config(materialized='table') }} -- {{ ref('a') }}\n" + slow,
    }
    root = project(tmp_path, {**files, "models/c.sql": "select * from {{ ref('b') }}"})
    command = [sys.executable, "-m", "understudy", "run", "--threads", "1", "--vars", "{size: 100000}"]
    run = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not (root / "target/run/shop/models/a.sql").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.3)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 1, err
    assert statuses(root) == {"a": "success", "b": "skipped", "c": "skipped"}
    ok("retry", "--vars", "{size: 1}", cwd=root)
    assert statuses(root) == {"b": "success", "c": "success"}


def test_a_run_that_was_killed(tmp_path: Path) -> None:
    """It had no time to write its results; what it had done until then is known, and not done again."""
    kills = """
import os
import signal
import time
from pathlib import Path

def model(dbt, session):
    dbt.ref("a")
    while "model.shop.a" not in Path("target/unfinished_run.jsonl").read_text().partition("\\n")[2]:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
    return None
"""
    root = project(
        tmp_path,
        {
            "models/a.sql": "select 1 as id",
            "models/b.py": kills.lstrip(),
            "models/c.sql": "select '{{ var('v', 'none') }}' as v -- {{ ref('b') }}",
            "models/z.sql": "select 1 as id",
        },
    )
    ok("run", "-s", "a", cwd=root)
    before = results(root)
    ran = subprocess.run(
        [sys.executable, "-m", "understudy", "run", "-s", "a", "b+", "--vars", "{v: given}", "--threads", "1"],
        cwd=root, env={**os.environ, "PYTHONPATH": SOURCE}, check=False, capture_output=True,
    )  # fmt: skip
    assert ran.returncode == -signal.SIGKILL
    assert results(root) == before
    (root / "models/b.py").write_text("def model(dbt, session):\n    return session.sql('select 2 as id')\n")
    ok("retry", cwd=root)
    assert statuses(root) == {"b": "success", "c": "success"}
    assert query(root, "select v from dev.c") == [("given",)]
    assert "Nothing to retry" in ok("retry", cwd=root).err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, ["no earlier run", "run_results.json", "--target-path"]),
        ("{", ["run_results.json cannot be read"]),
        ({"which": "list"}, ["'list'", "cannot be retried"]),
        ({}, ["None", "cannot be retried"]),
        ({"which": "run", "threads": "many"}, ["'many'", "run_results.json"]),
        ({"which": "run", "indirect_selection": "all"}, ["'all'"]),
        ({"which": "run", "vars": {"a": "x*****"}}, ["secret", "--vars"]),
    ],
)
def test_errors(shop: Path, content: Any, told: list[str]) -> None:
    assert understudy("run", cwd=shop).exit_code == 1
    path = shop / "target/run_results.json"
    if content is None:
        path.unlink()
    elif isinstance(content, str):
        path.write_text(content)
    else:
        path.write_text(json.dumps({**json.loads(path.read_text()), "args": content}))
    ran = understudy("retry", cwd=shop)
    assert ran.exit_code == 2
    assert "Traceback" not in ran.err
    for text in told:
        assert text in ran.err
