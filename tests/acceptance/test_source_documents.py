"""Every command of the source documents, with `dbt` replaced by `understudy`: it works, or fails as they describe."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.cli import compiled, manifest, ok, project, query, results, understudy

FILES = {
    "models/model_a.sql": "select 1 as id union all select 2 as id",
    "models/model_b.sql": "select\n\n    id,\n    count(*) as n\n\nfrom {{ ref('model_a') }}\ngroup by 1",
    "models/model_c.sql": "select 3 as id",
    "models/model_f.sql": "select b.id from {{ ref('model_b') }} b left join {{ ref('model_c') }} c on b.id = c.id",
    "models/resources.yml": """
        models:
          - name: model_b
            columns:
              - name: id
                data_tests:
                  - relationships:
                      arguments: {to: ref('model_a'), field: id}
        """,
    "seeds/countries.csv": "id,name\n1,Austria\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Production is built, its artifacts are kept in prod-artifacts/; the dev schema is empty."""
    root = project(tmp_path, FILES)
    ok("build", "--target", "prod", cwd=root)
    (root / "target").rename(root / "prod-artifacts")
    return root


def relations(root: Path, schema: str) -> set[str]:
    """The names of all tables and views of one schema."""
    sql = f"select table_name from information_schema.tables where table_schema = '{schema}'"
    return {name for (name,) in query(root, sql)}


DEFER = ("--defer", "--state", "prod-artifacts")


def test_a_run_without_deferral_fails_for_the_missing_parent(shop: Path) -> None:
    ran = understudy("run", "--select", "model_b", cwd=shop)
    assert ran.exit_code == 1
    assert "model_a" in results(shop)["model.shop.model_b"]["message"]


def test_a_deferred_run_reads_production(shop: Path) -> None:
    ok("run", "--select", "model_b", *DEFER, cwd=shop)
    assert relations(shop, "dev") == {"model_b"}
    assert '"shop"."prod"."model_a"' in compiled(shop, "models/model_b.sql")


def test_models_is_an_old_name_of_select(shop: Path) -> None:
    ok("run", "--models", "model_b", *DEFER, cwd=shop)
    assert relations(shop, "dev") == {"model_b"}


def test_a_deferred_test_reads_across_environments_and_says_so(shop: Path) -> None:
    ok("run", "--select", "model_b", *DEFER, cwd=shop)
    ran = ok("test", "--select", "model_b", *DEFER, cwd=shop)
    (test,) = results(shop).values()
    assert test["status"] == "pass"
    assert '"shop"."dev"."model_b"' in test["compiled_code"]
    assert '"shop"."prod"."model_a"' in test["compiled_code"]
    assert "two environments" in ran.err


def test_a_dev_relation_wins_unless_state_is_favoured(shop: Path) -> None:
    ok("run", "--select", "model_c", cwd=shop)
    ok("run", "-s", "model_f", *DEFER, cwd=shop)
    sql = compiled(shop, "models/model_f.sql")
    assert '"shop"."prod"."model_b"' in sql
    assert '"shop"."dev"."model_c"' in sql
    ok("run", "-s", "model_f", *DEFER, "--favor-state", cwd=shop)
    sql = compiled(shop, "models/model_f.sql")
    assert '"shop"."prod"."model_b"' in sql
    assert '"shop"."prod"."model_c"' in sql


def test_slim_ci_builds_the_modified_and_what_depends_on_them(shop: Path) -> None:
    (shop / "models/model_b.sql").write_text("select id, count(*) as rows_of_id from {{ ref('model_a') }} group by 1")
    listed = ok("list", "--select", "state:modified+", "--state", "prod-artifacts", cwd=shop)
    assert set(listed.lines) == {"shop.model_b", "shop.model_f", "shop.relationships_model_b_id__id__ref_model_a_"}
    ok("build", "--select", "state:modified+", *DEFER, "--target", "dev", cwd=shop)
    assert relations(shop, "dev") == {"model_b", "model_f"}
    assert '"shop"."dev"."model_b"' in compiled(shop, "models/model_f.sql")
    assert '"shop"."prod"."model_c"' in compiled(shop, "models/model_f.sql")


@pytest.mark.parametrize("selector", ["state:modified", "state:modified+", "+state:modified", "+state:modified+"])
def test_nothing_is_modified_in_an_unchanged_project(shop: Path, selector: str) -> None:
    assert ok("list", "--select", selector, "--state", "prod-artifacts", cwd=shop).lines == []


@pytest.mark.parametrize("command", ["run", "test", "build", "compile", "seed"])
def test_deferral_works_for_each_command(shop: Path, command: str) -> None:
    ok(command, *DEFER, cwd=shop)


def test_full_refresh_with_deferral(shop: Path) -> None:
    (shop / "models/model_b.sql").write_text("select id, 1 as n from {{ ref('model_a') }}")
    ok("build", "--select", "state:modified+", *DEFER, "--full-refresh", cwd=shop)


def test_defer_state_apart_from_state(shop: Path) -> None:
    shutil.copytree(shop / "prod-artifacts", shop / "ci-artifacts")
    (shop / "models/model_b.sql").write_text("select id, 1 as n from {{ ref('model_a') }}")
    args = ("--select", "state:modified", "--defer", "--state", "ci-artifacts", "--defer-state", "prod-artifacts")
    ok("run", *args, cwd=shop)
    assert relations(shop, "dev") == {"model_b"}


