"""The demo as a newcomer runs it, on a small data set: it checks itself at every step, and ends with its table."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import postgres

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_the_demo_does_what_it_says(tmp_path: Path, engine: str) -> None:
    if engine == "postgres":
        postgres.server()  # or the test is skipped; the demo starts one of its own
    command = [
        sys.executable, "examples/ecommerce/demo.py", "--engine", engine, "--scale", "0.02",
        "--scratch", str(tmp_path / "scratch"),
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DBT_", "PG"))}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    assert "\x1b" not in ran.stdout
    assert "✓ 2 models built: mart_daily_sales, mart_marketing_campaigns" in ran.stdout
    assert "✓ they read prod for all that was not built, and dev for mart_daily_sales, which was" in ran.stdout
    assert re.search(r"mart_daily_sales changed +14 models +[\d.]+ s +2 models +[\d.]+ s +12 models", ran.stdout)
    assert re.search(r"int_orders changed +14 models +[\d.]+ s +5 models +[\d.]+ s +9 models", ran.stdout)
