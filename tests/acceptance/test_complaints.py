"""What people suffer from (design: mission.md, "The problem"), a test or two for each, named after it, that shows the better behaviour.

The eighth (seconds to minutes before the first model runs) is measured by `make bench` and held by tests/architecture/test_import_budget.py
and the statement counts of tests/unit/execute; of the second, lineage by column comes later.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from differential.older_states import older_project
from support.cli import PROFILES, PROJECT, compiled, ok, project, query, results, understudy

FILES = {
    "models/a.sql": "{{ config(materialized='table') }} select 1 as id, 'prod' as origin",
    "models/b.sql": "select * from {{ ref('a') }}",
    "models/c.sql": "select * from {{ ref('b') }}",
}
STATE = ("--defer", "--state", "prod-artifacts")
OLDER = Path(__file__).parents[1] / "differential/recorded/older"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Production is built, its artifacts are kept, dev is empty."""
    root = project(tmp_path, FILES)
    produce(root)
    return root


def produce(root: Path, *args: str) -> None:
    ok("build", "--target", "prod", "--target-path", "prod-artifacts", "--quiet", *args, cwd=root)


def modified(root: Path, *args: str, env: dict[str, str] | None = None) -> list[str]:
    return ok("list", "-s", "state:modified", "--state", "prod-artifacts", *args, cwd=root, env=env).lines


# 1


def test_1_deferral_silently_reads_the_wrong_place__a_forgotten_table(shop: Path) -> None:
    """A table of last month in dev: that it is read is said, with why it is stale; and it can be passed over."""
    ok("run", "-s", "a", cwd=shop)
    (shop / "models/a.sql").write_text(FILES["models/a.sql"].replace("1 as id", "2 as id"))
    ran = ok("run", "-s", "b", *STATE, cwd=shop)
    assert "shop.dev.a is read instead of shop.prod.a, though its code has changed since it was built" in ran.err
    ok("run", "-s", "b", *STATE, "--favor", "current", cwd=shop)
    assert '"shop"."prod"."a"' in compiled(shop, "models/b.sql")


def test_1_deferral_silently_reads_the_wrong_place__a_wrong_path(shop: Path) -> None:
    """It does not turn deferral off: nothing runs."""
    ran = understudy("run", "-s", "b", "--defer", "--state", "prod-artefacts", cwd=shop)
    assert ran.exit_code == 2
    assert "Did you mean 'prod-artifacts'?" in ran.err


def test_1_deferral_silently_reads_the_wrong_place__nothing_says_where(shop: Path) -> None:
    ran = ok("run", "-s", "b", *STATE, "--debug", cwd=shop)
    assert "1 reference deferred to shop.prod" in ran.err
    assert "ref a -> shop.prod.a (not selected, missing in the target)" in ran.err


# 2


def test_2_state_modified_selects_far_too_much__another_environment(tmp_path: Path) -> None:
    """Config that depends on the target, on a variable and on the environment is compared as it is written."""
    files = {
        **FILES,
        "dbt_project.yml": PROJECT + (
            "models: {shop: {+materialized: \"{{ 'table' if target.name == 'prod' else 'view' }}\", "
            "+schema: \"{{ 'gold' if target.name == 'prod' else 'dev_gold' }}\", +meta: {who: \"{{ env_var('WHO', 'x') }}\"}}}\n"
        ),
        "models/c.sql": "{{ config(alias='c_' ~ target.name, tags=[var('tag', 'x')]) }} select * from {{ ref('b') }}",
    }  # fmt: skip
    root = project(tmp_path, files)
    produce(root)
    assert modified(root, "--target", "dev", "--vars", "{tag: y}", env={"WHO": "somebody else"}) == []


@pytest.mark.parametrize("version", ["1.7", "1.8", "1.9", "1.10", "1.11"])
def test_2_state_modified_selects_far_too_much__another_tool_version(tmp_path: Path, version: str) -> None:
    """Against a state of another version of dbt, of another target, no model, seed, snapshot or test is modified."""
    root = project(tmp_path, older_project({}, more=True))
    (root / "prod-artifacts").mkdir()
    state = gzip.decompress((OLDER / f"state_{version}.json.gz").read_bytes())
    (root / "prod-artifacts/manifest.json").write_bytes(state)
    assert modified(root, "--resource-type", "model", "seed", "snapshot", "test") == []


