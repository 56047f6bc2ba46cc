"""Record what dbt 1.11 reads in each cell of tests/acceptance/test_every_way_in.py, on DuckDB.

usage: <python of the oracle> scripts/record_ways.py

Writes tests/differential/recorded/ways_in.json: column -> command -> mark -> the schemas whose relations dbt read for it, from
the statements in its log and, where a command sends none, from the compiled SQL. A node that fails is read as far as it came.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.ways import COLUMNS, FILES, ID_TYPES, UP, places  # noqa: E402

RECORDED = ROOT / "tests/differential/recorded/ways_in.json"
DBT = Path(sys.executable).with_name("dbt")
ASKED = ("missing", "copy", "favored", "off", "empty")
FIRST = ("--vars", "{first: true}")


def main() -> None:
    answers: dict[str, dict[str, dict[str, list[str]]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "project")
        make(root)
        for column in COLUMNS:
            for command in column.commands if column.name in ASKED else ():
                words = (*command.split(), "-s", "tag:reads", "--target", column.target, *column.flags)
                found = places(texts(root, *words))
                answers.setdefault(column.name, {})[command] = {mark: sorted(found[mark]) for mark in sorted(found)}
                print(column.name, command, len(found), flush=True)
    RECORDED.write_text(json.dumps(answers, indent=1) + "\n")


def make(root: Path) -> None:
    """The project with production and a copy of what is upstream."""
    outputs = {
        name: {"type": "duckdb", "path": "shop.duckdb", "schema": name} for name in ("dev", "prod", "mine", "old")
    }
    for name, text in {**FILES, "profiles.yml": json.dumps({"shop": {"target": "dev", "outputs": outputs}})}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    up = (root / "models/up.sql").read_text()
    for target, words in {"prod": (), "mine": ("-s", *UP, "--exclude", "tag:reads")}.items():
        (root / "models/up.sql").write_text(up.replace("1 as id", f"cast(1 as {ID_TYPES[target]}) as id"))
        dbt(root, "build", "--target", target, *words, *FIRST)
        if target == "prod":
            shutil.copytree(root / "target", root / "prod-artifacts")
    (root / "models/up.sql").write_text(up)


def dbt(root: Path, *words: str) -> None:
    """One command; nodes may fail."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    command = [DBT, *words, "--profiles-dir", ".", "--log-format-file", "json", "--no-send-anonymous-usage-stats"]
    subprocess.run(command, cwd=root, env=clean, capture_output=True, check=False)


def texts(root: Path, *words: str) -> list[str]:
    """What one command sent and compiled."""
    log = root / "logs/dbt.log"
    log.unlink(missing_ok=True)
    dbt(root, *words)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    found = [event["data"]["sql"] for event in events if event["info"]["name"] == "SQLQuery"]
    if words[0] in ("compile", "docs"):
        nodes = json.loads((root / "target/manifest.json").read_text())["nodes"].values()
        found += [node["compiled_code"] for node in nodes if node.get("compiled_code")]
    return found


if __name__ == "__main__":
    main()
