"""A state says what production really built: a node whose build failed stays modified, and nothing that only parsed counts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support.cli import Ran, compiled, ok, project, query, understudy

FILES = {
    "models/a.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/b.sql": "{{ config(materialized='table') }} select {{ m() }} as id from {{ ref('a') }}",
    "models/c.sql": "{{ config(materialized='table') }} select id from {{ ref('b') }}",
    "models/other.sql": "select 1 as id",
    "macros/m.sql": "{% macro m() %}id{% endmacro %}",
}
GOOD = FILES["models/b.sql"]
BROKEN = "{{ config(materialized='table') }} select nothing as id from {{ ref('a') }}"
MENDED = "{{ config(materialized='table') }} select {{ m() }} + 1 as id from {{ ref('a') }}"
STATE = ("--state", "prod")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Production is built, all of it."""
    root = project(tmp_path, FILES)
    ok("build", *PROD, cwd=root)
    return root


PROD = ("--target", "prod", "--target-path", "prod")


def edit(root: Path, name: str, text: str) -> None:
    (root / "models" / f"{name}.sql").write_text(text)


def production(root: Path, *args: str, fails: bool = False) -> Ran:
    """A run of production."""
    ran = understudy(*(args or ("build",)), *PROD, cwd=root)
    assert ran.exit_code == (1 if fails else 0), ran.err
    return ran


def modified(root: Path, selector: str = "state:modified", *args: str) -> list[str]:
    return [line.split(".")[1] for line in ok("list", "-s", selector, *STATE, *args, cwd=root).lines]


def test_what_is_built_is_unmodified(shop: Path) -> None:
    assert modified(shop) == []
    ran = ok("compile", "-s", "c", "--defer", *STATE, cwd=shop)
    assert "state prod: built just now, 4 nodes\n" in ran.err
    assert "Warning" not in ran.err


def test_a_node_that_failed_stays_modified_until_it_is_built(shop: Path) -> None:
    edit(shop, "b", BROKEN)
    production(shop, fails=True)
    assert modified(shop) == ["b", "c"]
    edit(shop, "b", MENDED)
    assert modified(shop) == ["b", "c"]
    production(shop, "build", "-s", "a")
    assert modified(shop) == ["b", "c"], "still not built"
    production(shop, "retry", fails=False)
    assert modified(shop) == ["b", "c"], "what is left to retry is the last run, which went well"
    production(shop, "build", "-s", "b")
    assert modified(shop) == ["c"]
    production(shop)
    assert modified(shop) == []


def test_the_reasons_are_told(shop: Path) -> None:
    edit(shop, "b", BROKEN)
    production(shop, fails=True)
    text = ok("explain", "b", "c", "-s", "state:modified", *STATE, cwd=shop).out
    assert "changed body" in text
    assert (
        "not built the last run there did not build it, and b, which it reads, has changed since it was built" in text
    )
    ran = ok("compile", "-s", "other", "--defer", *STATE, cwd=shop)
    assert "state prod: built just now, 4 nodes, 2 not built as they are now" in ran.err
    document = json.loads(ok("plan", "-s", "state:modified", "--output", "json", *STATE, cwd=shop).out)
    changes = {step["name"]: [each["check"] for each in step["changes"]] for step in document["steps"]}
    assert changes == {"b": ["body"], "c": ["build"]}


def test_a_run_of_the_older_code_makes_it_good_again(shop: Path) -> None:
    edit(shop, "b", BROKEN)
    production(shop, fails=True)
    edit(shop, "b", GOOD)
    assert modified(shop) == ["c"], "b stands there as it is again; c was not built by the last run"
    production(shop)
    assert modified(shop) == []


def test_a_partial_run(shop: Path) -> None:
    """A deployment that does not build everything at once: what is not built yet is not the baseline."""
    edit(shop, "b", MENDED)
    edit(shop, "other", "select 2 as id")
    production(shop, "run", "-s", "other")
    assert modified(shop) == ["b"]
    production(shop, "run", "-s", "b+")
    assert modified(shop) == []


