"""Deferral refuses to guess (design: deferral.md, "Errors"): each error as a person meets it, in every command that could defer,
named by flag, by variable and by file: exit code 2, before the first statement that changes something, and nothing is written.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cli import PROJECT, Ran, manifest, ok, project, query, understudy

FILES = {
    "models/a.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/b.sql": "select * from {{ ref('a') }}",
    "models/c.sql": "select * from {{ ref('b') }}",
    "models/s.yml": "models: [{name: c, columns: [{name: id, data_tests: [not_null]}]}]",
    "seeds/days.csv": "day\n1\n",
}
COMMANDS = ("run", "build", "test", "compile", "show", "docs generate", "plan", "explain")
"""Every command in which a reference of c's could be deferred."""
STATE = ("--defer", "--state", "prod-artifacts")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Production is built and its artifacts are kept; dev is empty, and nothing was run for it."""
    root = project(tmp_path, FILES)
    ok("build", "--target", "prod", cwd=root)
    (root / "target").rename(root / "prod-artifacts")
    return root


def words(command: str) -> tuple[str, ...]:
    return ("explain", "c") if command == "explain" else (*command.split(), "-s", "c")


def files(root: Path) -> dict[str, bytes]:
    """Every file but the log, the database and the ledger (which is opened, and never filled before a run begins)."""
    left_out = (".log", ".duckdb")
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix not in left_out and ".understudy" not in path.parts
    }


def refused(root: Path, *args: str, env: dict[str, str] | None = None) -> Ran:
    """The command ends with 2 and leaves the disk and the database as they were."""
    tables = "select table_schema, table_name from information_schema.tables order by all"
    before = files(root), query(root, tables)
    ran = understudy(*args, cwd=root, env=env)
    assert ran.exit_code == 2, ran.out + ran.err
    assert (files(root), query(root, tables)) == before
    assert ran.out == ""
    assert "Traceback" not in ran.err
    return ran


def says(ran: Ran, *texts: str) -> None:
    missing = [text for text in texts if text not in ran.err]
    assert not missing, ran.err


# A state that cannot be used: each way of breaking one, told in each command


def cut(root: Path) -> None:
    path = root / "prod-artifacts/manifest.json"
    path.write_bytes(path.read_bytes()[:-200])


def edited(root: Path, change: Callable[[dict[str, object]], object]) -> None:
    path = root / "prod-artifacts/manifest.json"
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))


def of_version(version: str) -> Callable[[Path], None]:
    address = f"https://schemas.getdbt.com/dbt/manifest/{version}.json"
    return lambda root: edited(root, lambda raw: raw["metadata"].update(dbt_schema_version=address))  # type: ignore[attr-defined]


def a_folder_instead(root: Path) -> None:
    (root / "prod-artifacts/manifest.json").unlink()
    (root / "prod-artifacts/manifest.json").mkdir()


BROKEN: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "no such folder": (
        lambda root: (root / "prod-artifacts").rename(root / "prod-artefacts"),
        ("there is no such folder or file", "Did you mean 'prod-artefacts'?"),
    ),
    "no manifest in it": (
        lambda root: [path.unlink() for path in (root / "prod-artifacts").glob("*.json")],
        ("there is no manifest.json in it", "the folder that an earlier run wrote its artifacts to"),
    ),
    "run results alone": (
        lambda root: (root / "prod-artifacts/manifest.json").unlink(),
        ("needs manifest.json, which is not there", "Copy it from the run"),
    ),
    "a folder of that name": (a_folder_instead, ("prod-artifacts",)),
    "no JSON": (
        lambda root: (root / "prod-artifacts/manifest.json").write_text("<html>403 Forbidden</html>"),
        ("is no valid JSON", "prod-artifacts/manifest.json", "Take manifest.json from a finished run again"),
    ),
    "empty": (lambda root: (root / "prod-artifacts/manifest.json").write_text(""), ("is empty",)),
    "cut short": (cut, ("is cut short", "prod-artifacts/manifest.json")),
    "another document": (
        lambda root: shutil.copy(root / "prod-artifacts/run_results.json", root / "prod-artifacts/manifest.json"),
        ("is no manifest that can be read", "prod-artifacts/manifest.json"),
    ),
    "too old": (of_version("v3"), ("manifests v4 to v12 (dbt 1.x) and v20 (dbt 2) can be read",)),
    "too new": (of_version("v21"), ("manifests v4 to v12 (dbt 1.x) and v20 (dbt 2) can be read",)),
    "a damaged node": (
        lambda root: edited(root, lambda raw: [node.update(fqn=7) for node in raw["nodes"].values()]),  # type: ignore[attr-defined]
        ("The state is damaged at nodes['model.shop.", "prod-artifacts/manifest.json"),
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("broken", BROKEN)
def test_a_state_that_cannot_be_used(shop: Path, broken: str, command: str) -> None:
    spoil, texts = BROKEN[broken]
    spoil(shop)
    ran = refused(shop, *words(command), *STATE)
    says(ran, *texts)
    assert "--state" in ran.err


@pytest.mark.parametrize(
    ("origin", "env", "text"),
    [
        ("DBT_STATE", {"DBT_DEFER": "1", "DBT_STATE": "nowhere"}, ""),
        ("DBT_DEFER_STATE", {"DBT_DEFER": "1", "DBT_DEFER_STATE": "nowhere"}, ""),
        ("DBT_ARTIFACT_STATE_PATH", {"DBT_DEFER_TO_STATE": "1", "DBT_ARTIFACT_STATE_PATH": "nowhere"}, ""),
        ("understudy.yml (production)", {}, "defer: true\nenvironments: [{name: dev}, {name: production, state: nowhere}]\n"),
    ],
)  # fmt: skip
def test_whoever_named_the_state_is_named(shop: Path, origin: str, env: dict[str, str], text: str) -> None:
    if text:
        (shop / "understudy.yml").write_text(text)
    ran = refused(shop, "run", "-s", "c", env=env)
    says(ran, f"{origin} nowhere: there is no such folder or file", str(shop / "nowhere"))


def test_both_places_of_a_relative_path_are_named(shop: Path, tmp_path: Path) -> None:
    """The working directory is looked at first, then the project's; a state in either is found."""
    inside = shop / "models"
    ran = understudy("run", "-s", "c", "--project-dir", "..", "--defer", "--state", "nowhere", cwd=inside)
    assert ran.exit_code == 2
    says(ran, str(inside / "nowhere"), str(shop / "nowhere"))
    assert understudy("compile", "-s", "c", "--project-dir", "..", *STATE, cwd=inside).exit_code == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_defer_without_a_state(shop: Path, command: str) -> None:
    says(
        refused(shop, *words(command), "--defer"),
        "--defer needs a state to defer to, and there is none",
        "--state PATH",
    )
    says(refused(shop, *words(command), env={"DBT_DEFER": "true"}), "DBT_DEFER needs a state")


