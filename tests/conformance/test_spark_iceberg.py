"""The suite on Spark with Iceberg. It needs another PySpark than the rest, so it runs in an environment of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def python() -> Path:
    """The interpreter of .venv-iceberg, or of the environment that UNDERSTUDY_ICEBERG names."""
    found = Path(os.environ.get("UNDERSTUDY_ICEBERG", ROOT / ".venv-iceberg")) / "bin" / "python"
    if not found.exists():
        pytest.fail(f"no {found}; `make setup-iceberg` makes it, UNDERSTUDY_ICEBERG names another environment")
    return found


@pytest.mark.slow
def test_the_suite(python: Path) -> None:
    """All of it, in one process. By hand: `.venv-iceberg/bin/python -m pytest tests/conformance -k ...`."""
    options = ["-q", "-p", "no:cacheprovider", "--color=no", "tests/conformance"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    ran = subprocess.run(
        [python, "-m", "pytest", *options], cwd=ROOT, capture_output=True, text=True,
        env={**inherited, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert ran.returncode == 0, f"{ran.stdout[-20000:]}\n{ran.stderr[-5000:]}"
    if "skipped" in ran.stdout.splitlines()[-1]:
        pytest.skip(ran.stdout)