@pytest.mark.parametrize(
    "command",
    [
        ("parse",),
        ("compile",),
        ("docs", "generate"),
        ("test",),
        ("run-operation", "m"),
        ("source", "freshness"),
        ("plan",),
        ("list",),
    ],
)
def test_what_builds_nothing_is_no_baseline(shop: Path, command: tuple[str, ...]) -> None:
    edit(shop, "b", MENDED)
    production(shop, *command)
    assert modified(shop) == ["b"]
    production(shop, *command)
    assert modified(shop) == ["b"]
    ran = ok("run", "-s", "c", "--defer", *STATE, cwd=shop)
    assert "Warning" not in ran.err
    production(shop)
    assert modified(shop) == []


def test_nodes_that_are_no_relation_are_those_of_the_last_build(shop: Path) -> None:
    (shop / "models/schema.yml").write_text(
        "sources: [{name: raw, schema: one, tables: [{name: t}]}]\nmodels: [{name: a, columns: [{name: id, data_tests: [unique]}]}]"
    )
    production(shop, "parse")
    assert "unique_a_id" in modified(shop)
    production(shop)
    assert modified(shop) == []


def test_what_was_never_built_is_new_and_nothing_defers_to_it(shop: Path) -> None:
    edit(shop, "new", "select nothing as id")
    edit(shop, "reader", "select id from {{ ref('new') }}")
    production(shop, fails=True)
    assert modified(shop, "state:new") == ["new", "reader"]
    edit(shop, "new", "select 1 as id")
    ran = understudy("run", "-s", "reader", "--defer", *STATE, cwd=shop)
    assert ran.exit_code == 2
    assert "1 relations are in no state, are not built by this run, and are missing in the target" in ran.err
    text = ok("explain", "reader", "-s", "new", "reader", "--defer", *STATE, cwd=shop).out
    assert "it was never built there" in text
    ok("run", "-s", "+reader", "--exclude", "a", "--defer", *STATE, cwd=shop)


def test_a_reference_goes_where_the_relation_is(shop: Path) -> None:
    """b was to be called otherwise, and that run failed."""
    edit(shop, "b", BROKEN.replace("materialized", "alias='renamed', materialized"))
    production(shop, fails=True)
    ok("compile", "-s", "c", "--defer", *STATE, cwd=shop)
    assert '"prod"."b"' in compiled(shop, "models/c.sql")
    (shop / "prod/applied.json").unlink()
    assert understudy("run", "-s", "c", "--defer", *STATE, cwd=shop).exit_code == 2, (
        "the manifest alone sends it nowhere"
    )


def test_macros_of_before(shop: Path) -> None:
    """The run in which b failed knew the new macro; b stands there by the old one."""
    (shop / "macros/m.sql").write_text("{% macro m() %}id + 0{% endmacro %}")
    edit(shop, "a", "{{ config(materialized='table', pre_hook='select nothing') }} select 1 as id")
    production(shop, fails=True)
    assert modified(shop, "state:modified.macros") == ["b"]
    edit(shop, "a", FILES["models/a.sql"])
    production(shop)
    assert modified(shop, "state:modified.macros") == []


def test_another_machine_knows_it_too(shop: Path) -> None:
    """A fresh checkout has no ledger: the older nodes come from the files that the last run has left."""
    edit(shop, "b", BROKEN)
    shutil.rmtree(shop / ".understudy")
    production(shop, fails=True)
    assert modified(shop) == ["b", "c"]
    shutil.rmtree(shop / ".understudy")
    production(shop, "build", "-s", "other")
    assert modified(shop) == ["b", "c"]
    edit(shop, "b", GOOD)
    shutil.rmtree(shop / ".understudy")
    production(shop)
    assert modified(shop) == []


