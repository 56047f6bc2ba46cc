"""`init`: a project that builds at once, and nothing that exists is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cli import ok, project, query, results, understudy


def files(root: Path) -> dict[str, bytes]:
    """Every file under a folder."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_it_builds_and_defers(tmp_path: Path) -> None:
    ran = ok("init", "rental", cwd=tmp_path)
    assert "cd rental && understudy build" in ran.err
    root = tmp_path / "rental"
    assert [path.name for path in tmp_path.iterdir()] == ["rental"]
    assert root.stat().st_mode & 0o777 == (tmp_path / "rental/models").stat().st_mode & 0o777
    ok("--warn-error", "build", cwd=root)
    assert {result["status"] for result in results(root).values()} == {"success", "pass"}
    assert query(root, "select sum(rides), sum(revenue) from dev.daily_rides", "rental.duckdb")[0][0] == 8
    ok("build", "--target", "prod", "--target-path", "prod-artifacts", cwd=root)
    query(root, "drop schema dev cascade", "rental.duckdb")
    mart = root / "models/marts/daily_rides.sql"
    mart.write_text(mart.read_text().replace("sum(minutes)", "max(minutes)"))
    ok("run", "-s", "state:modified+", "--defer", "--state", "prod-artifacts", cwd=root)
    assert list(results(root)) == ["model.rental.daily_rides"]


def test_profiles(tmp_path: Path) -> None:
    ok("init", "without", "--skip-profile-setup", cwd=tmp_path)
    assert not (tmp_path / "without/profiles.yml").exists()
    (tmp_path / "profiles.yml").write_text(
        "warehouse: {target: x, outputs: {x: {type: duckdb, path: w.duckdb, schema: s}}}\n"
    )
    ok("init", "with_ours", "--profile", "warehouse", cwd=tmp_path)
    assert not (tmp_path / "with_ours/profiles.yml").exists()
    ok("build", "--project-dir", "with_ours", cwd=tmp_path)
    ran = understudy("init", "other", "--profile", "warehose", cwd=tmp_path)
    assert ran.exit_code == 2
    assert "Did you mean 'warehouse'" in ran.err
    assert not (tmp_path / "other").exists()


def test_another_folder(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    ok("init", "rental", "--project-dir", "below", cwd=tmp_path)
    assert (tmp_path / "below/rental/dbt_project.yml").exists()


def test_what_exists_stays(tmp_path: Path) -> None:
    (tmp_path / "rental").mkdir()
    (tmp_path / "rental/mine.txt").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    before = files(tmp_path)
    for name in ("rental", "link"):
        ran = understudy("init", name, cwd=tmp_path)
        assert ran.exit_code == 2
        assert f"called {name} here already" in ran.err
    assert files(tmp_path) == before


@pytest.mark.parametrize("folder", [".", "models"])
def test_inside_a_project(tmp_path: Path, folder: str) -> None:
    root = project(tmp_path, {"models/a.sql": "select 1 as id"})
    before = files(root)
    ran = understudy("init", "rental", cwd=root / folder)
    assert ran.exit_code == 2
    assert "a project already" in ran.err
    assert "dbt_project.yml" in ran.err
    assert files(root) == before


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (None, "understudy init shop"),
        ("my-shop", "Did you mean 'my_shop'"),
        ("1st", "letters, digits and underscores"),
        ("../up", "no valid name"),
        ("dbt", "dbt's own"),
        ("source", "means something else"),
    ],
)
def test_names(tmp_path: Path, name: str | None, told: str) -> None:
    ran = understudy("init", *([name] if name else []), cwd=tmp_path)
    assert ran.exit_code == 2
    assert told in ran.err
    assert list(tmp_path.iterdir()) == []
