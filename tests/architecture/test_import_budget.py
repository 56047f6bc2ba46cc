"""What a command may import, checked in a fresh interpreter: start-up time is spent on modules before anything else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from support.cli import ok, project

SLOW_STANDARD = frozenset(
    {"asyncio", "email", "http", "multiprocessing", "sqlite3", "ssl", "unittest", "urllib.request"}
)
"""Modules of Python's own that take long, and have to be asked for by a budget."""

CLI = frozenset({"click"})
READ = CLI | {"msgspec", "yaml", "_yaml", "typing_extensions"}
TEMPLATES = frozenset({"jinja2", "markupsafe"})
DRIVER = frozenset({"_duckdb"})
"""Without what `import duckdb` lays over it (ADR 0045)."""
LEDGER = frozenset({"sqlite3", "_sqlite3"})


class Budget(NamedTuple):
    """What a command may import: packages (and modules of SLOW_STANDARD), and how many modules in all.

    Python itself brings about 30. The number is what it takes today and a tenth: who needs more says so here.
    """

    packages: frozenset[str]
    modules: int


NOTHING: frozenset[str] = frozenset()
BUDGET = {
    "--version": Budget(NOTHING, 60),
    "--help": Budget(CLI, 130),
    "build --help": Budget(CLI, 130),
    "parse": Budget(READ, 255),
    "ls": Budget(READ, 275),
    "ls -s tag:mart+": Budget(READ, 275),
    "ls -s state:modified+ --state prod": Budget(READ, 280),
    "ls --output json": Budget(READ, 275),
    "parse --no-partial-parse": Budget(READ | TEMPLATES, 410),
    "compile -s plain": Budget(READ | LEDGER, 415),
    "compile -s stg": Budget(READ | LEDGER | TEMPLATES, 465),
    "compile -s mart --defer --state prod": Budget(READ | LEDGER | DRIVER | TEMPLATES, 480),
    "plan": Budget(READ | LEDGER | DRIVER, 440),
    "plan -s state:modified+ --defer --state prod": Budget(READ | LEDGER | DRIVER, 415),
    "explain mart": Budget(READ | LEDGER | DRIVER, 440),
    "show -s plain": Budget(READ | LEDGER | DRIVER, 435),
    "seed": Budget(READ | LEDGER | DRIVER, 455),
    "snapshot": Budget(READ | LEDGER | DRIVER | TEMPLATES, 455),
    "run -s plain": Budget(READ | LEDGER | DRIVER, 455),
    "test -s mart": Budget(READ | LEDGER | DRIVER | TEMPLATES, 490),
    "build": Budget(READ | LEDGER | DRIVER | TEMPLATES, 495),
    "clone --state prod": Budget(READ | LEDGER | DRIVER | TEMPLATES, 455),
    "run-operation nothing": Budget(READ | LEDGER | DRIVER | TEMPLATES, 465),
    "source freshness": Budget(READ | LEDGER, 430),
    "docs generate": Budget(READ | LEDGER | DRIVER | TEMPLATES, 495),
    "retry": Budget(READ, 310),
    "debug": Budget(READ | DRIVER, 290),
    "deps": Budget(READ | {"email", "http", "ssl", "urllib.request"}, 320),
    "clean": Budget(READ, 250),
}
"""Command line -> its budget. The project is parsed, built and unchanged."""

FILES = {
    "models/plain.sql": "select 1 as id",
    "models/stg.sql": "{% set n = 1 %}select {{ n }} as id from {{ ref('s') }}",
    "models/mart.sql": "{{ config(tags=['mart']) }}select * from {{ ref('stg') }}",
    "models/m.yml": "models: [{name: mart, columns: [{name: id, data_tests: [unique, not_null]}]}]",
    "macros/m.sql": "{% macro nothing() %}{% endmacro %}",
    "seeds/s.csv": "id\n1",
    "snapshots/snap.yml": """
        snapshots: [{name: snap, relation: ref('plain'), config: {strategy: check, unique_key: id, check_cols: all}}]
        """,
}

PROGRAM = """
import sys
from understudy.cli.main import main
try:
    code = main({arguments!r})
except SystemExit as stop:
    code = stop.code
assert not code, code
open({out!r}, "w").write("\\n".join(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = project(tmp_path_factory.mktemp("shop"), FILES)
    ok("build", "--target", "prod", "--target-path", "prod", cwd=root)
    ok("build", cwd=root)
    return root


def imported(command_line: str, cwd: Path, out: Path) -> set[str]:
    """The names of all modules that `understudy <command_line>` has imported when it ends."""
    program = PROGRAM.format(arguments=command_line.split(), out=str(out))
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, cwd=cwd)
    assert result.returncode == 0, result.stdout + result.stderr
    return set(out.read_text().split("\n"))


def counted(names: set[str]) -> set[str]:
    """What a budget has to allow by name: packages that are not Python's own, and of those the slow ones."""
    packages = {name.partition(".")[0] for name in names if "cython_" not in name}  # which is a part of PyYAML's parser
    return packages - {"understudy", "__main__", *sys.stdlib_module_names} | (names & SLOW_STANDARD)


@pytest.mark.parametrize("command_line", BUDGET)
def test_import_budget(command_line: str, shop: Path, tmp_path: Path) -> None:
    names, budget = imported(command_line, shop, tmp_path / "modules"), BUDGET[command_line]
    assert sorted(counted(names) - budget.packages) == []
    assert len(names) <= budget.modules, sorted(name for name in names if name.startswith("understudy"))


def test_every_command_has_a_budget() -> None:
    from understudy.app.pipeline import BODIES

    without = {"init", "docs serve"}  # they wait for somebody
    named = {"list" if line.split()[0] == "ls" else line for line in BUDGET}
    missing = [name for name in BODIES if not any(f"{line} ".startswith(f"{name} ") for line in named)]
    assert set(missing) == without


def test_the_package_itself_imports_nothing() -> None:
    program = "import sys; before = set(sys.modules); import understudy; print(*(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["understudy"]
