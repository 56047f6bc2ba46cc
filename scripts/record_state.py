"""Record what dbt 1.11 selects with `state:` after each edit of tests/differential/state_edits.py.

usage: <python of the oracle> scripts/record_state.py [edits] [kinds]

Writes tests/differential/recorded/, for each of PROJECTS there (or those that are named): `state_edits.json` (edit -> selector
-> unique_ids, with dbt's flag `state_modified_compare_more_unrendered_values` on and off) and `state_edits_on.json.gz`,
`state_edits_off.json.gz` (the manifest before the edit, as dbt wrote it, without the macros that come with dbt); and the same
for `state_kinds`.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from dbt.cli.main import dbtRunner  # noqa: E402
from dbt.contracts.state import PreviousState  # noqa: E402
from dbt.graph.selector_methods import StateSelectorMethod  # noqa: E402
from differential.state_edits import PROJECTS, project  # noqa: E402

RECORDED = ROOT / "tests" / "differential" / "recorded"
SELECTORS = (
    "new", "old", "modified", "unmodified", "modified.body", "modified.configs", "modified.relation",
    "modified.persisted_descriptions", "modified.macros", "modified.contract",
)  # fmt: skip
MOST = ("old", "unmodified")
"""Selectors that select nearly everything: what they leave out is recorded."""
PARTS = (
    "nodes",
    "sources",
    "macros",
    "exposures",
    "functions",
    "metrics",
    "semantic_models",
    "saved_queries",
    "unit_tests",
)


def main(which: str) -> None:
    edits = PROJECTS[which][1]
    answers: dict[str, dict[str, Any]] = {}
    for mode, more in (("on", True), ("off", False)):
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch, "shop")
            base = parse(root, project({}, more=more, which=which))
            (root / "state").mkdir()
            shutil.copy(base, root / "state" / "manifest.json")
            slim(base, RECORDED / f"state_{which}_{mode}.json.gz")
            for name, edit in edits.items():
                parse(root, project(edit, more=more, which=which))
                answers.setdefault(name, {})[mode] = ask(root)
                print(mode, name, {key: len(ids) for key, ids in answers[name][mode].items()}, flush=True)
    (RECORDED / f"state_{which}.json").write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")


def parse(root: Path, files: dict[str, str]) -> Path:
    """Write the project, let dbt parse it, and give the path of its manifest."""
    for path in sorted(root.rglob("*"), reverse=True) if root.exists() else ():
        if path.is_file() and "state" not in path.relative_to(root).parts[:1]:
            path.unlink()
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    os.chdir(root)
    command = ["parse", "--no-partial-parse", "--quiet", "--log-level-file", "none", "--profiles-dir", "."]
    ran = dbtRunner().invoke(command)
    if not ran.success:
        raise SystemExit(f"dbt: {ran.exception}")
    globals()["_manifest"] = ran.result
    return root / "target" / "manifest.json"


def ask(root: Path) -> dict[str, Any]:
    """What each selector selects (or leaves out), or dbt's error."""
    manifest = globals()["_manifest"]
    previous = PreviousState(Path("state"), Path("target"), root)
    parts = (
        manifest.nodes, manifest.sources, manifest.exposures, manifest.metrics, manifest.semantic_models,
        manifest.unit_tests, manifest.saved_queries, manifest.functions,
    )  # fmt: skip
    everything = {unique_id for part in parts for unique_id in part}
    answer: dict[str, Any] = {}
    for selector in SELECTORS:
        try:
            found = set(StateSelectorMethod(manifest, previous, []).search(everything, selector))
        except Exception as error:  # noqa: BLE001 - whatever dbt raises is the answer
            answer[selector] = {"error": type(error).__name__}
            continue
        if selector in MOST:
            found = everything - found
        if found:
            answer[f"not {selector}" if selector in MOST else selector] = sorted(found)
    return answer


def slim(source: Path, target: Path) -> None:
    """A manifest without dbt's own macros, the docs and this machine's paths."""
    raw = json.loads(source.read_text())
    raw["macros"] = {i: m for i, m in raw["macros"].items() if m["package_name"] not in ("dbt", "dbt_duckdb")}
    raw["docs"] = {}
    raw["metadata"].update(user_id=None, invocation_id=None)
    for part in PARTS:
        for node in raw[part].values():
            node["created_at"] = 0.0
            if node.get("root_path"):
                node["root_path"] = None
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
        packed.write(json.dumps(raw).encode())


if __name__ == "__main__":
    for each in sys.argv[1:] or PROJECTS:
        main(each)
