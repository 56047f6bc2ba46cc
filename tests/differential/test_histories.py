"""Relations that grow from run to run: after each step of the project `histories`, the same rows and results as with dbt 1.11."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from differential.asked import CACHE, PROJECTS, ROOT, locked
from differential.histories import after_step, read_steps
from support.cli import understudy

HISTORIES = PROJECTS / "histories"
SCRIPTS = [Path(__file__).with_name(name) for name in ("oracle_steps.py", "oracle.py", "histories.py")]
pytestmark = pytest.mark.differential


def asked(oracle_bin: Path, scratch: Path) -> list[dict[str, Any]]:
    """dbt's answers, step by step; kept under .cache by the content of the project and of the scripts."""
    files = [*SCRIPTS, ROOT / "requirements/dbt.txt", *sorted(path for path in HISTORIES.rglob("*") if path.is_file())]
    digest = hashlib.sha256(b"".join(str(path.name).encode() + path.read_bytes() for path in files)).hexdigest()[:20]
    kept = CACHE / f"histories-steps-{digest}.json"
    with locked(kept.with_suffix(".lock")):
        if not kept.exists():
            clean = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
            answer = scratch / "answer.json"
            command = [str(oracle_bin / "python"), str(SCRIPTS[0]), str(HISTORIES), str(answer)]
            ran = subprocess.run(command, env=clean, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
            kept.write_bytes(answer.read_bytes())
    steps: list[dict[str, Any]] = json.loads(kept.read_text())["steps"]
    return steps


def test_every_step_leaves_the_same(oracle_bin: Path, tmp_path: Path) -> None:
    theirs = asked(oracle_bin, tmp_path)
    root = tmp_path / "project"
    shutil.copytree(HISTORIES, root, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb"))
    found = []
    for number, (step, other) in enumerate(zip(read_steps(root), theirs, strict=True), 1):
        ran = understudy(*shlex.split(step), cwd=root)
        ours = {"exit_code": ran.exit_code, **after_step(root)}
        if ours["exit_code"] != other["exit_code"]:
            found.append(f"step {number}: {ours['exit_code']} | {other['exit_code']}\n{ran.err}")
        for part in ("results", "tables"):
            names = sorted({*ours[part], *other[part]})
            found += [
                f"step {number}: {part} {name}: {ours[part].get(name)} | {other[part].get(name)}"
                for name in names
                if ours[part].get(name) != other[part].get(name)
            ]
    if found:
        pytest.fail(f"{len(found)} differences (ours | dbt's):\n" + "\n".join(found), pytrace=False)
