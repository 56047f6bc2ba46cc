"""`--state git:REV`: the code where a branch left, as a state to compare with."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import ok, project, understudy

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
WHO = [
    "-c",
    "user.name=a",
    "-c",
    "user.email=a@example.com",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "protocol.file.allow=always",
]
FILES = {
    "models/a.sql": "select '{{ env_var('ZONE', 'eu') }}' as zone",
    "models/b.sql": "select zone from {{ ref('a') }}",
    "models/old.sql": "select 1 as id",
    "seeds/days.csv": "day\n1\n",
    ".gitignore": "target/\nlogs/\n*.duckdb\n",
}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *WHO, *words], cwd=folder, check=False, capture_output=True, text=True, env=CLEAN)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository whose branch `main` has a project in shop/, with a branch `work` that is checked out."""
    folder = tmp_path / "repository"
    project(folder / "shop", FILES)
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "first")
    git(folder, "checkout", "-q", "-b", "work")
    return folder


@pytest.fixture
def shop(top: Path) -> Path:
    return top / "shop"


def changed(root: Path, *more: str, rev: str = "main", env: dict[str, str] | None = None) -> list[str]:
    return ok("list", "-s", "state:modified", "--state", f"git:{rev}", *more, cwd=root, env=env).lines


def baselines(root: Path) -> list[tuple[str, int]]:
    folder = root / ".understudy" / "baselines"
    return sorted((each.name, (each / "manifest.json").stat().st_mtime_ns) for each in folder.iterdir())


def test_what_the_branch_changed(shop: Path) -> None:
    assert changed(shop) == []
    (shop / "models/b.sql").write_text("select upper(zone) as zone from {{ ref('a') }}")
    (shop / "models/old.sql").rename(shop / "models/new.sql")
    (shop / "seeds/days.csv").write_text("day\n2\n")
    assert changed(shop) == ["shop.b", "shop.new", "shop.days"]
    assert ok("list", "-s", "state:removed", "--state", "git:main", cwd=shop).lines == ["shop.old"]


def test_what_others_merged_meanwhile_does_not_count(top: Path, shop: Path) -> None:
    (shop / "models/b.sql").write_text("select 'mine' as zone from {{ ref('a') }}")
    commit(top, "mine")
    git(top, "checkout", "-q", "main")
    (shop / "models/a.sql").write_text("select 'theirs' as zone")
    commit(top, "theirs")
    git(top, "checkout", "-q", "work")
    assert changed(shop) == ["shop.b"]


def test_the_work_tree_is_never_touched(top: Path, shop: Path) -> None:
    (shop / "models/b.sql").write_text("select 1 as zone")
    (shop / "models/untracked.sql").write_text("select 1 as id")
    git(top, "add", "shop/models/b.sql")
    before = git(top, "status", "--porcelain"), git(top, "rev-parse", "HEAD"), git(top, "write-tree")
    assert changed(shop) == ["shop.b", "shop.untracked"]
    assert (git(top, "status", "--porcelain"), git(top, "rev-parse", "HEAD"), git(top, "write-tree")) == before


def test_it_is_parsed_once_for_the_same_inputs(shop: Path) -> None:
    changed(shop)
    kept = baselines(shop)
    assert len(kept) == 1
    changed(shop)
    assert baselines(shop) == kept
    changed(shop, "--vars", "x: 1")
    assert len(baselines(shop)) == 2
    changed(shop, env={"ZONE": "us"})
    assert len(baselines(shop)) == 3
    changed(shop, env={"NOBODY_ASKS": "1"})
    assert len(baselines(shop)) == 3
    assert not list((shop / ".understudy" / "baselines").glob(".new-*"))


def test_the_head_names_the_commit(top: Path, shop: Path) -> None:
    ran = ok("plan", "-s", "state:modified", "--state", "git:main", cwd=shop)
    assert f"state git:main: commit {git(top, 'rev-parse', 'main')[:10]}, 4 nodes" in ran.err


def test_nothing_was_built_from_code(shop: Path) -> None:
    ran = understudy("build", "--state", "git:main", "--defer", cwd=shop)
    assert ran.exit_code == 2
    assert "--state git:main is code, from which nothing was built: --defer needs another state" in ran.err
    ok("build", "--target", "prod", "--target-path", "prod", cwd=shop)
    (shop / "models/b.sql").write_text("select 'x' || zone as zone from {{ ref('a') }}")
    ran = ok("build", "-s", "state:modified", "--state", "git:main", "--defer", "--defer-state", "prod", cwd=shop)
    assert "1 reference deferred to shop.prod" in ran.err


