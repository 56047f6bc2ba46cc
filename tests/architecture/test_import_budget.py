"""What a command may import, checked in a fresh interpreter: start-up time is spent on modules before anything else."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = frozenset({"agate", "click", "duckdb", "jinja2", "msgspec", "psycopg", "pyspark", "rich", "sqlglot", "yaml"})
SLOW_STANDARD = frozenset({"asyncio", "email", "http", "multiprocessing", "sqlite3", "unittest", "urllib.request"})

# Command line -> the modules that it may not import. One line per promise.
BUDGET = {
    "--version": HEAVY | SLOW_STANDARD,
    "--help": HEAVY - {"click"} | SLOW_STANDARD,
}

# The modules that a command line may import in all, our own among them (Python itself brings about 30).
COUNT = {"--version": 80}

PROGRAM = """
import sys
from understudy.cli.main import main
try:
    code = main({arguments!r})
except SystemExit as stop:
    code = stop.code
assert not code, code
print("\\n".join(sorted(sys.modules)), file=sys.stderr)
"""


def imported(command_line: str) -> set[str]:
    """The names of all modules that `understudy <command_line>` has imported when it ends."""
    program = PROGRAM.format(arguments=command_line.split())
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return set(result.stderr.split())


@pytest.mark.parametrize("command_line", BUDGET)
def test_import_budget(command_line: str) -> None:
    assert sorted(imported(command_line) & BUDGET[command_line]) == []


@pytest.mark.parametrize("command_line", COUNT)
def test_number_of_modules(command_line: str) -> None:
    names = imported(command_line)
    assert len(names) <= COUNT[command_line], sorted(names)


def test_the_package_itself_imports_nothing() -> None:
    program = "import sys; before = set(sys.modules); import understudy; print(*(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["understudy"]
