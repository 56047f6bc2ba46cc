"""Lines of `selections.txt` (arguments of `ls`) as our Spec, and the worlds of dbt's recorded manifests."""

from __future__ import annotations

import argparse
import gzip
import json
import shlex
from functools import cache
from pathlib import Path
from typing import Any

from support.manifests import load_manifest

from understudy.graph.dag import Dag
from understudy.parse.yaml import load
from understudy.select.evaluate import Spec
from understudy.select.world import World
from understudy.select.yaml import read_selectors

TESTS = Path(__file__).resolve().parent.parent
PROJECTS = ("everything", "jaffle", "packages_local", "kinds")
LISTED = frozenset({
    "model", "snapshot", "seed", "test", "source", "exposure", "metric", "saved_query", "semantic_model", "unit_test",
    "function",
})  # fmt: skip
"""What `ls` shows when no type is named: everything but analyses (dbt 1.11: ListTask.DEFAULT_RESOURCE_VALUES)."""


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-s", "--select", nargs="+", action="extend")
    parser.add_argument("-m", "--models", nargs="+", action="extend")
    parser.add_argument("--exclude", nargs="+", action="extend")
    parser.add_argument("--selector")
    parser.add_argument("--indirect-selection", default="eager")
    parser.add_argument("--resource-type", "--resource-types", nargs="+", action="extend")
    parser.add_argument("--exclude-resource-type", "--exclude-resource-types", nargs="+", action="extend")
    return parser


def spec_of(line: str) -> Spec:
    """What a line asks for."""
    asked = _arguments().parse_args(shlex.split(line))
    types = frozenset(asked.resource_type or ()) - {"all", "default"}
    if "all" in (asked.resource_type or ()):
        types = LISTED | {"analysis"}
    select = [word for option in (asked.select, asked.models) for word in option or ()]
    return Spec(
        select or None, asked.exclude, asked.selector, asked.indirect_selection,
        frozenset({"model"}) if asked.models else types or LISTED, frozenset(asked.exclude_resource_type or ()),
        empty_nodes=True,
    )  # fmt: skip


@cache
def recorded(project: str) -> dict[str, Any]:
    """dbt's manifest and its answers (scripts/record_selections.py)."""
    data = (TESTS / "differential/recorded" / f"selections_{project}.json.gz").read_bytes()
    found: dict[str, Any] = json.loads(gzip.decompress(data))
    return found


def folder_of(project: str) -> Path:
    """Where the project stands."""
    return TESTS / ("differential/selections" if project == "kinds" else "projects") / project


def raw_selectors(project: str) -> dict[str, Any]:
    """The project's `selectors.yml`, or nothing."""
    file = folder_of(project) / "selectors.yml"
    return load(file.read_text(encoding="utf-8"), "selectors.yml") if file.exists() else {}


@cache
def world_of(project: str) -> World:
    """dbt's manifest as a world to select from, with the project's selectors."""
    manifest = load_manifest(recorded(project)["manifest"])
    selectors = read_selectors(raw_selectors(project))
    return World(manifest, Dag.of(manifest), manifest.project_name, selectors=selectors)
