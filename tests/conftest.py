"""What all tests share: options of the command line, a clean environment, and the oracle."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# No deadline: a slow machine is no failing law. CI draws the same examples each time; a developer draws new ones.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

# Started in the background of a script, we would inherit that Ctrl-C is ignored, and so would the programs we interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the expected files of tests/golden")
    parser.addoption(
        "--sequences", type=int, default=20, help="how many sequences of edits a kept parse is held against"
    )
    parser.addoption("--sequence", type=int, help="the one sequence to run again")
    parser.addoption("--record-oracle", action="store_true", help="ask dbt anew and record its answers")
    parser.addoption("--all-engines", action="store_true", help="collect tests for engines of other environments, too")


@pytest.fixture(scope="session")
def update_golden(pytestconfig: pytest.Config) -> bool:
    """Whether expected files are to be rewritten instead of compared (`make golden`)."""
    return bool(pytestconfig.getoption("--update-golden"))


@pytest.fixture(scope="session")
def record_oracle(pytestconfig: pytest.Config) -> bool:
    """Whether dbt's answers are to be recorded anew (`make oracle`)."""
    return bool(pytestconfig.getoption("--record-oracle"))


@pytest.fixture(scope="session")
def oracle_bin() -> Path:
    """The folder with dbt 1.11's `dbt` and `python`: .venv-dbt, or the environment that UNDERSTUDY_ORACLE names.

    A missing oracle fails the test: a comparison that silently did not take place would be worth nothing.
    """
    folder = Path(os.environ.get("UNDERSTUDY_ORACLE", ROOT / ".venv-dbt")) / "bin"
    if not (folder / "dbt").exists():
        pytest.fail(f"no dbt in {folder}; `make setup-dbt` installs it, UNDERSTUDY_ORACLE names another environment")
    return folder


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see nothing of the developer's DBT_* settings and colours; each sets what it needs."""
    for name in list(os.environ):
        if name.startswith("DBT_") or name in {"NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"}:
            monkeypatch.delenv(name)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What could not be run on this machine, and why, where everybody sees it."""
    from support.absent import told

    missing = told(terminalreporter.stats.get("skipped", []))
    if missing:
        terminalreporter.section("not run on this machine", yellow=True)
        for why, count in missing.items():
            terminalreporter.write_line(f"{count} tests: {why}")
