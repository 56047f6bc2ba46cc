"""`clone`, and builds that begin with a clone, as a person types them; and what dbt's clone does on the same project."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.cli import Ran, compiled, manifest, ok, project, query, results, understudy

from understudy.artifacts.ledger import Ledger
from understudy.execute.outline import Outline

FILES = {
    "models/a.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/v.sql": "select id from {{ ref('a') }}",
    "models/e.sql": "{{ config(materialized='ephemeral') }} select id from {{ ref('a') }}",
    "models/events.sql": """
        {{ config(materialized='incremental') }}
        select id + {{ var('n', 0) }} as id from {{ ref('a') }}
        """,
    "models/reader.sql": "select id from {{ ref('events') }}",
    "seeds/days.csv": "day\n1\n2\n",
    "snapshots/kept.sql": (
        "{% snapshot kept %}{{ config(unique_key='id', strategy='check', check_cols=['id']) }} "
        "select * from {{ ref('a') }}{% endsnapshot %}"
    ),
}
NAMES = {"a", "v", "events", "reader", "days", "kept"}
STATE = ("--state", "prod")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Built in production twice, so that its events have two rows; dev is empty."""
    root = project(tmp_path, FILES)
    ok("build", "--target", "prod", "--target-path", "prod", cwd=root)
    ok("build", "--target", "prod", "--target-path", "prod", cwd=root)
    return root


def kinds(root: Path, schema: str = "dev") -> dict[str, str]:
    words = "case table_type when 'VIEW' then 'view' else 'table' end"
    return dict(
        query(root, f"select table_name, {words} from information_schema.tables where table_schema = '{schema}'")
    )


def told(ran: Ran) -> dict[str, str]:
    """The word before each node's line."""
    return {match[2]: match[1] for match in re.finditer(r"^  (\S+) +\w+ +\w+\.(\w+) ", ran.err, re.MULTILINE)}


def test_what_is_printed(shop: Path) -> None:
    (shop / "models/new.sql").write_text("select 1 as id")
    ran = ok("clone", *STATE, cwd=shop)
    assert "Selected 5 of 6 models, 1 seed and 1 snapshot · 6 cloned from shop.prod" in ran.err
    assert told(ran) == {**dict.fromkeys(NAMES, "OK"), "new": "NO-OP"}
    assert re.search(r"NO-OP view +dev\.new +not in state", ran.err)
    assert re.search(r"Done in [\d.]+ s: 6 cloned, 1 left alone\.", ran.err)
    assert kinds(shop) == kinds(shop, "prod")
    ran = ok("clone", *STATE, cwd=shop)
    assert re.search(r"NO-OP table +dev\.a +already exists", ran.err)
    assert "7 left alone" in ran.err
    assert "cloned from" not in ran.err


def test_what_is_written(shop: Path) -> None:
    (shop / "models/new.sql").write_text("select 1 as id")
    ok("clone", *STATE, "--full-refresh", "--clone-limit", "5", cwd=shop)
    found = {unique_id.split(".")[2]: result for unique_id, result in results(shop).items()}
    assert set(found) == NAMES | {"new"}
    assert found["a"]["adapter_response"] == {"_message": "OK", "rows_affected": 1, "cloned_from": "shop.prod.a"}
    assert (found["new"]["status"], found["new"]["message"], found["new"]["adapter_response"]) == (
        "no-op",
        "No-op: not in state",
        {},
    )
    assert [each["name"] for each in found["a"]["timing"]] == ["compile", "execute"]
    args = json.loads((shop / "target/run_results.json").read_text())["args"]
    assert args == {"which": "clone", "state": "prod", "full_refresh": True, "clone_limit": 5}
    assert manifest(shop)["nodes"]["model.shop.a"]["schema"] == "dev"
    sql = (shop / "target/run/shop/models/a.sql").read_text()
    assert 'select * from "shop"."prod"."a"\n  limit 5' in sql