def test_a_git_revision_was_never_built(shop: Path) -> None:
    import subprocess

    for args in (
        ("init", "-q"),
        ("add", "-A"),
        ("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x"),
    ):
        subprocess.run(["git", *args], cwd=shop, check=True)
    ran = understudy("run", "-s", "c", "--defer", "--state", "git:HEAD", cwd=shop)
    assert ran.exit_code == 2
    says(ran, "--state git:HEAD is code, from which nothing was built", "--defer-state PATH")


@pytest.mark.parametrize(
    ("select", "texts"),
    [
        ("state:modified", ("Selection by state: needs a state", "--state PATH")),
        ("state:new+", ("Selection by state: needs a state",)),
        ("result:error", ("Selection by result: needs a state",)),
        ("source_status:fresher+", ("Selection by source_status: needs a state",)),
    ],
)
@pytest.mark.parametrize("command", ["run", "build", "list", "plan", "compile", "test"])
def test_selection_without_its_state(shop: Path, command: str, select: str, texts: tuple[str, ...]) -> None:
    says(refused(shop, command, "-s", select), *texts)


def test_selection_without_its_file(shop: Path) -> None:
    (shop / "prod-artifacts/run_results.json").unlink()
    ran = refused(shop, "run", "-s", "result:error", "--state", "prod-artifacts")
    says(ran, "--state prod-artifacts: result: selection needs run_results.json, which is not there")
    ran = refused(shop, "build", "-s", "source_status:fresher+", "--state", "prod-artifacts")
    says(ran, "sources.json")
    (shop / "prod-artifacts/run_results.json").write_text("{")
    says(refused(shop, "run", "-s", "result:error", "--state", "prod-artifacts"), "run_results.json")


