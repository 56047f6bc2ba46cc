"""Take the steps of a project's steps.txt with dbt 1.11; run with the oracle's own Python, `.venv-dbt`.

usage: oracle_steps.py PROJECT OUT.json

Works in a copy. After each step the rows of every table that the project has built are read, and the run's results.
"""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import shutil
import sys
import tempfile

from histories import after_step, read_steps
from oracle import dbt


def main(project: str, out: str) -> None:
    """Take the steps in a copy of `project` and write what came of each to `out`."""
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch, "project")
        shutil.copytree(project, root, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb", "*.wal"))
        os.chdir(root)
        answers = []
        for step in read_steps(root):
            code = dbt(*shlex.split(step))
            answers.append({"exit_code": code, **after_step(root)})
    pathlib.Path(out).write_text(json.dumps({"steps": answers}))


if __name__ == "__main__":
    main(*sys.argv[1:])
