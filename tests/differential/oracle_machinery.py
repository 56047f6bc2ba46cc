"""Which of its macros dbt 1.11 calls by itself; run with the oracle's own Python, `.venv-dbt`.

usage: oracle_machinery.py PROJECT OUT.json
"""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

from histories import read_steps
from machinery import FILE, called, wrappers


def main(project: str, out: str) -> None:
    """Take the project's steps in a copy with wrappers, and write the macros that each called."""
    program = pathlib.Path(sys.executable).with_name("dbt")
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch, "project")
        shutil.copytree(project, root, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb", "*.wal"))
        (root / FILE).write_text(wrappers())
        os.chdir(root)
        found = {}
        for step in read_steps(root):
            command = [program, *shlex.split(step), "--profiles-dir", ".", "--no-use-colors"]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode > 1:
                sys.exit(ran.stdout + ran.stderr)
            found[step] = called(ran.stdout)
    pathlib.Path(out).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