@pytest.mark.parametrize(
    "env",
    [
        {"DBT_DEFER": "true", "DBT_STATE": "prod-artifacts"},
        {"DBT_DEFER": "1", "DBT_DEFER_STATE": "prod-artifacts"},
        {"DBT_DEFER_TO_STATE": "true", "DBT_ARTIFACT_STATE_PATH": "prod-artifacts"},
    ],
    ids=["current", "apart", "legacy"],
)
def test_the_environment_variables(shop: Path, env: dict[str, str]) -> None:
    ok("run", "--select", "model_b", cwd=shop, env=env)
    assert '"shop"."prod"."model_a"' in compiled(shop, "models/model_b.sql")


def test_no_defer_beats_the_environment(shop: Path) -> None:
    env = {"DBT_DEFER": "true", "DBT_STATE": "prod-artifacts"}
    assert understudy("run", "-s", "model_b", "--no-defer", cwd=shop, env=env).exit_code == 1


def test_favor_state_by_environment(shop: Path) -> None:
    ok("run", "--select", "model_a", cwd=shop)
    env = {"DBT_DEFER": "true", "DBT_STATE": "prod-artifacts", "DBT_FAVOR_STATE": "true"}
    ok("run", "--select", "model_b", cwd=shop, env=env)
    assert '"shop"."prod"."model_a"' in compiled(shop, "models/model_b.sql")


def test_debug_says_where_each_reference_goes(shop: Path) -> None:
    ran = ok("run", "--select", "model_b", *DEFER, "--debug", cwd=shop)
    assert "ref model_a -> shop.prod.model_a (not selected, missing in the target)" in ran.err


def test_the_manifest_itself_may_be_named(shop: Path) -> None:
    ok("run", "--select", "model_b", "--defer", "--state", "prod-artifacts/manifest.json", cwd=shop)


# What the documents say goes wrong


def test_state_selection_without_a_state(shop: Path) -> None:
    ran = understudy("build", "--select", "state:modified+", "--defer", cwd=shop)
    assert ran.exit_code == 2
    assert "--state" in ran.err
    assert not (shop / "target").exists()


def test_defer_without_a_state(shop: Path) -> None:
    ran = understudy("run", "--select", "model_b", "--defer", cwd=shop)
    assert ran.exit_code == 2
    assert "--defer" in ran.err


@pytest.mark.parametrize("path", ["prod-artifcats", "models"], ids=["no such folder", "no manifest in it"])
def test_a_wrong_state_path(shop: Path, path: str) -> None:
    ran = understudy("run", "--select", "model_b", "--defer", "--state", path, cwd=shop)
    assert ran.exit_code == 2
    assert path in ran.err
    assert "--state" in ran.err
    assert relations(shop, "dev") == set()


def test_the_state_must_not_be_the_target_directory(shop: Path) -> None:
    (shop / "prod-artifacts").rename(shop / "target")
    before = (shop / "target/manifest.json").read_bytes()
    ran = understudy("run", "--select", "model_b", "--defer", "--state", "target", cwd=shop)
    assert ran.exit_code == 2
    assert "target" in ran.err
    assert (shop / "target/manifest.json").read_bytes() == before


def test_a_new_model_is_in_no_state(shop: Path) -> None:
    project(shop, {**FILES, "models/new.sql": "select 1 as id", "models/user.sql": "select * from {{ ref('new') }}"})
    ran = understudy("run", "--select", "user", *DEFER, cwd=shop)
    assert ran.exit_code == 2
    assert "model.shop.new" in ran.err
    assert "model.shop.user" in ran.err
    assert relations(shop, "dev") == set()


def test_production_without_the_relation_is_told_before_anything_runs(shop: Path) -> None:
    query(shop, "drop view prod.model_a")
    query(shop, "drop view prod.model_c")
    ran = understudy("run", "--select", "model_b model_f", *DEFER, cwd=shop)
    assert ran.exit_code == 2
    assert "shop.prod.model_a" in ran.err
    assert "shop.prod.model_c" in ran.err
    assert "--no-verify-state" in ran.err
    assert relations(shop, "dev") == set()


def test_an_unknown_sub_selector(shop: Path) -> None:
    ran = understudy("list", "--select", "state:modfied", "--state", "prod-artifacts", cwd=shop)
    assert ran.exit_code == 2
    assert "modified" in ran.err


def test_ephemeral_models_are_never_deferred(shop: Path) -> None:
    (shop / "models/model_a.sql").write_text("{{ config(materialized='ephemeral') }} select 1 as id")
    ok("run", "--select", "model_b", *DEFER, cwd=shop)
    sql = compiled(shop, "models/model_b.sql")
    assert "__dbt__cte__model_a" in sql
    assert "prod" not in sql


def test_the_manifest_of_a_deferred_run_is_todays(shop: Path) -> None:
    ok("run", "--select", "model_b", *DEFER, cwd=shop)
    node = manifest(shop)["nodes"]["model.shop.model_a"]
    assert node["relation_name"] == '"shop"."dev"."model_a"'


def test_seed_shows_what_it_loaded(shop: Path) -> None:
    ran = ok("seed", "--show", cwd=shop)
    assert "Austria" in ran.out
    assert "Austria" not in ok("seed", cwd=shop).out