@pytest.mark.parametrize("command", ["run", "list", "plan"])
def test_an_unknown_sub_selector(shop: Path, command: str) -> None:
    ran = refused(shop, command, "-s", "state:modified.bdoy", "--state", "prod-artifacts")
    says(ran, "'state:modified.bdoy'", "Did you mean 'modified.body' or", "state:modified.contract", "state:unmodified")


@pytest.mark.parametrize("command", ["run", "build", "compile", "docs generate"])
@pytest.mark.parametrize("link", [False, True])
def test_the_state_is_the_target_directory(shop: Path, command: str, link: bool) -> None:
    """This run would overwrite what it reads; a link to it is no way round."""
    (shop / "prod-artifacts").rename(shop / "target")
    if link:
        (shop / "prod-artifacts").symlink_to("target")
    name = "prod-artifacts" if link else "target"
    ran = refused(shop, *words(command), "--defer", "--state", name)
    says(ran, f"--state {name} is the target directory", "Copy it first", "--target-path")
    ran = refused(shop, *words(command), "--defer", "--state", f"{name}/manifest.json")
    says(ran, "is the target directory")
    ran = refused(shop, *words(command), "--defer", "--state", "x", "--target-path", "x")
    says(ran, "--state x")


# What a deferred run would miss


LOOKING = tuple(command for command in COMMANDS if command not in ("test", "explain"))
"""A test of c reads c alone, so it needs nothing that c reads; `explain` explains what is missing, too."""


@pytest.mark.parametrize("command", LOOKING)
def test_what_is_missing_in_production_is_one_list(shop: Path, command: str) -> None:
    query(shop, "drop view prod.b cascade; drop table prod.a cascade")
    ran = refused(shop, *command.split(), "-s", "b", "c", *STATE)
    by_b = "shop.prod.a (model.shop.a, state prod-artifacts), needed by model.shop.b"
    if command in ("run", "build", "plan"):
        says(ran, "1 relations are not there, though the state says so", by_b, "--no-verify-state")
    else:
        by_c = "shop.prod.b (model.shop.b, state prod-artifacts), needed by model.shop.c"
        says(ran, "2 relations are not there, though the state says so", by_b, by_c, "--no-verify-state")


@pytest.mark.parametrize("command", LOOKING)
def test_what_nobody_built_is_one_list(shop: Path, command: str) -> None:
    project(shop, {**FILES, "models/new.sql": "select 1 as id", "models/c.sql": "select * from {{ ref('new') }}, {{ ref('newer') }}",
                   "models/newer.sql": "select 1 as id"})  # fmt: skip
    ran = refused(shop, *words(command), *STATE)
    says(ran, "2 relations are in no state, are not built by this run, and are missing in the target")
    says(
        ran, "shop.dev.new (model.shop.new), needed by", "shop.dev.newer (model.shop.newer), needed by", "model.shop.c"
    )
    says(ran, "Select them too")


def test_explain_shows_what_is_missing(shop: Path) -> None:
    query(shop, "drop view prod.b cascade")
    assert "prod-artifacts  shop.prod.b [not there]" in ok("explain", "c", *STATE, cwd=shop).out


def test_without_a_look_the_database_is_the_one_to_complain(shop: Path) -> None:
    query(shop, "drop view prod.b cascade")
    ran = understudy("run", "-s", "c", *STATE, "--no-verify-state", cwd=shop)
    assert ran.exit_code == 1
    says(ran, "ERROR", "model.shop.c")
    assert understudy("compile", "-s", "c", *STATE, "--no-verify-state", cwd=shop).exit_code == 0


