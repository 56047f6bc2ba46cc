"""`understudy.yml`: in dev, no flag is needed; each environment asks those behind it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.cli import compiled, ok, project, understudy

PROFILES = """
    shop:
      target: dev
      outputs:
        dev: {type: duckdb, path: shop.duckdb, schema: dev}
        staging: {type: duckdb, path: shop.duckdb, schema: staging}
        prod: {type: duckdb, path: shop.duckdb, schema: prod}
    """
FILES = {
    "profiles.yml": PROFILES,
    "models/a.sql": "select 1 as id",
    "models/b.sql": "select id from {{ ref('a') }}",
    "understudy.yml": """
        defer: true
        environments:
          - {name: dev}
          - {name: staging, state: states/staging}
          - {name: production, target: prod, state: states/prod, id: 42}
        """,
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Production has all, staging only a."""
    root = project(tmp_path, FILES)
    ok("build", "--target", "prod", "--target-path", "states/prod", cwd=root)
    (root / "models/b.sql").rename(root / "b.sql")
    ok("build", "--target", "staging", "--target-path", "states/staging", "--no-defer", cwd=root)
    (root / "b.sql").rename(root / "models/b.sql")
    (root / "models/c.sql").write_text("select a.id from {{ ref('a') }} a join {{ ref('b') }} b on b.id = a.id")
    return root


def test_no_flag_is_needed(shop: Path) -> None:
    ran = ok("build", "-s", "c", cwd=shop)
    assert (
        "state staging: states/staging, built just now, 1 node · state production: states/prod, built just now, 2 nodes"
        in ran.err
    )
    assert "2 references deferred to shop.prod, shop.staging" in ran.err
    assert '"staging"."a"' in compiled(shop, "models/c.sql")
    assert '"prod"."b"' in compiled(shop, "models/c.sql")
    assert ok("list", "-s", "state:new", cwd=shop).lines == ["shop.b", "shop.c"]


def test_it_can_be_turned_off_and_overruled(shop: Path) -> None:
    assert "deferred" not in ok("compile", "-s", "c", "--no-defer", cwd=shop).err
    assert "state" not in ok("compile", "-s", "c", "--no-defer", cwd=shop).err.splitlines()[0]
    ok("compile", "-s", "c", "--state", "states/prod", cwd=shop)
    assert '"prod"."a"' in compiled(shop, "models/c.sql")
    ok("compile", "-s", "c", "--defer-state", "states/prod", cwd=shop)
    assert '"prod"."a"' in compiled(shop, "models/c.sql")
    assert ok("list", "-s", "state:new", "--state", "states/prod", cwd=shop).lines == ["shop.c"]


def test_production_defers_to_nobody(shop: Path) -> None:
    ran = ok("build", "--target", "prod", cwd=shop)
    assert "deferred" not in ran.err
    assert "state" not in ran.err.splitlines()[0]
    assert '"prod"."a"' in compiled(shop, "models/c.sql")


def test_staging_asks_production_alone(shop: Path) -> None:
    ok("build", "-s", "c", "--target", "staging", cwd=shop)
    sql = compiled(shop, "models/c.sql")
    assert '"staging"."a"' in sql  # its own, which exists
    assert '"prod"."b"' in sql


@pytest.mark.parametrize("number", ["42", "production"])
def test_the_environment_of_dbt_cloud(shop: Path, number: str) -> None:
    with (shop / "dbt_project.yml").open("a") as file:
        file.write(f"dbt-cloud: {{defer-env-id: {number}}}\n")
    ran = ok("compile", "-s", "c", cwd=shop)
    assert '"prod"."a"' in compiled(shop, "models/c.sql")
    assert "defer-env-id" not in ran.err


def test_an_environment_of_dbt_cloud_that_nobody_knows(shop: Path) -> None:
    with (shop / "dbt_project.yml").open("a") as file:
        file.write("dbt-cloud: {defer-env-id: 43}\n")
    ran = ok("compile", "-s", "c", cwd=shop)
    assert '"staging"."a"' in compiled(shop, "models/c.sql")
    told = "dbt-cloud: defer-env-id 43 is no environment of understudy.yml: 'staging' is asked first"
    assert ran.err.count(told) == 1
    assert "defer-env-id" not in ok("build", "--target", "prod", cwd=shop).err  # which asks nobody


def test_a_state_that_is_not_there_yet(shop: Path) -> None:
    (shop / "states/staging").rename(shop / "elsewhere")
    ran = understudy("build", "-s", "c", cwd=shop)
    assert ran.exit_code == 2
    assert "understudy.yml (staging) states/staging: there is no such folder or file" in ran.err
    ok("compile", "-s", "c", "--no-defer", cwd=shop)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("defer: maybe", "'defer' must be true or false, not 'maybe'"),
        ("environment: []", "understudy.yml has no key 'environment'"),
        ("environments: {dev: {}}", "'environments' must be a list"),
        ("environments: [dev]", "an environment must be a map"),
        ("environments: [{target: dev}]", "an environment has no 'name'"),
        ("environments: [{name: a, stat: x}]", "an environment has no key 'stat'"),
        ("environments: [{name: a, state: [x]}]", "'state' must be text"),
        ("environments: [{name: a}, {name: a}]", "two environments have the name 'a'"),
        ("environments: [{name: a, target: x}, {name: b, target: x}]", "two environments have the target 'x'"),
        ("- defer", "understudy.yml must be a map"),
        ("defer: [", "understudy.yml"),
    ],
)
def test_a_file_that_makes_no_sense(tmp_path: Path, text: str, said: str) -> None:
    root = project(tmp_path, {"models/a.sql": "select 1 as id", "understudy.yml": text})
    ran = understudy("build", cwd=root)
    assert ran.exit_code == 2
    assert said in ran.err


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    root = project(tmp_path, {"models/a.sql": "select 1 as id", "understudy.yml": "# nothing yet\n"})
    ok("build", cwd=root)


def test_it_can_compare_with_a_branch_and_defer_to_what_was_built(shop: Path) -> None:
    """`compare` is for `state:` alone; and nothing of it is asked where no selection needs it."""
    text = (shop / "understudy.yml").read_text()
    (shop / "understudy.yml").write_text(f"compare: git:main\n{text}")
    ran = understudy("list", "-s", "state:modified", cwd=shop, env={"GIT_CEILING_DIRECTORIES": str(shop.parent)})
    assert ran.exit_code == 2
    assert "understudy.yml (compare) git:main: the project is in no git repository" in ran.err
    ok("compile", "-s", "c", cwd=shop)
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    (shop / ".gitignore").write_text("target\nlogs\n*.duckdb\n.understudy\nstates\n")
    for args in (("init", "-q", "-b", "main"), ("add", "-A"), (*who, "commit", "-qm", "first")):
        subprocess.run(["git", *args], cwd=shop, check=True)
    (shop / "models/c.sql").write_text("select 5 as five, * from {{ ref('a') }}")
    ran = ok("build", "-s", "state:modified", cwd=shop)
    assert "Selected 1 of 3 models" in ran.err
    assert "git:main" in ran.err.splitlines()[0]
    assert "deferred to" in ran.err
