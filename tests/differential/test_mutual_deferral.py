"""dbt 1.11 defers to our state, and we to dbt's; neither finds a difference in a project that nobody changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from differential.asked import PROJECTS
from support.cli import compiled, ok, query

pytestmark = pytest.mark.differential
PROJECT = PROJECTS / "jaffle"
CHANGED = "models/marts/tickets.sql"


@pytest.fixture
def jaffle(tmp_path: Path) -> Path:
    """A copy of the project, with an empty database."""
    shutil.copytree(PROJECT, tmp_path / "jaffle", ignore=shutil.ignore_patterns("target", "logs", "*.duckdb"))
    return tmp_path / "jaffle"


@pytest.fixture
def dbt(jaffle: Path, oracle_bin: Path) -> Callable[..., list[str]]:
    """Runs dbt in the project; gives its lines on stdout."""

    def run(*args: str) -> list[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
        command = [oracle_bin / "dbt", "--quiet", *args, "--profiles-dir", "."]
        ran = subprocess.run(command, cwd=jaffle, env=clean, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return [line for line in ran.stdout.splitlines() if line]

    return run


def edit(root: Path) -> None:
    """Change one mart."""
    model = root / CHANGED
    model.write_text(model.read_text().rstrip() + "\n-- changed\n")


def schemas_with(root: Path, table: str) -> set[str]:
    """The schemas that hold a relation of that name."""
    found = query(
        root, f"select table_schema from information_schema.tables where table_name = '{table}'", "jaffle.duckdb"
    )
    return {schema for (schema,) in found}


def test_we_defer_to_what_dbt_built(jaffle: Path, dbt: Callable[..., list[str]]) -> None:
    dbt("build", "--target", "prod", "--target-path", "prod-artifacts")
    assert ok("ls", "-s", "state:modified", "--state", "prod-artifacts", cwd=jaffle).lines == []
    edit(jaffle)
    modified = ("ls", "-s", "state:modified", "--resource-type", "model", "--state", "prod-artifacts")
    assert ok(*modified, cwd=jaffle).lines == ["jaffle.marts.tickets"]
    ok("build", "-s", "state:modified+", "--defer", "--state", "prod-artifacts", cwd=jaffle)
    assert '"prod"."stg_tickets"' in compiled(jaffle, CHANGED, package="jaffle")
    assert schemas_with(jaffle, "tickets") == {"dev", "prod"}
    assert schemas_with(jaffle, "stg_tickets") == {"prod"}


def test_dbt_defers_to_what_we_built(jaffle: Path, dbt: Callable[..., list[str]]) -> None:
    ok("build", "--target", "prod", "--target-path", "prod-artifacts", cwd=jaffle)
    assert dbt("ls", "-s", "state:modified", "--resource-type", "model", "seed", "--state", "prod-artifacts") == []
    edit(jaffle)
    modified = dbt("ls", "-s", "state:modified", "--resource-type", "model", "--state", "prod-artifacts")
    assert modified == ["jaffle.marts.tickets"]
    dbt("run", "-s", "state:modified", "--defer", "--state", "prod-artifacts")
    assert '"prod"."stg_tickets"' in compiled(jaffle, CHANGED, package="jaffle")
    assert schemas_with(jaffle, "stg_tickets") == {"prod"}