def test_a_test_whose_nodes_are_nowhere(shop: Path) -> None:
    query(shop, "drop view prod.c")
    says(refused(shop, "test", "-s", "c", *STATE), "shop.prod.c", "needed by test.shop.not_null_c_id")


def test_a_hook_needs_its_relations_too(shop: Path) -> None:
    project(shop, {**FILES, "dbt_project.yml": PROJECT + "on-run-end: [\"select * from {{ ref('a') }}\"]\n"})
    query(shop, "drop table prod.a cascade; create schema if not exists dev; create view dev.b as select 1 as id")
    says(refused(shop, "run", "-s", "c", *STATE), "shop.prod.a", "needed by operation.shop.shop-on-run-end-0")


def test_an_operation_needs_its_relations_too(shop: Path) -> None:
    macro = "{% macro peek() %}{% do run_query('select * from ' ~ ref('a')) %}{% endmacro %}"
    project(shop, {**FILES, "macros/peek.sql": macro})
    query(shop, "drop table prod.a cascade")
    says(refused(shop, "run-operation", "peek", *STATE), "shop.prod.a", "needed by the command line")


def test_an_inline_query_needs_its_relations_too(shop: Path) -> None:
    query(shop, "drop table prod.a cascade")
    says(refused(shop, "show", "--inline", "select * from {{ ref('a') }}", *STATE), "shop.prod.a")


def test_a_state_of_a_database_that_is_not_there(shop: Path) -> None:
    """The state says where production is; if that cannot be opened, it is told before anything runs."""
    edited(shop, lambda raw: [node.update(database="nowhere") for node in raw["nodes"].values()])  # type: ignore[attr-defined]
    ran = refused(shop, "run", "-s", "c", *STATE)
    says(ran, "nowhere")


def test_a_hostile_name_in_a_state_is_a_name(shop: Path) -> None:
    """Names of a state are quoted, and `relation_name` is never sent: nothing in the file becomes SQL."""
    evil = 'b" ; drop table "prod"."a" ; --'
    edited(shop, lambda raw: raw["nodes"]["model.shop.b"].update(alias=evil, relation_name=evil))  # type: ignore[index]
    says(refused(shop, "run", "-s", "c", *STATE), "are not there")
    assert query(shop, "select count(*) from prod.a") == [(1,)]
    ran = understudy("run", "-s", "c", *STATE, "--no-verify-state", cwd=shop)
    assert ran.exit_code == 1
    assert query(shop, "select count(*) from prod.a") == [(1,)]


# Odd, and said


def test_an_old_state_is_a_warning(shop: Path) -> None:
    edited(shop, lambda raw: raw["metadata"].update(generated_at="2020-01-01T00:00:00Z"))  # type: ignore[attr-defined]
    ran = understudy("run", "-s", "c", *STATE, cwd=shop)
    assert ran.exit_code == 0
    says(ran, "State prod-artifacts is", "h old (--state-max-age is 24 h)", "StateTooOld")
    assert "h old (--state-max-age" not in ok("run", "-s", "c", *STATE, "--state-max-age", "99999d", cwd=shop).err
    ran = understudy("run", "-s", "c", *STATE, "--warn-error-options", "{error: [StateTooOld]}", cwd=shop)
    assert ran.exit_code == 2
    assert query(shop, "select count(*) from information_schema.tables where table_schema = 'dev'") == [(1,)]


def test_a_state_of_another_engine_is_a_warning(shop: Path) -> None:
    edited(shop, lambda raw: raw["metadata"].update(adapter_type="snowflake"))  # type: ignore[attr-defined]
    says(
        understudy("run", "-s", "c", *STATE, cwd=shop),
        "State prod-artifacts was made with snowflake, this target is duckdb",
    )


def test_what_is_refused_leaves_a_run_that_was_there(shop: Path) -> None:
    """The artifacts of the run before are still its own."""
    ok("build", "-s", "a", cwd=shop)
    before = manifest(shop)
    query(shop, "drop view prod.b cascade")
    refused(shop, "run", "-s", "c", *STATE)
    assert manifest(shop) == before
