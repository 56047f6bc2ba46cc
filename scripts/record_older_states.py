"""Record states that dbt 1.4 to 1.11 write, and what dbt 1.11 finds modified against each of them.

usage: <python of the oracle> scripts/record_older_states.py [VERSION=DBT ...]

DBT is the `dbt` program of that version (dbt-core and dbt-duckdb, Python 3.11), for example 1.7=$HOME/dbt17/bin/dbt. For a
version that is not given, an environment is made in a temporary folder and thrown away.

Builds the project of tests/differential/older_states.py with each version, target `prod`. Writes to
tests/differential/recorded/older/: `state_<version>.json.gz`, the manifest without what comes with dbt, and `answers.json.gz`:
state -> edit -> selector -> unique_ids, as dbt 1.11 selects for target `dev`, with its flag
state_modified_compare_more_unrendered_values as it was when the state was written.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from differential.older_states import EDITS, STATES, older_project
from record_state import ROOT, ask, parse

RECORDED = ROOT / "tests" / "differential" / "recorded" / "older"
OWN = ("dbt", "dbt_duckdb")


def main(given: dict[str, Path]) -> None:
    answers: dict[str, dict[str, Any]] = {}
    RECORDED.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for state in STATES:
            version, _, raw = state.partition(" ")
            root = Path(scratch, f"shop {state}")
            built = build(given.get(version) or installed(version, Path(scratch)), root, more=raw_flag(state))
            write(RECORDED / f"state_{state.replace(' ', '_')}.json.gz", slim(built))
            (root / "state").mkdir()
            (root / "state/manifest.json").write_text(json.dumps(built))
            shutil.rmtree(root / "target")
            for name, edit in EDITS.items():
                parse(root, older_project(edit, more=bool(raw)))
                answers.setdefault(state, {})[name] = ask(root)
            print(state, built["metadata"]["dbt_version"], answers[state]["nothing"], flush=True)
    write(RECORDED / "answers.json.gz", answers)


def raw_flag(state: str) -> bool | None:
    """The flag as the version takes it: before 1.8 dbt_project.yml has no flags."""
    return None if float(state.split()[0].split(".")[1]) < 8 else state.endswith("raw")


def installed(version: str, scratch: Path) -> Path:
    """The `dbt` of an environment that is made for it."""
    home = scratch / f"dbt-{version}"
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    wanted = [f"dbt-core=={version}.*", f"dbt-duckdb=={version}.*", "setuptools<81"]
    subprocess.run([home / "bin/python", "-m", "pip", "install", "--quiet", *wanted], check=True)
    return home / "bin/dbt"


def build(dbt: Path, root: Path, *, more: bool | None) -> dict[str, Any]:
    """Build production with one version; its manifest."""
    for name, text in older_project({}, more=more).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    clean["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    for command in ("seed", "build"):  # the source is the table of a seed
        ran = subprocess.run(
            [dbt, command, "--target", "prod", "--profiles-dir", "."],
            cwd=root, env=clean, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ran.returncode and "alter_relation_comment macro not implemented" not in ran.stdout:  # before dbt-duckdb 1.5
            raise SystemExit(f"{dbt} {command}: {ran.stdout}{ran.stderr}")
    manifest: dict[str, Any] = json.loads((root / "target/manifest.json").read_text())
    return manifest


def slim(manifest: dict[str, Any]) -> dict[str, Any]:
    """Without dbt's own macros and documentation, and without what is of this machine or this moment."""
    found = dict(manifest)
    found["macros"] = {i: macro for i, macro in found["macros"].items() if macro["package_name"] not in OWN}
    found["docs"] = {}
    found["metadata"] = {**found["metadata"], "user_id": None, "invocation_id": None}
    for part in ("nodes", "sources", "macros", "exposures"):
        for node in found[part].values():
            node["created_at"] = 0.0
            if node.get("root_path"):
                node["root_path"] = None
    return found


def write(path: Path, value: Any) -> None:
    """JSON, compressed in the same way each time."""
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as file:
        file.write(json.dumps(value, ensure_ascii=False).encode())


if __name__ == "__main__":
    main({version: Path(path).absolute() for version, _, path in (word.partition("=") for word in sys.argv[1:])})