def test_a_shallow_clone_is_told_how_to_mend_it(top: Path, tmp_path: Path) -> None:
    for n in range(2):
        (top / "shop/models/b.sql").write_text(f"select {n} as zone from {{{{ ref('a') }}}}")
        commit(top, str(n))
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", "--no-single-branch", "--branch", "work", f"file://{top}", str(clone))
    ran = understudy("list", "-s", "state:modified", "--state", "git:origin/main", cwd=clone / "shop")
    assert ran.exit_code == 2
    assert "where HEAD and origin/main part: this clone is shallow" in ran.err
    mend = ran.err.split("Fetch the rest of the history: ")[1].splitlines()[0]
    git(clone, *shlex.split(mend)[1:])
    assert changed(clone / "shop", rev="origin/main") == ["shop.b"]


def test_a_branch_that_was_not_fetched(top: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--single-branch", "--branch", "work", f"file://{top}", str(clone))
    ran = understudy("list", "-s", "state:modified", "--state", "git:main", cwd=clone / "shop")
    assert ran.exit_code == 2
    mend = ran.err.split("Fetch it first: ")[1].splitlines()[0]
    git(clone, *shlex.split(mend)[1:])
    assert changed(clone / "shop") == []


def test_packages_are_todays(shop: Path) -> None:
    project(shop, {
        "packages.yml": "packages: [{local: ../lib}]",
        "dbt_packages/lib/dbt_project.yml": "name: lib\nversion: '1.0'\n",
        "dbt_packages/lib/macros/one.sql": "{% macro one() %}1{% endmacro %}",
        "models/b.sql": "select {{ lib.one() }} as zone",
    })  # fmt: skip
    (shop / ".gitignore").write_text(FILES[".gitignore"] + "dbt_packages/\n")
    commit(shop, "with a package")
    git(shop, "branch", "-f", "main")
    assert changed(shop) == []


@pytest.mark.parametrize(
    ("rev", "said"),
    [("nope", "there is no such revision here"), ("--output=x", "is no revision"), ("a b", "is no revision")],
)
def test_no_revision(shop: Path, rev: str, said: str) -> None:
    ran = understudy("list", "-s", "state:modified", "--state", f"git:{rev}", cwd=shop)
    assert ran.exit_code == 2
    assert said in ran.err
    assert not (shop / "x").exists()


def test_no_repository(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    env = {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    ran = understudy("list", "-s", "state:modified", "--state", "git:main", cwd=root, env=env)
    assert ran.exit_code == 2
    assert "the project is in no git repository" in ran.err


def test_a_project_that_could_not_be_parsed_then(top: Path, shop: Path) -> None:
    good = (shop / "models/b.sql").read_text()
    (shop / "models/b.sql").write_text("select {{ ref('nothing') }}")
    commit(top, "bad")
    git(top, "branch", "-f", "main")
    (shop / "models/b.sql").write_text(good)
    ran = understudy("list", "-s", "state:modified", "--state", "git:main", cwd=shop)
    assert ran.exit_code == 2
    assert "cannot be parsed" in ran.err
    assert "'nothing'" in ran.err
    git(top, "rm", "-rq", "--cached", "shop")
    git(top, "commit", "-q", "-m", "no project")
    git(top, "branch", "-f", "main")
    ran = understudy("list", "-s", "state:modified", "--state", "git:main", cwd=shop)
    assert "there was no project in shop yet" in ran.err


def test_files_that_moved_or_went(shop: Path) -> None:
    """A file in another folder keeps its id, and has another fqn; what is gone is named, whatever its kind."""
    (shop / "models/deep").mkdir()
    (shop / "models/b.sql").rename(shop / "models/deep/b.sql")
    (shop / "models/old.sql").unlink()
    (shop / "seeds/days.csv").unlink()
    assert changed(shop) == ["shop.deep.b"]
    assert set(ok("list", "-s", "state:removed", "--state", "git:main", cwd=shop).lines) == {"shop.old", "shop.days"}


def test_a_tree_with_uncommitted_and_staged_changes_is_todays_project(top: Path, shop: Path) -> None:
    (shop / "models/b.sql").write_text("select zone, 1 as staged from {{ ref('a') }}")
    git(top, "add", "-A")
    (shop / "models/old.sql").write_text("select 2 as id")
    (shop / "models/untracked.sql").write_text("select 3 as id")
    assert changed(shop) == ["shop.b", "shop.old", "shop.untracked"]
    assert git(top, "status", "--porcelain").count("\n") == 2


def test_a_detached_head(top: Path, shop: Path) -> None:
    (shop / "models/b.sql").write_text("select zone, 1 as n from {{ ref('a') }}")
    commit(top, "mine")
    git(top, "checkout", "-q", "--detach")
    assert changed(shop) == ["shop.b"]
    assert changed(shop, rev="HEAD") == []
    assert changed(shop, rev="HEAD~1") == ["shop.b"]
    assert changed(shop, rev=git(top, "rev-parse", "main")) == ["shop.b"]


def test_a_second_work_tree(top: Path, tmp_path: Path) -> None:
    git(top, "worktree", "add", "-q", "-b", "other", str(tmp_path / "other"))
    shop = tmp_path / "other/shop"
    (shop / "models/b.sql").write_text("select zone, 1 as n from {{ ref('a') }}")
    assert changed(shop) == ["shop.b"]


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"])
def test_in_a_hook_of_another_repository(shop: Path, tmp_path: Path, variable: str) -> None:
    """Git tells its hooks where *its* repository is; ours is where the project stands."""
    git(tmp_path, "init", "-q", "--bare", "elsewhere.git")
    assert changed(shop, env={variable: str(tmp_path / "elsewhere.git")}) == []


def test_variables_are_todays_and_so_is_the_target(top: Path, shop: Path) -> None:
    """What depends on them is no difference; and each set of values has a baseline of its own."""
    (shop / "models/a.sql").write_text("select '{{ var('zone', 'x') }}' as zone, '{{ target.name }}' as t")
    commit(top, "vars")
    git(top, "branch", "-f", "main")
    assert changed(shop, "--vars", "{zone: y}") == []
    assert changed(shop, "--target", "prod") == []
    assert changed(shop, "--target", "prod", "--vars", "{zone: y}") == []
    assert len(baselines(shop)) == 3


def test_a_project_at_the_top_of_its_repository(tmp_path: Path) -> None:
    root = project(tmp_path / "flat", {**FILES, ".gitignore": FILES[".gitignore"] + ".understudy/\n"})
    git(root, "init", "-q", "-b", "main")
    commit(root, "first")
    (root / "models/b.sql").write_text("select 1 as zone")
    assert changed(root) == ["shop.b"]


def test_macros_in_a_submodule(top: Path, shop: Path, tmp_path: Path) -> None:
    """They count as they were at the commit that was recorded then."""
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "one.sql").write_text("{% macro one() %}1{% endmacro %}")
    git(shared, "init", "-q", "-b", "main")
    commit(shared, "first")
    git(top, "submodule", "add", "-q", str(shared), "shop/macros/shared")
    (shop / "models/b.sql").write_text("select {{ one() }} as zone")
    commit(top, "with a submodule")
    git(top, "branch", "-f", "main")
    assert changed(shop) == []
    (shop / "macros/shared/one.sql").write_text("{% macro one() %}2{% endmacro %}")
    assert changed(shop) == ["shop.b"]
    git(shop / "macros/shared", "commit", "-qam", "second")
    assert changed(shop) == ["shop.b"]
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", f"file://{top}", str(clone))
    ran = understudy("list", "-s", "state:modified", "--state", "git:origin/main", cwd=clone / "shop")
    assert ran.exit_code == 2
    assert "git submodule update --init shop/macros/shared" in ran.err


def test_a_project_without_dbt_project_then(top: Path, shop: Path) -> None:
    (shop / "dbt_project.yml").rename(top / "kept.yml")
    commit(top, "no project file")
    git(top, "branch", "-f", "main")
    (top / "kept.yml").rename(shop / "dbt_project.yml")
    ran = understudy("list", "-s", "state:modified", "--state", "git:main", cwd=shop)
    assert ran.exit_code == 2
    assert "there was no dbt_project.yml at" in ran.err


def test_several_at_once(top: Path, shop: Path) -> None:
    """Each makes the baseline, one keeps it, and all of them read a whole one."""
    command = [sys.executable, "-m", "understudy", "list", "-s", "state:modified", "--state", "git:main"]
    (shop / "models/b.sql").write_text("select zone, 1 as n from {{ ref('a') }}")
    running = [
        subprocess.Popen(command, cwd=shop, env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for each in running:
        out, err = each.communicate()
        assert (each.returncode, out.split()) == (0, ["shop.b"]), err
    assert len(baselines(shop)) == 1
    left = [each.name for each in (shop / ".understudy/baselines").iterdir() if each.name.startswith(".new-")]
    assert left == []


def test_what_a_killed_run_left_is_swept(shop: Path) -> None:
    left = shop / ".understudy/baselines/.new-left"
    left.mkdir(parents=True)
    os.utime(left, (1, 1))
    fresh = shop / ".understudy/baselines/.new-fresh"
    fresh.mkdir()
    assert changed(shop) == []
    assert (left.exists(), fresh.exists()) == (False, True)


def test_a_damaged_baseline_is_made_anew(shop: Path) -> None:
    assert changed(shop) == []
    (kept,) = (shop / ".understudy/baselines").iterdir()
    (kept / "inputs.json").write_text("{")
    assert changed(shop) == []
    assert len(baselines(shop)) == 1
