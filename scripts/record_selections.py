"""Record what dbt 1.11 selects, so that tests compare with it without dbt. Run with the oracle's Python, `.venv-dbt`.

usage: record_selections.py PROJECT OUT.json.gz [MORE_SELECTIONS.txt]

Works in a copy of the project. Asks every line of its `selections.txt` (and of the other file): arguments of `ls`. Writes
the manifest, in which nothing of this machine stands, and dbt's answer to each line: unique_ids, or its error.
"""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import shlex
import shutil
import sys
import tempfile
from typing import Any

from dbt.cli.main import dbtRunner, dbtRunnerResult

QUIET = ["--quiet", "--profiles-dir", ".", "--log-level-file", "none", "--no-send-anonymous-usage-stats"]
LEFT_OUT = ("root_path", "created_at", "compiled_path", "build_path")
PARTS = (
    "nodes", "sources", "exposures", "groups", "metrics", "semantic_models", "saved_queries", "unit_tests", "functions",
    "selectors", "disabled", "parent_map", "child_map", "group_map",
)  # fmt: skip


def main(project: str, out: str, *more: str) -> None:
    """Ask dbt and write its answers."""
    texts = [pathlib.Path(file).read_text(encoding="utf-8") for file in (f"{project}/selections.txt", *more)]
    target = pathlib.Path(out).absolute()
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch, "project")
        shutil.copytree(project, root, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb", "*.wal"))
        os.chdir(root)
        if pathlib.Path("packages.yml").exists():
            ask(dbtRunner(), ["deps", *QUIET])
        parsed = ask(dbtRunner(), ["parse", *QUIET])
        answers = {line: answer(dbtRunner(manifest=parsed.result), line) for line in lines(texts)}
        manifest = json.loads(pathlib.Path("target/manifest.json").read_text(encoding="utf-8"))
        os.chdir(target.parent)
    recorded = json.dumps({"manifest": slim(manifest), "selections": answers}, indent=0, ensure_ascii=False)
    with open(target, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as file:
        file.write(recorded.encode())


def lines(texts: list[str]) -> list[str]:
    """The selections, each once."""
    stripped = (line.strip() for text in texts for line in text.splitlines())
    return list(dict.fromkeys(line for line in stripped if line and not line.startswith("#")))


def ask(dbt: dbtRunner, arguments: list[str]) -> dbtRunnerResult:
    """One command, which must succeed."""
    done = dbt.invoke(arguments)
    if not done.success:
        sys.exit(f"dbt {shlex.join(arguments)}: {done.exception}")
    return done


def answer(dbt: dbtRunner, line: str) -> Any:
    """The unique_ids of one selection, sorted; or dbt's error as text."""
    arguments = ["ls", "--output", "json", "--output-keys", "unique_id", *QUIET, *shlex.split(line)]
    done = dbt.invoke(arguments)
    if not done.success:
        return {"error": type(done.exception).__name__}
    return sorted(json.loads(text)["unique_id"] for text in done.result)


def slim(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest without macros, docs, times and paths of this machine; code only as far as it is there or not."""
    kept: dict[str, Any] = {part: manifest[part] for part in PARTS}
    kept["metadata"] = {
        key: manifest["metadata"][key] for key in ("project_name", "adapter_type", "dbt_schema_version")
    }
    kept["macros"] = {
        unique_id: {**macro, "macro_sql": "", "created_at": 0.0}
        for unique_id, macro in manifest["macros"].items()
        if macro["package_name"] not in ("dbt", "dbt_duckdb")
    }
    kept["docs"] = {
        i: {**doc, "block_contents": ""} for i, doc in manifest["docs"].items() if doc["package_name"] != "dbt"
    }
    for part in PARTS[:9]:
        for resource in kept[part].values():
            clean(resource)
    for several in kept["disabled"].values():
        for resource in several:
            clean(resource)
    return kept


def clean(resource: dict[str, Any]) -> None:
    """Take out what differs from run to run, and code."""
    for key in LEFT_OUT:
        resource.pop(key, None)
    if resource.get("raw_code", "").strip():
        resource["raw_code"] = "select 1"


if __name__ == "__main__":
    main(*sys.argv[1:])
