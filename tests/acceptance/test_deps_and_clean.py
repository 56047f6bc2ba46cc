"""`deps` and `clean`: before there are packages, and without a profile."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cli import ok, project, understudy

FILES = {
    "models/a.sql": "select {{ tools.one() }} as id",
    "packages.yml": "packages:\n  - local: tools\n",
    "tools/dbt_project.yml": "name: tools\nversion: '1.0'\n",
    "tools/macros/one.sql": "{% macro one() %}1{% endmacro %}",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return project(tmp_path, FILES)


def test_install_and_use(shop: Path) -> None:
    ran = understudy("run", cwd=shop)
    assert ran.exit_code == 2
    assert "Run 'deps'" in ran.err
    ran = ok("deps", cwd=shop)
    assert "Installing tools" in ran.err
    assert ran.out == ""
    assert "tools" in (shop / "package-lock.yml").read_text()
    ok("run", cwd=shop)


def test_no_profile_is_needed(shop: Path) -> None:
    (shop / "profiles.yml").unlink()
    (shop / "dbt_project.yml").write_text('name: shop\nmodels:\n  +schema: "{{ target.name }}"\n')
    env = {"HOME": str(shop)}
    ok("deps", cwd=shop, env=env)
    (shop / "target").mkdir()
    ran = ok("clean", cwd=shop, env=env)
    assert ran.out == "Deleted target\n"
    assert not (shop / "target").exists()
    assert (shop / "dbt_packages/tools").exists()


def test_a_dry_run_and_a_lock(shop: Path) -> None:
    ran = ok("deps", "--dry-run", cwd=shop)
    assert ran.out.startswith("Would install tools")
    assert not (shop / "dbt_packages").exists()
    assert not (shop / "package-lock.yml").exists()
    ok("deps", "--lock", cwd=shop)
    assert (shop / "package-lock.yml").exists()
    assert not (shop / "dbt_packages/tools").exists()


def test_a_package_is_added(shop: Path) -> None:
    (shop / "packages.yml").unlink()
    ok("deps", "--add-package", "tools", "--source", "local", cwd=shop)
    assert "local: tools" in (shop / "packages.yml").read_text()
    ok("run", cwd=shop)


@pytest.mark.parametrize(
    ("files", "args", "told"),
    [
        ({"packages.yml": "packages:\n  - local: toools\n"}, (), "toools"),
        ({"packages.yml": "packages:\n  - what: x\n"}, (), "packages.yml"),
        ({}, ("--source", "svn"), "--source"),
        ({"dbt_project.yml": "- no map\n"}, (), "dbt_project.yml"),
    ],
)
def test_errors(shop: Path, files: dict[str, str], args: tuple[str, ...], told: str) -> None:
    for path, text in files.items():
        (shop / path).write_text(text)
    ran = understudy("deps", *args, cwd=shop)
    assert ran.exit_code == 2
    assert told in ran.err
    assert "Traceback" not in ran.err
    assert not (shop / "dbt_packages/tools").exists()


def test_clean_targets(shop: Path) -> None:
    settings = (shop / "dbt_project.yml").read_text()
    (shop / "dbt_project.yml").write_text(settings + "clean-targets: [out, target, missing]\n")
    for name in ("out", "target"):
        (shop / name).mkdir()
    assert ok("clean", cwd=shop).lines == ["Deleted out", "Deleted target"]
    for bad, told in (("models", "source files"), (".", "source files"), ("../x", "not in the project")):
        (shop / "dbt_project.yml").write_text(settings + f"clean-targets: [out, '{bad}']\n")
        (shop / "out").mkdir(exist_ok=True)
        ran = understudy("clean", cwd=shop)
        assert ran.exit_code == 2
        assert told in ran.err
        assert (shop / "out").exists()
