"""`state:` after each edit of state_edits.py: what dbt 1.11 selected (recorded by scripts/record_state.py), and what we do.

Three states of the same project before the edit: ours, and dbt's with `state_modified_compare_more_unrendered_values` on and
off. Ours and the first of dbt's must give dbt's answers with the flag on, the second those with the flag off.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from differential.state_edits import PROJECTS, project

from understudy.artifacts.manifest import parts_of, pieces
from understudy.artifacts.metadata import manifest_metadata
from understudy.core.manifest import Manifest
from understudy.core.project import Settings
from understudy.graph.link import link
from understudy.parse.project import parse_project
from understudy.project.files import read_files
from understudy.project.settings import ProjectOptions, load_settings
from understudy.sql.dialect import dialect
from understudy.state.diff import OURS, compare
from understudy.state.diff import SELECTORS as ALL_SELECTORS
from understudy.state.prior import Prior, decode_prior
from understudy.stdlib.registry import BUILTINS, builtin_macros

SELECTORS = tuple(selector for selector in ALL_SELECTORS if selector not in OURS)
"""Those that dbt has, too."""
RECORDED = Path(__file__).parent / "recorded"
STATES = ("ours", "dbt, raw values", "dbt, rendered values")
MOST = ("old", "unmodified")
MODIFIED = ("modified", "not unmodified")

AS_IF_ON = (
    "our comparison of a source's schema is that of the flag being on: as written, wherever the state recorded that"
)
BROKEN_CONTRACT = (
    "dbt raises where a versioned contract is broken; here it is data (Comparison.contract_breaks), and selected"
)
ANY_LAYER = (
    "the state holds 'view', and ours Jinja that gives 'view' today: in a rendered state that is the same, and nobody can "
    "tell that this value came from dbt_project.yml, where dbt keeps the raw text"
)
LARGE_SEED = "dbt records the path of a seed above 1 MiB, and no digest; our state holds the digest of every seed"
KNOWN: dict[tuple[str, str], tuple[frozenset[str], str]] = {
    ("dbt, rendered values", "source: schema, its value"): (frozenset({*MODIFIED, "modified.relation"}), AS_IF_ON),
    ("dbt, rendered values", "source: schema, the var's value"): (
        frozenset({*MODIFIED, "modified.relation"}),
        AS_IF_ON,
    ),
    ("dbt, rendered values", "fqn: another folder with another config"): (frozenset({"modified.configs"}), ANY_LAYER),
    **{
        (state, edit): (frozenset({*MODIFIED, "unmodified", "modified.contract"}), BROKEN_CONTRACT)
        for state in STATES
        for edit in ("contract: a versioned model's type", "contract: a versioned model's, no longer enforced")
    },
    **{
        (state, "contract: a version is gone"): (
            frozenset({"modified", "unmodified", "modified.contract"}),
            BROKEN_CONTRACT,
        )
        for state in STATES
    },
    ("ours", "body: of a large seed"): (frozenset({*MODIFIED, "modified.body"}), LARGE_SEED),
    ("ours", "fqn: a large seed in another folder"): (frozenset({"modified.body"}), LARGE_SEED),
}
"""(state, edit) -> the selectors whose answers differ from dbt's, and why."""


@cache
def answers(which: str) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((RECORDED / f"state_{which}.json").read_text())
    return recorded