def test_selection(shop: Path) -> None:
    ok("clone", "-s", "config.materialized:incremental", "kept", *STATE, cwd=shop)
    assert set(kinds(shop)) == {"events", "kept"}
    ok("clone", "--resource-type", "seed", *STATE, cwd=shop)
    assert set(kinds(shop)) == {"events", "kept", "days"}
    ok("clone", "--exclude-resource-type", "model", "--full-refresh", *STATE, cwd=shop)
    assert {unique_id.split(".")[2] for unique_id in results(shop)} == {"days", "kept"}
    (shop / "models/a.sql").write_text("{{ config(materialized='table') }} select 2 as id")
    ok("clone", "-s", "state:modified+", "--exclude", "v", *STATE, cwd=shop)
    assert {unique_id.split(".")[2] for unique_id in results(shop)} == {"a", "events", "reader", "kept"}


def test_a_view_reads_productions_and_stays(shop: Path) -> None:
    ok("clone", "-s", "v", *STATE, cwd=shop)
    ((sql,),) = query(shop, "select sql from duckdb_views() where schema_name = 'dev' and view_name = 'v'")
    assert re.search(r"from (shop\.)?prod\.v\b", sql.lower().replace('"', ""))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "clone needs a state to clone from, and there is none"),
        (("--state", "nowhere"), "--state nowhere: there is no such folder or file"),
        (("--state", "target"), "--state target is the target directory"),
        (("--state", "git:main"), "git"),
        (("--clone-limit", "-1", *STATE), "--clone-limit must be at least 0, not -1"),
        (("--clone-limit", "many", *STATE), "--clone-limit must be a whole number"),
        (("--clone-incrementals", *STATE), "--clone-incrementals"),
    ],
)
def test_what_cannot_be(shop: Path, args: tuple[str, ...], said: str) -> None:
    ok("parse", cwd=shop)
    ran = understudy("clone", *args, cwd=shop)
    assert (ran.exit_code, said in ran.err) == (2, True), ran.err
    assert kinds(shop) == {}


def test_the_chain_is_asked_in_its_order(shop: Path) -> None:
    profiles = (shop / "profiles.yml").read_text()
    (shop / "profiles.yml").write_text(f"{profiles}    staging: {{type: duckdb, path: shop.duckdb, schema: staging}}\n")
    ok("build", "-s", "a", "--target", "staging", "--target-path", "staging", cwd=shop)
    states = ("--defer-state", "staging", "--defer-state", "prod")
    # staging's manifest knows every node, though only `a` was built there
    ran = understudy("clone", *states, cwd=shop)
    assert (ran.exit_code, "are not there, though the state says so" in ran.err) == (2, True)
    ok("clone", "-s", "a", *states, cwd=shop)
    assert results(shop)["model.shop.a"]["adapter_response"]["cloned_from"] == "shop.staging.a"


def test_without_flags(shop: Path) -> None:
    (shop / "understudy.yml").write_text("environments: [{name: dev}, {name: production, target: prod, state: prod}]")
    ok("clone", "-s", "a", cwd=shop)
    assert kinds(shop) == {"a": "table"}
    ran = ok("build", "-s", "events", "--clone-incrementals", cwd=shop)
    assert "1 cloned from shop.prod" in ran.err
    assert query(shop, "select count(*) from dev.events") == [(3,)]


def test_as_a_setting_of_the_project_it_is_nothing_in_production(shop: Path) -> None:
    text = (shop / "dbt_project.yml").read_text()
    (shop / "dbt_project.yml").write_text(f"{text}flags: {{clone_incrementals: true}}\n")
    (shop / "understudy.yml").write_text("environments: [{name: dev}, {name: production, target: prod, state: prod}]")
    ok("build", "--target", "prod", "-s", "events", cwd=shop)
    ok("build", "-s", "events", "--defer", cwd=shop)
    assert query(shop, "select count(*) from dev.events") == [(4,)]
    ran = ok("build", "-s", "events", "--target", "prod", "--no-clone-incrementals", cwd=shop)
    assert "cloned" not in ran.err


@pytest.mark.parametrize("command", ["build", "run", "snapshot", "plan"])
def test_given_on_the_command_line_it_needs_a_state(shop: Path, command: str) -> None:
    ran = understudy(command, "--clone-incrementals", cwd=shop)
    assert (ran.exit_code, "--clone-incrementals needs a state to clone from, and there is none" in ran.err) == (
        2,
        True,
    )
    ran = understudy(command, "--clone-limit", "3", *STATE, cwd=shop)
    assert (ran.exit_code, "--clone-limit bounds what --clone-incrementals clones, which is off" in ran.err) == (
        2,
        True,
    )