def test_2_state_modified_selects_far_too_much__white_space(shop: Path) -> None:
    """Of a file's ends; inside of the code, and in comments, it counts as in dbt."""
    (shop / "models/b.sql").write_text("\n\n" + FILES["models/b.sql"] + "\n\n")
    assert modified(shop) == []


# 3


def test_3_state_modified_misses_real_changes__vars_and_env_vars(tmp_path: Path) -> None:
    """By dbt's names they make no difference; there are names that say so, and the value then and now is told."""
    root = project(
        tmp_path,
        {
            **FILES,
            "models/b.sql": "select {{ var('rate', 1) }} as r, '{{ env_var('ZONE', 'eu') }}' as z from {{ ref('a') }}",
        },
    )
    produce(root)
    selection = ("-s", "state:modified.vars", "state:modified.env")
    assert understudy("list", *selection, "--state", "prod-artifacts", cwd=root).out == ""
    assert ok("list", *selection, "--state", "prod-artifacts", "--vars", "{rate: 2}", cwd=root).lines == ["shop.b"]
    text = ok("plan", *selection, *STATE, "--vars", "{rate: 2}", cwd=root, env={"ZONE": "us"}).out
    assert "changed var rate: 1 -> 2" in text
    assert "changed env_var ZONE: eu -> us" in text


def test_3_state_modified_misses_real_changes__large_seeds(tmp_path: Path) -> None:
    rows = "id\n" + "1234567\n" * 140_000  # above 1 MiB, where dbt compares the path
    root = project(tmp_path, {"seeds/large.csv": rows, "dbt_project.yml": PROJECT + "seeds: {+enabled: true}\n"})
    ok("parse", "--target-path", "prod-artifacts", cwd=root)
    (root / "seeds/large.csv").write_text(rows.replace("1234567", "7654321", 1))
    assert modified(root) == ["shop.large"]


# 4


def test_4_the_baseline_describes_the_wrong_world__a_manifest_of_what_was_never_built(tmp_path: Path) -> None:
    """A manifest of a parse names relations that are not there: told before anything runs, all in one list."""
    root = project(tmp_path, FILES)
    ok("build", "-s", "nothing_at_all", "--target", "prod", cwd=root)
    ok("parse", "--target", "prod", "--target-path", "prod-artifacts", cwd=root)
    ran = understudy("run", "-s", "b", *STATE, cwd=root)
    assert ran.exit_code == 2
    assert "shop.prod.a (model.shop.a, state prod-artifacts), needed by model.shop.b" in ran.err


def git(root: Path, *args: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *who, *args], cwd=root, check=True, capture_output=True)


def test_4_the_baseline_describes_the_wrong_world__what_somebody_else_merged(tmp_path: Path) -> None:
    """Compared is with the commit where the branch left, so what others merged since is not blamed on it."""
    root = project(tmp_path, {**FILES, ".gitignore": "target\nlogs\n*.duckdb\n.understudy\n"})
    git(root, "init")
    git(root, "add", "-A")
    git(root, "commit", "-m", "first")
    git(root, "switch", "-c", "mine")
    (root / "models/c.sql").write_text("select id from {{ ref('b') }}")
    git(root, "commit", "-am", "mine")
    git(root, "switch", "main")
    (root / "models/a.sql").write_text("select 5 as id, 'x' as origin")
    git(root, "commit", "-am", "somebody else's")
    git(root, "switch", "mine")
    assert ok("list", "-s", "state:modified", "--state", "git:main", cwd=root).lines == ["shop.c"]


# 5