def parse(root: Path, files: dict[str, str]) -> tuple[Manifest, Settings]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    options = ProjectOptions(project_dir=str(root), profiles_dir=str(root), environment={}, cwd=str(root))
    settings = load_settings(options)
    parsed = parse_project(
        settings, read_files(settings), builtins=BUILTINS, builtin_macros=builtin_macros(), dialect=dialect("duckdb")
    )
    link(parsed.manifest, settings)
    return parsed.manifest, settings


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Our own manifest.json of each project before the edit."""
    from datetime import UTC, datetime

    found = {}
    for which in PROJECTS:
        manifest, settings = parse(tmp_path_factory.mktemp("before"), project({}, which=which))
        head = manifest_metadata(settings, now=datetime(2026, 1, 1, tzinfo=UTC), env={}, quoting={})
        found[which] = b"".join(pieces(parts_of(manifest, {}, {}, {}, {}), head))
    return found


def prior(state: str, ours: bytes, which: str) -> Prior:
    if state == "ours":
        return decode_prior(ours, origin="ours.json")
    name = f"state_{which}_{'on' if state == 'dbt, raw values' else 'off'}.json"
    return decode_prior(gzip.decompress((RECORDED / f"{name}.gz").read_bytes()), origin=name)


def asked(manifest: Manifest, prior: Prior) -> dict[str, set[str]]:
    """Selector -> what it selects, or, for those that select nearly everything, what it leaves out."""
    comparison = compare(manifest, prior)
    parts = (
        manifest.nodes, manifest.sources, manifest.exposures, manifest.unit_tests, manifest.functions, manifest.metrics,
        manifest.semantic_models, manifest.saved_queries,
    )  # fmt: skip
    everything = {unique_id for part in parts for unique_id in part if not unique_id.startswith("operation.")}
    found = {selector: {i for i in everything if comparison.matches(selector, i)} for selector in SELECTORS}
    return {f"not {s}" if s in MOST else s: everything - ids if s in MOST else ids for s, ids in found.items()}


def differences(ours: dict[str, set[str]], theirs: dict[str, Any]) -> Iterator[str]:
    """The selectors whose answers differ."""
    for selector in dict.fromkeys((*ours, *theirs)):
        answer = theirs.get(selector, [])
        if isinstance(answer, dict) or ours.get(selector, set()) != set(answer):
            yield selector


@pytest.mark.parametrize(("which", "edit"), [(which, edit) for which in PROJECTS for edit in PROJECTS[which][1]])
def test_state(which: str, edit: str, tmp_path: Path, before: dict[str, bytes]) -> None:
    today, _ = parse(tmp_path, project(PROJECTS[which][1][edit], which=which))
    for state in STATES:
        theirs = answers(which)[edit]["off" if state == "dbt, rendered values" else "on"]
        ours = asked(today, prior(state, before[which], which))
        expected, _reason = KNOWN.get((state, edit), (frozenset(), ""))
        wrong = {
            selector: (sorted(ours.get(selector, ())), theirs.get(selector, []))
            for selector in set(differences(ours, theirs)) ^ expected
        }
        assert not wrong, (state, wrong)


def test_every_edit_was_recorded() -> None:
    for which, (_, edits) in PROJECTS.items():
        assert list(answers(which)) == list(edits)
    every = [edit for _, edits in PROJECTS.values() for edit in edits]
    assert len(every) == len(set(every)) >= 240
    assert {edit for _, edit in KNOWN} <= set(every)


def test_each_selector_was_met_both_ways() -> None:
    """A table in which a selector never selects, or always does, would prove little."""
    names = [f"not {s}" if s in MOST else s for s in SELECTORS]
    for mode in ("on", "off"):
        for name in names:
            met = [bool(answer[mode].get(name)) for answer in answers("edits").values()]
            assert any(met), name
            assert not all(met), name


KINDS = (
    "model", "seed", "snapshot", "test", "source", "exposure", "unit_test", "function", "semantic_model", "metric", "saved_query",
)  # fmt: skip


def test_every_kind_of_node_was_found_modified_and_new_and_left_alone() -> None:
    """An analysis is no kind of this list's: dbt's graph has it, and the edits of analyses are in the table."""
    found: dict[str, set[str]] = {"modified": set(), "new": set()}
    for which in PROJECTS:
        for answer in answers(which).values():
            for selector, kinds in found.items():
                ids = answer["on"].get(selector, [])
                kinds |= set() if isinstance(ids, dict) else {unique_id.partition(".")[0] for unique_id in ids}
    assert (
        set(KINDS) - {"source", "exposure", "metric", "semantic_model", "saved_query"}
        <= found["modified"] & found["new"]
    )
    assert {"source", "exposure", "metric", "semantic_model", "saved_query", "analysis"} <= found["modified"]
    assert set(KINDS) <= found["new"]
