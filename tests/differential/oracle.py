"""Ask dbt 1.11 what it makes of a project; run with the oracle's own Python, `.venv-dbt`.

usage: oracle.py PROJECT OUT.json

Works in a copy, with the flag state_modified_compare_more_unrendered_values on, as understudy always has it. Builds the
target `dev`, then writes one JSON file with the manifest, the run results, the rows of every table and view that the
project built, and what each method of selection gives.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import Any


def dbt(*args: str) -> int:
    """Run dbt in the current folder, with the profile that stands there; its exit code. Ends the program when dbt cannot run."""
    program = pathlib.Path(sys.executable).with_name("dbt")
    ran = subprocess.run(
        [program, *args, "--quiet", "--profiles-dir", "."], capture_output=True, text=True, check=False
    )
    if ran.returncode > 1:
        sys.exit(ran.stdout + ran.stderr)
    return ran.returncode


def main(project: str, out: str) -> None:
    """Build a copy of `project` with dbt and write what came of it to `out`."""
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch, "project")
        shutil.copytree(project, root, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb", "*.wal"))
        os.chdir(root)
        turn_on("state_modified_compare_more_unrendered_values", root / "dbt_project.yml")
        if pathlib.Path("generate_data.py").exists():
            subprocess.run([sys.executable, "generate_data.py", "--scale", "0.02"], check=True)
        if pathlib.Path("packages.yml").exists():
            dbt("deps")
        exit_code = dbt("build", "--target", "dev")
        answer = {
            "manifest": json.loads(pathlib.Path("target/manifest.json").read_text()),
            "run_results": json.loads(pathlib.Path("target/run_results.json").read_text()),
            "exit_code": exit_code,
        }
        answer["tables"] = tables(answer["manifest"])
        answer["selections"] = selections()
    pathlib.Path(out).write_text(json.dumps(answer))


def selections() -> dict[str, list[str] | None]:
    """What each method of selection gives."""
    from dbt.cli.main import dbtRunner
    from every_method import answers, lines

    options = ["--profiles-dir", ".", "--target", "dev", "--log-level-file", "none"]
    parsed = dbtRunner().invoke(["parse", "--quiet", *options])

    def listed(arguments: list[str]) -> str | None:
        with contextlib.redirect_stdout(io.StringIO()):
            done = dbtRunner(manifest=parsed.result).invoke([*arguments, *options])
        return "\n".join(done.result) if done.success else None

    manifest = json.loads(pathlib.Path("target/manifest.json").read_text())
    return answers(lines(manifest), listed)


def turn_on(flag: str, file: pathlib.Path) -> None:
    """Set a flag in dbt_project.yml, unless it stands there already."""
    lines = file.read_text().splitlines()
    if any(flag in line for line in lines):
        return
    if "flags:" in lines:
        lines.insert(lines.index("flags:") + 1, f"  {flag}: true")
    else:
        lines += ["flags:", f"  {flag}: true"]
    file.write_text("\n".join(lines) + "\n")


def tables(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Columns, types and sorted rows (as text) of every relation that models, seeds and snapshots left behind."""
    import duckdb

    database = next(node["database"] for node in manifest["nodes"].values() if node["database"])
    found = {}
    with duckdb.connect(f"{database}.duckdb", read_only=True) as connection:
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