def test_without_files_the_ledger_tells(shop: Path) -> None:
    """The target directory was cleaned: what stands there is known, and the older code of what changed is not."""
    edit(shop, "b", MENDED)
    shutil.rmtree(shop / "prod")
    production(shop, "run", "-s", "other")
    assert modified(shop) == ["b"]
    text = ok("explain", "b", "-s", "state:modified", *STATE, cwd=shop).out
    assert "not built from which code it was built there is not known" in text
    ok("compile", "-s", "c", "--defer", *STATE, cwd=shop)
    assert '"prod"."b"' in compiled(shop, "models/c.sql")


def test_of_a_partial_run_on_a_fresh_machine_the_rest_is_not_known(shop: Path) -> None:
    """As with dbt, the manifest stands for what nobody knows."""
    for folder in (".understudy", "prod"):
        shutil.rmtree(shop / folder)
    production(shop, "run", "-s", "other")
    assert modified(shop) == []
    assert list(json.loads((shop / "prod/applied.json").read_text())["nodes"]) == ["model.shop.other"]


def test_targets_that_share_a_folder_do_not_mix(shop: Path) -> None:
    edit(shop, "b", MENDED)
    ok("build", "--target", "dev", "--target-path", "prod", cwd=shop)
    production(shop, "run", "-s", "other")
    assert modified(shop) == ["b"]


def test_a_relation_of_another_node(shop: Path) -> None:
    """`b` became `b2`, which has the same relation and is not built yet."""
    (shop / "models/b.sql").rename(shop / "models/b2.sql")
    edit(shop, "b2", GOOD.replace("materialized", "alias='b', materialized"))
    edit(shop, "c", FILES["models/c.sql"].replace("'b'", "'b2'"))
    production(shop, "run", "-s", "other")
    assert modified(shop) == ["b2", "c"]
    production(shop, "run")
    assert modified(shop) == []


def test_parts_of_rows_are_no_baseline(shop: Path) -> None:
    production(shop, "run", "-s", "b", "--empty")
    assert modified(shop) == ["b"]
    production(shop, "run", "-s", "b")
    assert modified(shop) == []


def test_a_relation_that_was_cloned(shop: Path) -> None:
    """Staging clones production: of today's code, or not."""
    profiles = (shop / "profiles.yml").read_text()
    (shop / "profiles.yml").write_text(f"{profiles}    staging: {{type: duckdb, path: shop.duckdb, schema: staging}}\n")
    staging = ("--target", "staging", "--target-path", "staging")
    edit(shop, "b", MENDED)
    ok("clone", *STATE, *staging, cwd=shop)
    found = [line.split(".")[1] for line in ok("list", "-s", "state:modified", "--state", "staging", cwd=shop).lines]
    assert found == ["b"]
    ok("build", *staging, cwd=shop)
    assert ok("list", "-s", "state:modified", "--state", "staging", cwd=shop).lines == []


