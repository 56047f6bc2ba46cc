"""Write a dbt project of N views over one small table, with two data tests each: what an engine itself costs.

usage: gen_views.py DIR N
"""

from __future__ import annotations

import sys
from pathlib import Path

PROJECT = "name: views\nversion: '1.0'\nprofile: views\nflags: {send_anonymous_usage_stats: false}\n"
PROFILES = "views:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: views.duckdb, schema: dev, threads: 4}\n"
FILES = 50
"""So many models are described in one file, and stand in one folder."""


def main(root: Path, n: int) -> None:
    """All files."""
    (root / "seeds").mkdir(parents=True)
    (root / "dbt_project.yml").write_text(PROJECT)
    (root / "profiles.yml").write_text(PROFILES)
    rows = "".join(f"{i},{i % 17},{i * 37 % 1000 / 10}\n" for i in range(1, 101))
    (root / "seeds/raw_events.csv").write_text(f"id,account_id,amount\n{rows}")
    for first in range(0, n, FILES):
        folder = root / f"models/part_{first // FILES:03d}"
        folder.mkdir(parents=True)
        names = [f"view_{i:05d}" for i in range(first, min(first + FILES, n))]
        for name in names:
            (folder / f"{name}.sql").write_text("select id, account_id, amount from {{ ref('raw_events') }}\n")
        entries = (f"  - name: {name}\n    columns: [{{name: id, data_tests: [unique, not_null]}}]\n" for name in names)
        (folder / "_models.yml").write_text("models:\n" + "".join(entries))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
