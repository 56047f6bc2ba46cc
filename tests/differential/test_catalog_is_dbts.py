"""Our catalog.json is dbt's: the same relations with the same columns; and dbt-artifacts-parser reads it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from differential.asked import PROJECTS
from support.cli import ok, understudy

pytestmark = pytest.mark.differential
READ = "import json, sys; from dbt_artifacts_parser.parser import parse_catalog_v1; parse_catalog_v1(json.load(open(sys.argv[1])))"


def tables(path: Path) -> dict[str, Any]:
    """Everything but the head, with the columns in their order."""
    document = json.loads(path.read_text())
    for table in (*document["nodes"].values(), *document["sources"].values()):
        table["columns"] = list(table["columns"].items())
    return {part: document[part] for part in ("nodes", "sources", "errors")}


@pytest.mark.parametrize("arguments", [(), ("--select", "staging", "source:*")])
def test_the_catalog_is_dbts(arguments: tuple[str, ...], tmp_path: Path, oracle_bin: Path) -> None:
    root = tmp_path / "everything"
    shutil.copytree(PROJECTS / "everything", root, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb"))
    assert understudy("build", cwd=root).exit_code in (0, 1)  # some tests fail there, and keep their rows
    ok("docs", "generate", *arguments, cwd=root)
    environ = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "0"}
    command = [oracle_bin / "dbt", "docs", "generate", *arguments, "--profiles-dir", ".", "--target-path", "theirs"]
    theirs = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)
    assert theirs.returncode == 0, theirs.stdout
    assert tables(root / "target/catalog.json") == tables(root / "theirs/catalog.json")
    read = subprocess.run(
        [oracle_bin / "python", "-c", READ, root / "target/catalog.json"], capture_output=True, text=True, check=False
    )
    assert read.returncode == 0, read.stderr
