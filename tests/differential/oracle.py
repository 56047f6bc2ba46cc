"""Ask dbt 1.11 what it makes of a project; run with the oracle's own Python, `.venv-dbt`.

usage: oracle.py PROJECT OUT.json

Works in a copy. Builds the target `dev`, then writes one JSON file with the manifest, the run results and the rows of
every table and view that the project built.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import sys
import tempfile
from typing import Any

from dbt.cli.main import dbtRunner


def main(project: str, out: str) -> None:
    """Build a copy of `project` with dbt and write what came of it to `out`."""
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch, "project")
        shutil.copytree(project, root, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb", "*.wal"))
        os.chdir(root)
        dbt = dbtRunner()
        built = dbt.invoke(["build", "--target", "dev", "--quiet", "--profiles-dir", ".", "--log-level-file", "none"])
        if built.exception is not None:
            sys.exit(str(built.exception))
        answer = {
            "manifest": json.loads(pathlib.Path("target/manifest.json").read_text()),
            "run_results": json.loads(pathlib.Path("target/run_results.json").read_text()),
            "success": built.success,
        }
        answer["tables"] = tables(answer["manifest"])
    pathlib.Path(out).write_text(json.dumps(answer))


def tables(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Columns, types and sorted rows (as text) of every relation that models, seeds and snapshots left behind."""
    import duckdb

    (database,) = pathlib.Path().glob("*.duckdb")
    found = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        for unique_id, node in manifest["nodes"].items():
            if not node["relation_name"] or node["resource_type"] not in ("model", "seed", "snapshot"):
                continue
            try:
                cursor = connection.execute(f"select * from {node['relation_name']}")
            except duckdb.CatalogException:
                continue  # disabled by a failed or skipped parent
            found[unique_id] = {
                "columns": [[column[0], str(column[1])] for column in cursor.description],
                "rows": sorted([str(value) for value in row] for row in cursor.fetchall()),
            }
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
