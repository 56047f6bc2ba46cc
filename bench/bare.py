"""Send the statements of a finished run again, with nothing around them: what a build costs without an engine.

usage: bare.py PROJECT   (a project that `understudy build` has built; the statements come from its target/run)

Builds everything into a new file, and prints the seconds that the statements took.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb

FILE = "bare.duckdb"


def statements(root: Path) -> list[str]:
    """What was sent for each node, in the order in which the nodes were done; a table under its own name at once."""
    nodes = json.loads((root / "target/manifest.json").read_text())["nodes"]
    results = json.loads((root / "target/run_results.json").read_text())["results"]
    own = f'"{next(iter(nodes.values()))["database"]}".'
    done = [nodes[result["unique_id"]] for result in results]
    texts = [(root / node["build_path"]).read_text() for node in done if node["resource_type"] != "seed"]
    return [text.replace(own, "").replace("__dbt_tmp", "", 1) for text in texts]


def main(root: Path) -> None:
    """Build every relation and run every test, on one connection."""
    (root / FILE).unlink(missing_ok=True)
    sent = statements(root)
    with duckdb.connect(str(root / FILE)) as connection:
        connection.execute("create schema dev")
        for file in sorted((root / "seeds").glob("*.csv")):
            connection.execute(f"create table dev.{file.stem} as select * from read_csv('{file}')")
        start = time.perf_counter()
        for sql in sent:
            connection.execute(sql).fetchall()
        print(time.perf_counter() - start)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
