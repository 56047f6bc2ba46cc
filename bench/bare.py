"""Send the statements of a finished run again, with nothing around them: what a build costs without an engine.

usage: bare.py PROJECT   (a project that `understudy build` has built; the statements come from its target/run)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb


def statements(root: Path) -> list[str]:
    """What was sent for each node, in the order in which the nodes were done."""
    manifest = json.loads((root / "target/manifest.json").read_text())["nodes"]
    results = json.loads((root / "target/run_results.json").read_text())["results"]
    paths = [manifest[result["unique_id"]]["build_path"] for result in results if result["unique_id"] in manifest]
    return [(root / path).read_text() for path in paths if path]


def main(root: Path) -> None:
    """Replace every relation and run every test again, on one connection."""
    with duckdb.connect(str(root / "synth.duckdb")) as connection:
        for sql in statements(root):
            connection.execute(
                sql.replace("create view", "create or replace view").replace("create table", "create or replace table")
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