def test_code_is_nothing_to_clone_from(shop: Path) -> None:
    for args in (
        ("init", "-qb", "main"),
        ("add", "."),
        ("-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "m"),
    ):
        subprocess.run(["git", *args], cwd=shop, check=True)
    for command in (("clone",), ("build", "--clone-incrementals")):
        ran = understudy(*command, "--state", "git:main", cwd=shop)
        assert ran.exit_code == 2
        assert "is code, from which nothing was built" in ran.err
        assert command[-1] in ran.err


def test_rows_of_nothing(shop: Path) -> None:
    """`--empty` checks the SQL: an incremental model is built as such, upon a table without rows."""
    ok("build", "-s", "events", "--empty", "--clone-incrementals", "--defer", *STATE, cwd=shop)
    assert query(shop, "select count(*) from dev.events") == [(0,)]
    assert "insert into" in (shop / "target/run/shop/models/events.sql").read_text()


# The plan


def planned(root: Path, *args: str) -> Outline:
    return msgspec.json.decode(ok("plan", *args, "--output", "json", cwd=root).out, type=Outline)


def test_the_plan_recommends_it_and_shows_what_is_cloned(shop: Path) -> None:
    args = ("-s", "events", "kept", "a", "--defer", *STATE)
    text = ok("plan", *args, cwd=shop).out
    assert "dev.events would be built from nothing, though prod has its history (incremental)" in text
    assert "--clone-incrementals clones such tables first" in text
    text = ok("plan", *args, "--clone-incrementals", cwd=shop).out
    assert "would be built from nothing" not in text
    assert "cloned from shop.prod.events first, about 2 rows, then added to" in text
    text = ok("plan", *args, "--clone-incrementals", "--clone-limit", "1", cwd=shop).out
    assert "cloned from shop.prod.events first, no more than 1 row, then added to" in text
    found = planned(shop, *args, "--clone-incrementals")
    effects = {step.name: (step.effect, step.clone and step.clone.relation) for step in found.steps}
    assert effects == {
        "a": ("create", None), "events": ("clone", "shop.prod.events"), "kept": ("clone", "shop.prod.kept"),
    }  # fmt: skip
    assert "cloned from shop.prod.events first" in ok("explain", "events", "--clone-incrementals", *STATE, cwd=shop).out


@pytest.mark.parametrize("prepare", [(), ("run", "-s", "events", "--defer", *STATE), ("clone", "-s", "kept", *STATE)])
def test_a_run_clones_what_the_plan_says(shop: Path, prepare: tuple[str, ...]) -> None:
    if prepare:
        ok(*prepare, cwd=shop)
    args = ("-s", "events", "kept", "v", "--clone-incrementals", "--defer", *STATE)
    said = {step.unique_id: step.clone.relation for step in planned(shop, *args).steps if step.clone}
    ok("build", *args, cwd=shop)
    did = {i: each["adapter_response"].get("cloned_from") for i, each in results(shop).items()}
    assert {i: relation for i, relation in did.items() if relation} == said


# Is my copy still mine?


def statuses(root: Path) -> dict[str, tuple[str, bool]]:
    """Of each node's last build: how it ended, and whether the code is known."""
    ledger = Ledger(str(root))
    try:
        entries = [entry for entry in ledger.export() if entry["target"] == "dev"]
        return {
            str(entry["unique_id"]).split(".")[2]: (str(entry["status"]), entry["print"] is not None)
            for entry in entries
        }
    finally:
        ledger.close()


def read(root: Path, *args: str) -> str:
    """The schema from which `reader` reads events."""
    ok("compile", "-s", "reader", "--defer", *STATE, *args, cwd=root)
    return compiled(root, "models/reader.sql").split('"')[3]


def test_a_clone_of_todays_code_is_current(shop: Path) -> None:
    (shop / "models/events.sql").write_text("{{ config(materialized='incremental') }} select id from {{ ref('a') }}")
    ok("build", "-s", "events", "--target", "prod", "--target-path", "prod", "--full-refresh", cwd=shop)
    ok("clone", *STATE, cwd=shop)
    assert statuses(shop)["events"] == ("success", True)
    assert read(shop, "--favor", "current") == "dev"
    (shop / "models/a.sql").write_text("{{ config(materialized='table') }} select 1 as id -- changed")
    assert read(shop, "--favor", "current") == "prod"


@pytest.mark.parametrize("alone", [False, True])
def test_a_clone_of_other_code_is_not(shop: Path, alone: bool) -> None:
    """Whether the state says what was built, or is a manifest alone."""
    (shop / "prod/applied.json").rename(shop / "prod/nothing.json" if alone else shop / "prod/applied.json")
    ok("run", "-s", "events", "a", cwd=shop)
    (shop / "models/events.sql").write_text("{{ config(materialized='incremental') }} select 5 as id")
    assert read(shop, "--favor", "current") == "prod"
    ok("run", "-s", "events", "--full-refresh", cwd=shop)
    assert read(shop, "--favor", "current") == "dev"
    ok("clone", "-s", "events", "--full-refresh", *STATE, cwd=shop)
    assert statuses(shop)["events"] == ("success", not alone)
    assert read(shop, "--favor", "current") == "prod"
    ran = ok("run", "-s", "reader", "--defer", *STATE, cwd=shop)
    why = "it was cloned, and from which code that was built is not known" if alone else "its code has changed"
    assert f"shop.dev.events is read instead of shop.prod.events, though {why}" in ran.err


def test_what_a_manifest_cannot_tell_is_not_known(shop: Path) -> None:
    """`events` looks at a variable, and a manifest alone does not say which value it had in production."""
    ok("clone", "-s", "events", "a", *STATE, cwd=shop)
    assert (statuses(shop)["events"], statuses(shop)["a"]) == (("success", True), ("success", True))
    assert read(shop, "--favor", "current") == "dev"
    assert read(shop, "--favor", "current", "--vars", "n: 3") == "prod"
    (shop / "prod/applied.json").unlink()
    ok("clone", "-s", "events", "a", "--full-refresh", *STATE, cwd=shop)
    assert (statuses(shop)["events"], statuses(shop)["a"]) == (("success", False), ("success", True))
    assert read(shop, "--favor", "current") == "prod"


def test_nothing_that_was_left_alone_is_recorded(shop: Path) -> None:
    ok("run", "-s", "a", cwd=shop)
    before = statuses(shop)
    ok("clone", "-s", "a", *STATE, cwd=shop)
    assert statuses(shop) == before


def test_part_of_the_rows_is_a_part(shop: Path) -> None:
    ok("clone", "-s", "a", "v", "--clone-limit", "1", *STATE, cwd=shop)
    assert (statuses(shop)["a"][0], statuses(shop)["v"][0]) == ("partial", "success")


def test_rows_upon_a_clone_of_other_code_are_mixed(shop: Path) -> None:
    plain = "{{ config(materialized='incremental') }} select id from {{ ref('a') }}"
    (shop / "models/events.sql").write_text(plain)
    ok("build", "-s", "events", "--target", "prod", "--target-path", "prod", "--full-refresh", cwd=shop)
    args = ("build", "-s", "events", "--clone-incrementals", "--defer", *STATE)
    ok(*args, cwd=shop)
    assert read(shop, "--favor", "current") == "dev"
    query(shop, "drop table dev.events")
    (shop / "models/events.sql").write_text(plain + " -- changed")
    ok(*args, cwd=shop)
    assert read(shop, "--favor", "current") == "prod"
    ran = ok("run", "-s", "reader", "--defer", *STATE, cwd=shop)
    assert "though rows of older code are in it" in ran.err


def test_files_of_two_databases(tmp_path: Path) -> None:
    """A view into another file would be there only while somebody has attached that: its rows are copied."""
    profiles = """
        shop:
          target: dev
          outputs:
            dev: {type: duckdb, path: dev.duckdb, schema: main}
            prod: {type: duckdb, path: prod.duckdb, schema: main}
        """
    root = project(tmp_path, {**FILES, "profiles.yml": profiles})
    ok("build", "--target", "prod", "--target-path", "prod", cwd=root)
    ok("clone", *STATE, cwd=root)
    assert query(root, "select id from main.v", "dev.duckdb") == [(1,)]
    assert query(root, "select table_type from information_schema.tables where table_name = 'v'", "dev.duckdb") == [
        ("BASE TABLE",)
    ]
    (root / "models/a.sql").write_text("{{ config(materialized='table') }} select 2 as id")
    query(root, "drop table events", "dev.duckdb")
    ok("build", "-s", "a", "events", "--clone-incrementals", *STATE, cwd=root)
    assert query(root, "select id from events order by id", "dev.duckdb") == [(1,), (2,)]


def test_retry(shop: Path) -> None:
    good = (shop / "models/events.sql").read_text()
    (shop / "models/events.sql").write_text(good.replace("select id", "select nothing"))
    assert (
        understudy(
            "build", "-s", "events", "--clone-incrementals", "--clone-limit", "1", "--defer", *STATE, cwd=shop
        ).exit_code
        == 1
    )
    assert kinds(shop) == {}
    (shop / "models/events.sql").write_text(good)
    ok("retry", cwd=shop)
    assert query(shop, "select count(*) from dev.events") == [(2,)]
    macro = "{% macro default__get_clone_query_sql(defer_relation, limit) %}select nope{% endmacro %}"
    (shop / "macros").mkdir()
    (shop / "macros/m.sql").write_text(macro)
    assert understudy("clone", "-s", "a", "v", *STATE, cwd=shop).exit_code == 1
    (shop / "macros/m.sql").unlink()
    ok("retry", cwd=shop)
    assert set(results(shop)) == {"model.shop.a"}
    assert kinds(shop)["a"] == "table"


# What dbt does


@pytest.mark.differential
def test_dbts_clone_and_ours(shop: Path, oracle_bin: Path) -> None:
    """The same nodes, exit code and no-ops; a view where ours is a table, and production gone where it is cloned upon itself."""
    (shop / "models/new.sql").write_text("select 1 as id")
    theirs = shop.parent / "theirs"
    shutil.copytree(shop, theirs)

    def dbt(*args: str) -> dict[str, Any]:
        command = [str(oracle_bin / "dbt"), "--quiet", *args, "--profiles-dir", "."]
        ran = subprocess.run(command, cwd=theirs, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return {unique_id: result["message"] for unique_id, result in results(theirs).items()}

    first = dbt("clone", *STATE)
    ok("clone", *STATE, cwd=shop)
    ours = {unique_id: result["message"].split(":")[0] for unique_id, result in results(shop).items()}
    assert ours == first
    assert set(dbt("clone", *STATE).values()) == {"No-op"}
    assert kinds(shop) == {**dict.fromkeys(NAMES - {"v", "reader"}, "table"), "v": "view", "reader": "view"}
    assert kinds(theirs) == dict.fromkeys(NAMES, "view")
    before = query(theirs, "select count(*) from prod.events")
    dbt("clone", "--target", "prod", "--full-refresh", "-s", "events", *STATE)
    assert before == [(2,)]
    with pytest.raises(Exception, match="infinite recursion"):
        query(theirs, "select count(*) from prod.events")


# The documentation


def test_the_commands_of_the_how_to(tmp_path: Path) -> None:
    """Every shell block of the page, on a project whose incremental model was changed."""
    page = Path(__file__).parents[2] / "docs/how-to/incremental-models-in-ci.md"
    blocks = re.findall(r"^```shell\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    commands = [line.split()[1:] for block in blocks for line in block.splitlines()]
    assert len(commands) == 5
    root = project(tmp_path, FILES)
    ok("build", "--target", "prod", "--target-path", "prod-artifacts", cwd=root)
    (root / "models/events.sql").write_text(
        "{{ config(materialized='incremental') }} select id + 1 as id from {{ ref('a') }}"
    )
    printed = [ok(*command, cwd=root).out for command in commands]
    assert "would be built from nothing" in printed[0]
    assert "cloned from shop.prod.events first" in printed[1]
    assert query(root, "select id from dev.events order by id") == [(1,), (2,), (2,)]
    macro = re.findall(r"^```sql\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    (root / "macros").mkdir()
    (root / "macros/m.sql").write_text(macro[0].replace("created_at > current_date - 30", "id > 1"))
    ok("clone", "-s", "events", "--full-refresh", "--state", "prod-artifacts", cwd=root)
    assert query(root, "select id from dev.events") == []