def test_a_run_that_is_killed_claims_nothing(shop: Path) -> None:
    slow = "select count(*) as id from range(10000000) x, range({{ var('size') }}) y where x.range % 7 = y.range % 11"
    edit(shop, "b", MENDED)
    edit(shop, "c", "{{ config(materialized='table') }} -- {{ ref('b') }}\n" + slow)
    before = (shop / "prod/applied.json").read_bytes()
    command = [sys.executable, "-m", "understudy", "run", *PROD, "--threads", "1", "--vars", "{size: 1000000}"]
    run = subprocess.Popen(command, cwd=shop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (shop / "prod/run/shop/models/b.sql").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(run.pid, signal.SIGKILL)
    run.wait(60)
    assert (shop / "prod/applied.json").read_bytes() == before
    assert {"b", "c"} <= set(modified(shop, "state:modified", "--vars", "{size: 1}"))
    production(shop, "run", "-s", "other", "--vars", "{size: 1}")
    assert "c" in modified(shop, "state:modified", "--vars", "{size: 1}"), "it was cut short"
    production(shop, "run", "--vars", "{size: 1}")
    assert modified(shop, "state:modified", "--vars", "{size: 1}") == []


def test_an_interrupted_run_says_how_far_it_came(shop: Path) -> None:
    edit(shop, "a", "{{ config(materialized='table') }} select 2 as id")
    edit(shop, "b", "{{ config(materialized='table') }} select cast('x' as int) as id from {{ ref('a') }}")
    production(shop, "run", "--fail-fast", fails=True)
    assert modified(shop) == ["b", "c"]


# The files


def test_a_damaged_file_is_told_and_written_anew(shop: Path) -> None:
    (shop / "prod/applied.json").write_text("{")
    ran = understudy("list", "-s", "state:modified", *STATE, cwd=shop)
    assert (ran.exit_code, "applied.json cannot be read" in ran.err) == (2, True)
    assert "or delete it: then the manifest counts as it stands" in ran.err
    assert "AppliedStateNotUsed" in production(shop).err
    assert modified(shop) == []


def test_a_file_of_a_later_version(shop: Path) -> None:
    path = shop / "prod/applied.json"
    path.write_text(path.read_text().replace('"form":1', '"form":2'))
    ran = understudy("list", "-s", "state:modified", *STATE, cwd=shop)
    assert (ran.exit_code, "later version of understudy" in ran.err) == (2, True)


def test_the_manifest_alone(shop: Path) -> None:
    edit(shop, "b", BROKEN)
    production(shop, fails=True)
    ran = ok("list", "-s", "state:modified", "--state", "prod/manifest.json", cwd=shop)
    assert ran.lines == []
    assert "2 of its nodes were not built by its last run (b, c): of them it says what the code was" in ran.err


def test_nothing_is_written_where_nothing_shall_be(shop: Path) -> None:
    before = (shop / "prod/applied.json").read_bytes()
    production(shop, "build", "--no-write-json")
    assert (shop / "prod/applied.json").read_bytes() == before


def test_secrets_stay_here(shop: Path) -> None:
    edit(shop, "b", "select '{{ env_var(\"REGION\") }}' as id, '{{ var(\"v\") }}' as v from {{ ref('a') }}")
    env = {"REGION": "tell nobody", "DBT_ENV_SECRET_V": "hush"}
    ok("build", *PROD, "--vars", "{v: hush}", cwd=shop, env=env)
    text = (shop / "prod/applied.json").read_text()
    assert "tell nobody" not in text
    assert "hush" not in text
    assert "REGION" in text


def test_dbt_reads_the_same_folder(shop: Path, oracle_bin: Path) -> None:
    edit(shop, "b", BROKEN)
    production(shop, fails=True)
    edit(shop, "c", "{{ config(materialized='table') }} select id + 1 as id from {{ ref('b') }}")
    command = [oracle_bin / "dbt", "--quiet", "list", "-s", "state:modified", "--state", "prod", "--profiles-dir", "."]
    ran = subprocess.run(command, cwd=shop, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.split()) == (0, ["shop.c"]), ran.stdout


# States that are a manifest and run_results.json


def without(root: Path) -> Path:
    """As another program leaves it."""
    (root / "prod/applied.json").unlink()
    return root


NAMES = ("(StateNotBuilt)", "(StateOfPartialRun)", "(AppliedStateNotUsed)")


def warnings(root: Path, *args: str) -> list[str]:
    ran = ok("list", "-s", "state:modified", *STATE, *args, cwd=root)
    lines = (line.removeprefix("Warning: ") for line in ran.err.splitlines() if line.startswith("Warning"))
    return [line for line in lines if line.endswith(NAMES)]


def test_a_state_of_a_run_in_which_nodes_failed(shop: Path) -> None:
    edit(shop, "b", BROKEN)
    production(shop, fails=True)
    (told,) = warnings(without(shop))
    assert told == (
        "State prod: 2 of its nodes were not built by its last run (b, c): of them it says what the code was, not what was "
        "built (StateNotBuilt)"
    )
    assert warnings(shop, "--warn-error-options", "{silence: [StateNotBuilt]}") == []
    ran = understudy("list", "-s", "state:modified", *STATE, "--warn-error", cwd=shop)
    assert ran.exit_code == 2


def test_a_state_of_a_part(shop: Path) -> None:
    production(shop, "run", "-s", "a", "b")
    (told,) = warnings(without(shop))
    assert (
        told
        == "State prod: its last run was of 2 of 4 nodes: of the others it says what the code was, not what was built (StateOfPartialRun)"
    )


@pytest.mark.parametrize(
    ("command", "word"), [(("compile",), "compile"), (("docs", "generate"), "generate"), (("test",), "test")]
)
def test_a_state_that_builds_nothing(shop: Path, command: tuple[str, ...], word: str) -> None:
    production(shop, *command)
    (told,) = warnings(without(shop))
    assert (
        told
        == f"State prod was written by '{word}', which builds nothing: it says what the code was, not what was built (StateNotBuilt)"
    )


def test_a_state_that_was_parsed_since(shop: Path) -> None:
    production(shop, "parse")
    (told,) = warnings(without(shop))
    assert "its manifest is not of the run of its run_results.json" in told


def test_a_whole_run_is_no_cause_for_doubt(shop: Path) -> None:
    assert warnings(without(shop)) == []
    (shop / "prod/run_results.json").unlink()
    assert warnings(shop) == []


@pytest.mark.differential
def test_states_of_dbt(shop: Path, oracle_bin: Path) -> None:
    def dbt(*args: str) -> None:
        command = [str(oracle_bin / "dbt"), "--quiet", *args, "--profiles-dir", ".", *PROD]
        subprocess.run(command, cwd=shop, capture_output=True, check=False)

    shutil.rmtree(shop / "prod")
    dbt("build")
    assert warnings(shop) == []
    edit(shop, "b", BROKEN)
    dbt("build")
    assert "2 of its nodes were not built by its last run (b, c)" in warnings(shop)[0]
    dbt("compile")
    assert "was written by 'compile', which builds nothing" in warnings(shop)[0]
    dbt("parse")
    assert "its manifest is not of the run" in warnings(shop)[0]
    edit(shop, "b", GOOD)
    production(shop)
    dbt("run", "-s", "a")
    told = warnings(shop)
    assert "applied.json belongs to another manifest, and is passed over (AppliedStateNotUsed)" in told[0]
    assert "of 1 of 4 nodes" in told[1]


def test_understudy_yml_reads_it_the_same(shop: Path) -> None:
    (shop / "understudy.yml").write_text(
        "defer: true\nenvironments: [{name: dev}, {name: production, target: prod, state: prod}]"
    )
    edit(shop, "b", BROKEN)
    production(shop, fails=True)
    edit(shop, "b", MENDED)
    ran = ok("build", "-s", "state:modified+", cwd=shop)
    assert "2 not built as they are now" in ran.err
    assert query(shop, "select id from dev.c") == [(2,)]


def entries(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "prod/applied.json").read_text())["nodes"]
    return found


def test_the_file_says_when_by_whom_and_from_which_commit(shop: Path) -> None:
    (shop / ".gitignore").write_text("prod/\nlogs/\n*.duckdb*\n")
    for args in (
        ("init", "-qb", "main"),
        ("add", "."),
        ("-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "m"),
    ):
        subprocess.run(["git", *args], cwd=shop, check=True)
    production(shop)
    found = entries(shop)["model.shop.b"]
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=shop, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert (found["commit"], found["dirty"]) == (head, False)
    assert found["finished"].endswith("+00:00")
    assert set(found["print"]["inputs"]) == {"model.shop.a"}
    assert "node" not in found
