"""Ask dbt 1.11 what its own macros are called and what they render; run with the oracle's own Python, `.venv-dbt`.

usage: oracle_macros.py FOLDER

FOLDER is tests/unit/stdlib: `dbt_texts.json` there names the calls, and gets their texts, as does `dbt_context.json` in
the folder `template` beside it; `dbt_macros.json` gets the names of all macros of dbt and its DuckDB adapter, by file.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FILES = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\nflags: {send_anonymous_usage_stats: false}\n",
    "profiles.yml": "shop: {target: dev, outputs: {dev: {type: duckdb, path: ':memory:', schema: dev}}}\n",
}
MARK = "@@texts@@"
REMARK = re.compile(r"--[^\n-]*\.\n\s*")
"""A remark in the SQL of a macro: dbt's own words are not kept."""


def texts(calls: list[str]) -> dict[str, str]:
    """What each call gives in a model `a` of database `memory`, schema `dev`."""
    updates = "\n".join(f"{{%- do found.update({{{json.dumps(call)}: ({call}) | string}}) -%}}" for call in calls)
    model = f"{{%- set found = {{}} -%}}{{%- if execute -%}}\n{updates}\n{{{{ print('{MARK}' ~ tojson(found)) }}}}{{%- endif -%}}\nselect 1"
    with tempfile.TemporaryDirectory() as scratch:
        for name, text in {**FILES, "models/a.sql": model}.items():
            file = pathlib.Path(scratch, name)
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        dbt = pathlib.Path(sys.executable).with_name("dbt")
        command = [dbt, "compile", "--quiet", "--profiles-dir", ".", "--project-dir", "."]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
        ran = subprocess.run(command, cwd=scratch, env=clean, capture_output=True, text=True, check=False)
    line = next((line for line in ran.stdout.splitlines() if MARK in line), None)
    if line is None:
        sys.exit(ran.stdout + ran.stderr)
    found: dict[str, str] = json.loads(line.partition(MARK)[2])
    return {call: REMARK.sub("", text) for call, text in found.items()}


def names() -> dict[str, list[str]]:
    """The macros, tests and materializations of dbt and dbt-duckdb, as `manifest.json` calls them, by file."""
    from dbt.adapters.duckdb import __file__ as adapter
    from dbt.clients.jinja import get_supported_languages  # noqa: F401 - fails early without the right dbt
    from dbt.include.duckdb import PACKAGE_PATH as duckdb_path
    from dbt.include.global_project import PACKAGE_PATH as global_path
    from dbt_common.clients.jinja import extract_toplevel_blocks

    assert adapter
    found: dict[str, list[str]] = {}
    for package, root in (("dbt", global_path), ("dbt_duckdb", duckdb_path)):
        for file in sorted(pathlib.Path(root, "macros").rglob("*.sql")):
            kinds = {"macro", "test", "data_test", "materialization"}
            blocks = extract_toplevel_blocks(file.read_text(), allowed_blocks=kinds, collect_raw_data=False)
            listed = [f"{block.block_type_name} {block.block_name}" for block in blocks]
            if listed:
                found[f"{package}/{file.relative_to(root)}"] = listed
    return found


def main(folder: str) -> None:
    """Write both files."""
    kept = pathlib.Path(folder, "dbt_texts.json")
    found = texts(list(json.loads(kept.read_text())))
    context = kept.parents[1] / "template" / "dbt_context.json"
    shown = texts(list(json.loads(context.read_text())))
    for path, value in ((kept, found), (kept.with_name("dbt_macros.json"), names()), (context, shown)):
        path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
