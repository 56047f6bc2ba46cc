"""Bad input: each is told with its place and the next step, ends with exit code 2, and leaves target/ as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cli import Ran, ok, project, understudy

GOOD = {
    "models/a.sql": "select 1 as id",
    "models/b.sql": "select * from {{ ref('a') }}",
    "models/schema.yml": """
        models:
          - name: a
            columns:
              - name: id
                data_tests: [not_null]
        """,
    "seeds/names.csv": "id,name\n1,x\n",
}


def snapshot(root: Path) -> dict[str, bytes]:
    """Every file under target/ with its content."""
    return {str(path.relative_to(root)): path.read_bytes() for path in (root / "target").rglob("*") if path.is_file()}


def broken(tmp_path: Path, files: dict[str, str], *args: str) -> Ran:
    """Build a good project once, break it, run again: exit code 2, target/ untouched, no traceback."""
    root = project(tmp_path, GOOD)
    ok("build", cwd=root)
    before = snapshot(root)
    project(tmp_path, {**GOOD, **files})
    ran = understudy(*(args or ("build",)), cwd=root)
    assert ran.exit_code == 2, ran.out + ran.err
    assert snapshot(root) == before
    assert "Traceback" not in ran.err
    return ran


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"models/b.sql": "\nselect *\nfrom {{ ref('aa') }}"},
            ["models/b.sql:3", "'aa'", "Did you mean 'a'"],
            id="misspelt ref",
        ),
        pytest.param(
            {"models/b.sql": "select * from {{ source('raw', 'users') }}"},
            ["models/b.sql", "raw.users"],
            id="unknown source",
        ),
        pytest.param(
            {"models/a.sql": "select * from {{ ref('b') }}"},
            ["model.shop.a", "model.shop.b", "models/a.sql"],
            id="cycle",
        ),
        pytest.param({"models/sub/a.sql": "select 2 as id"}, ["models/a.sql", "models/sub/a.sql"], id="duplicate name"),
        pytest.param(
            {"models/schema.yml": "models:\n  - name: a\n    columns: [\n  - name: id\n"},
            ["models/schema.yml:4"],
            id="broken YAML",
        ),
        pytest.param(
            {"models/schema.yml": "models:\n  - name: a\n    columns: 12\n"},
            ["models/schema.yml:3", "columns"],
            id="wrong shape",
        ),
        pytest.param({"models/b.sql": "\n\nselect 1\n\n{% if %}"}, ["models/b.sql:5"], id="Jinja syntax"),
        pytest.param(
            {"models/b.sql": "{{ config(alias='a') }} select 1"},
            ["models/a.sql", "models/b.sql"],
            id="two nodes, one relation",
        ),
        pytest.param(
            {"dbt_project.yml": "name: shop\nprofile: shp\n"}, ["shp", "Did you mean 'shop'"], id="unknown profile"
        ),
        pytest.param({"dbt_project.yml": "profile: shop\n"}, ["dbt_project.yml", "name"], id="no project name"),
        pytest.param(
            {"profiles.yml": "shop:\n  target: dev\n  outputs:\n    dev: {type: duckbd, schema: dev}\n"},
            ["duckbd", "'duckdb'"],
            id="unknown engine",
        ),
    ],
)
def test_broken_project(tmp_path: Path, files: dict[str, str], expected: list[str]) -> None:
    ran = broken(tmp_path, files)
    for text in expected:
        assert text in ran.err


def test_unknown_target(tmp_path: Path) -> None:
    ran = broken(tmp_path, {}, "build", "--target", "prd")
    assert "'prod'" in ran.err
    assert "profiles.yml" in ran.err


def test_a_missing_seed_file(tmp_path: Path) -> None:
    root = project(tmp_path, GOOD)
    ok("build", cwd=root)
    before = snapshot(root)
    (root / "models/b.sql").write_text("select * from {{ ref('names') }}")
    (root / "seeds/names.csv").unlink()
    ran = understudy("build", cwd=root)
    assert ran.exit_code == 2
    assert "models/b.sql:1" in ran.err
    assert "'names'" in ran.err
    assert snapshot(root) == before


def test_a_state_cut_in_half(tmp_path: Path) -> None:
    root = project(tmp_path, GOOD)
    ok("build", "--target", "prod", "--target-path", "prod-artifacts", cwd=root)
    state = root / "prod-artifacts/manifest.json"
    whole = state.read_bytes()
    state.write_bytes(whole[: len(whole) // 2])
    ran = understudy("build", "-s", "state:modified+", "--defer", "--state", "prod-artifacts", cwd=root)
    assert ran.exit_code == 2
    assert "prod-artifacts/manifest.json" in ran.err
    assert "--state" in ran.err
    assert not (root / "target").exists()


def test_no_project_here(tmp_path: Path) -> None:
    ran = understudy("build", cwd=tmp_path)
    assert ran.exit_code == 2
    assert "dbt_project.yml" in ran.err
    assert "--project-dir" in ran.err


def test_several_errors_are_told_at_once(tmp_path: Path) -> None:
    ran = broken(
        tmp_path, {"models/b.sql": "select * from {{ ref('x1') }}", "models/c.sql": "select * from {{ ref('x2') }}"}
    )
    assert "'x1'" in ran.err
    assert "'x2'" in ran.err


def test_a_missing_var_is_the_node_s_error(tmp_path: Path) -> None:
    """A template may guard against a missing var while it is parsed, so dbt (and we) tell it when the node runs."""
    root = project(tmp_path, {**GOOD, "models/b.sql": "select 1,\n{{ var('rate') }}"})
    ran = understudy("build", cwd=root)
    assert ran.exit_code == 1
    for text in ("models/b.sql", "'rate'", "--vars"):
        assert text in ran.err


def test_an_unknown_macro_is_the_node_s_error(tmp_path: Path) -> None:
    """A template may guard a macro that is not there while it is parsed, so dbt (and we) tell it when the node runs."""
    root = project(tmp_path, {**GOOD, "models/b.sql": "\nselect 1\n{{ nothing() }}"})
    ran = understudy("build", cwd=root)
    assert ran.exit_code == 1
    assert "models/b.sql:3" in ran.err
    assert "'nothing'" in ran.err