def test_5_references_that_bypass_deferral(tmp_path: Path) -> None:
    """Hooks, introspection in macros, unit tests, operations; all ways, on two engines: test_every_way_in.py."""
    files = {
        **FILES,
        "dbt_project.yml": PROJECT + "on-run-end: [\"select 'hook', * from {{ ref('a') }}\"]\n",
        "macros/m.sql": (
            "{% macro names(r) %}{% if execute %}{% for c in adapter.get_columns_in_relation(r) %}{{ c.name }}"
            "{{ ', ' if not loop.last }}{% endfor %}{% else %}id{% endif %}{% endmacro %}"
            "{% macro peek() %}{% do log(run_query('select count(*) from ' ~ ref('a')).columns[0][0], info=true) %}{% endmacro %}"
        ),
        "models/b.sql": "select {{ names(ref('a')) }} from {{ ref('a') }}",
        "models/d.sql": "select id, origin from {{ ref('a') }}",
        "models/s.yml": (
            "unit_tests: [{name: u, model: d, given: [{input: ref('a'), rows: [{id: 1, origin: x}]}], "
            "expect: {rows: [{id: 1, origin: x}]}}]"
        ),
    }  # fmt: skip
    root = project(tmp_path, files)
    query(root, "create schema prod; create table prod.a as select 1 as id, 'x' as origin")
    produce(root)
    ran = ok("build", "-s", "b", "d", *STATE, "--debug", cwd=root)
    sent = [line for line in ran.err.splitlines() if '."a"' in line]
    assert sent
    assert not any('"dev"."a"' in line for line in sent)
    assert {result["status"] for result in results(root).values()} <= {"success", "pass"}
    assert "1" in ok("run-operation", "peek", *STATE, cwd=root).err


# 6


def test_6_incremental_models_in_ci_are_rebuilt_from_nothing(tmp_path: Path) -> None:
    """It is said before it happens, and a clone of production's table is a word away."""
    root = project(
        tmp_path,
        {**FILES, "models/events.sql": "{{ config(materialized='incremental') }} select id from {{ ref('a') }}"},
    )
    produce(root)
    produce(root)  # a second day
    (root / "models/events.sql").write_text(
        "{{ config(materialized='incremental') }} select id + 10 as id from {{ ref('a') }}"
    )
    text = ok("plan", "-s", "state:modified", *STATE, cwd=root).out
    assert re.search(r"Warning: dev.events would be built from nothing, though \S+ has its history", text)
    ok("build", "-s", "state:modified", *STATE, "--clone-incrementals", cwd=root)
    assert query(root, "select id from dev.events order by id") == [(1,), (1,), (11,)]
    kind = query(
        root, "select table_type from information_schema.tables where table_schema = 'dev' and table_name = 'events'"
    )
    assert kind == [("BASE TABLE",)]


# 7


def test_7_moving_manifests_about_by_hand(shop: Path) -> None:
    """`understudy.yml` says once where they are; and `git:` needs none of them."""
    text = "defer: true\nenvironments: [{name: dev}, {name: production, target: prod, state: prod-artifacts}]\n"
    (shop / "understudy.yml").write_text(text)
    (shop / "models/c.sql").write_text("select id from {{ ref('b') }}")
    ran = ok("build", "-s", "state:modified+", cwd=shop)
    assert "state production: prod-artifacts, built just now" in ran.err
    assert '"shop"."prod"."b"' in compiled(shop, "models/c.sql")


# 9


def test_9_nobody_can_ask_why(shop: Path) -> None:
    """Why a node was selected, and why a reference points there: as text, and as data."""
    (shop / "models/b.sql").write_text("select id, origin from {{ ref('a') }}")
    text = ok("explain", "b", "c", "-s", "state:modified+", *STATE, cwd=shop).out
    assert "changed body: select * from {{ ref('a') }} -> select id, origin from {{ ref('a') }}" in text
    assert "depends on b (state:modified+)" in text
    assert "a -> shop.prod.a  (not selected, missing in the target, row 7 of the rule)" in text
    assert "× target          shop.dev.a [not there]: it is not there" in text
    document = json.loads(ok("explain", "c", "-s", "state:modified+", *STATE, "--output", "json", cwd=shop).out)
    assert document["nodes"][0]["why"] == {"how": "below", "criterion": "state:modified+", "of": "model.shop.b"}


# 10


def test_10_the_good_versions_of_all_this_are_paid_and_hosted(tmp_path: Path) -> None:
    """Everything above ran in this process: no server, no account, no network."""
    root = project(tmp_path / "one", {**FILES, "profiles.yml": PROFILES})
    produce(root)
    shutil.copytree(root, tmp_path / "another machine")
    ran = ok("plan", "-s", "b", *STATE, cwd=tmp_path / "another machine")
    assert "shop.prod.a" in ran.out
