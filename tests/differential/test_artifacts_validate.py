"""Our artifacts are valid for dbt-artifacts-parser, whose models are made from dbt's published schemas."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from differential.asked import PROJECTS
from support.cli import understudy

pytestmark = pytest.mark.differential
READ = """
import json, sys
from dbt_artifacts_parser.parser import parse_manifest_v12, parse_run_results_v6
parse_manifest_v12(json.load(open(sys.argv[1] + "/manifest.json")))
parse_run_results_v6(json.load(open(sys.argv[1] + "/run_results.json")))
"""


@pytest.mark.parametrize("name", ["jaffle", "everything"])
def test_artifacts_are_valid(name: str, tmp_path: Path, oracle_bin: Path) -> None:
    root = tmp_path / name
    shutil.copytree(PROJECTS / name, root, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb"))
    ran = understudy("build", cwd=root)
    assert ran.exit_code in (0, 1), ran.err  # `everything` holds tests that fail
    read = subprocess.run(
        [oracle_bin / "python", "-c", READ, root / "target"], capture_output=True, text=True, check=False
    )
    assert read.returncode == 0, read.stderr[-3000:]
