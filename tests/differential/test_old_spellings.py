"""Spellings that dbt means to end: understudy warns of each by dbt's name, as often as dbt counts it.

dbt's counts are recorded (`make oracle`), so this needs no dbt.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from differential.asked import PROJECTS
from support.cli import Ran, ok, understudy

RECORDED = Path(__file__).parent / "recorded/old_spellings.json"
HABITS_ENV = {"DBT_ENGINE_OLD_HABIT": "1"}
INCLUDE = ["--warn-error-options", '{"include": ["NoNodesForSelectionCriteria"]}']
COMMANDS: dict[str, tuple[str, list[str], dict[str, str]]] = {
    "build": ("old_spellings", ["build", "-m", "*"], {}),
    "clean": ("old_spellings", ["clean"], {}),
    "habits": ("old_habits", [*INCLUDE, "build"], HABITS_ENV),
}
"""The project, the command, and what the environment holds beside."""
OURS_ALONE = {
    "AdapterDeprecationWarning": "dbt warns of it as well, but does not count it",
    "SpacesInResourceNameDeprecation": "one for each name; dbt tells of the first and does not count it",
}
OTHERWISE_COUNTED = {"ModulesItertoolsUsageDeprecation"}
"""dbt counts each call, when it parses and when it runs; of the same words understudy prints one."""
THEIRS_ALONE = {"CustomTopLevelKeyDeprecation"}
"""Where dbt knows no engine, it holds the project's file to a schema that has no old names of keys."""


def copied(project: str, folder: Path) -> Path:
    """The project in a folder of its own, its packages where `deps` puts them."""
    unmade = shutil.ignore_patterns("target", "logs", "other_logs", "dbt_packages", "*.duckdb")
    shutil.copytree(PROJECTS / project, folder, ignore=unmade)
    if (folder / "local_packages").is_dir():
        shutil.copytree(folder / "local_packages", folder / "dbt_packages")
    return folder


@pytest.mark.differential
def test_recorded_counts_are_those_of_dbt(record_oracle: bool, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """With `--record-oracle` dbt is asked and the file written; without it, the file must hold every command."""
    if record_oracle:
        program, found = request.getfixturevalue("oracle_bin") / "dbt", {}
        for name, (project, arguments, env) in COMMANDS.items():
            command = [program, "--no-use-colors", *arguments, "--profiles-dir", "."]
            root, around = copied(project, tmp_path / name), {**os.environ, **env}
            ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, env=around)
            counted = re.findall(r"^- (\w+): (\d+) occurrence", ran.stdout, re.MULTILINE)
            found[name] = {event: int(count) for event, count in counted}
        RECORDED.write_text(json.dumps(found, indent=1) + "\n")
    assert list(json.loads(RECORDED.read_text())) == list(COMMANDS)


def warnings_of(ran: Ran) -> list[dict[str, Any]]:
    """What a command warned of, told as JSON."""
    events = [json.loads(line) for line in ran.err.splitlines()]
    return [each["data"]["warning"] for each in events if "warning" in each["data"]]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_is_warned_of(tmp_path: Path, name: str) -> None:
    project, arguments, env = COMMANDS[name]
    root = copied(project, tmp_path / name)
    ran = understudy("--log-format", "json", *arguments, cwd=root, env=env)
    assert ran.exit_code == 0, ran.err
    ours = Counter(each["name"] for each in warnings_of(ran))
    theirs = json.loads(RECORDED.read_text())[name]
    assert set(ours) - set(OURS_ALONE) == set(theirs) - THEIRS_ALONE
    for event in set(theirs) - THEIRS_ALONE - OTHERWISE_COUNTED:
        assert ours[event] == theirs[event], event


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("models/asks.sql", "select", "select  "),
        ("models/batches.sql", "'microbatch'", "'append'"),
        ("models/metricflow_time_spine.sql", "materialized='table'", "materialized='view'"),
        ("macros/more.sql", "{% set outside = 1 %}", ""),
    ],
)
def test_a_part_read_anew_is_warned_of_as_the_whole(tmp_path: Path, path: str, old: str, new: str) -> None:
    root = copied("old_spellings", tmp_path / "old")
    ok("parse", cwd=root)
    text = (root / path).read_text()
    assert old in text
    (root / path).write_text(text.replace(old, new))
    part, whole = (
        understudy("--log-format", "json", "parse", *more, cwd=root) for more in ([], ["--no-partial-parse"])
    )
    assert warnings_of(part) == warnings_of(whole) != []
