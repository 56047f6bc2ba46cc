"""Every selection gives the nodes that dbt 1.11 gives, on dbt's own manifest of the same project.

dbt's answers are recorded (`make oracle`), so this needs no dbt. `--record-oracle` asks dbt anew.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.manifests import load_manifest
from support.resources import settings_of
from support.selections import PROJECTS, TESTS, folder_of, raw_selectors, recorded, spec_of, world_of

from understudy.errors import SelectorError, StateError
from understudy.graph.dag import group_map
from understudy.graph.link import link
from understudy.select.evaluate import evaluate
from understudy.select.yaml import manifest_selectors

REFUSED = {
    "-s +@stg_lines": "an operator where a name is expected: dbt looks for a node of the name '@stg_lines'",
    "-s access:none_such": "no such access: dbt selects nothing",
}
ANSWERED = {"-s path:.": "the whole project: dbt ends with an IndexError of pathlib"}
"""Lines whose answer differs on purpose, with the reason."""


@pytest.mark.differential
@pytest.mark.parametrize("project", PROJECTS)
def test_recorded_answers_are_those_of_dbt(project: str, record_oracle: bool, request: pytest.FixtureRequest) -> None:
    """With `--record-oracle` dbt is asked and the file written; without it, the file must hold every line asked for."""
    asked = [
        folder_of(project) / "selections.txt",
        *sorted((TESTS / "differential/selections").glob(f"{project}.txt")),
    ]
    if record_oracle:
        python = request.getfixturevalue("oracle_bin") / "python"
        out = TESTS / "differential/recorded" / f"selections_{project}.json.gz"
        script = TESTS.parent / "scripts/record_selections.py"
        subprocess.run([python, script, asked[0].parent, out, *asked[1:]], check=True)
        recorded.cache_clear()
        world_of.cache_clear()
    lines = {line.strip() for file in asked for line in Path(file).read_text(encoding="utf-8").splitlines()}
    assert {line for line in lines if line and not line.startswith("#")} == set(recorded(project)["selections"])


LINES = [(project, line) for project in PROJECTS for line in recorded(project)["selections"]]


@pytest.mark.parametrize(("project", "line"), LINES, ids=[f"{project} {line}" for project, line in LINES])
def test_selects_what_dbt_selects(project: str, line: str) -> None:
    expected = recorded(project)["selections"][line]
    if line in REFUSED or (isinstance(expected, dict) and line not in ANSWERED):
        with pytest.raises((SelectorError, StateError)):
            evaluate(spec_of(line), world_of(project))
    elif line in ANSWERED:
        assert isinstance(expected, dict)
        assert evaluate(spec_of(line), world_of(project)).nodes
    else:
        assert sorted(evaluate(spec_of(line), world_of(project)).nodes) == expected


def test_differences_are_those_that_are_listed() -> None:
    """A line of the list that dbt answers as we do does not belong there."""
    answers = recorded("everything")["selections"]
    assert all(not isinstance(answers[line], dict) for line in REFUSED)


@pytest.mark.parametrize("project", PROJECTS)
def test_maps_are_those_of_dbt(project: str) -> None:
    """`parent_map`, `child_map`, `group_map` and `selectors` of manifest.json."""
    expected = recorded(project)["manifest"]
    world = world_of(project)
    assert world.dag.parent_map() == expected["parent_map"]
    assert world.dag.child_map() == expected["child_map"]
    assert group_map(world.manifest) == expected["group_map"]
    assert manifest_selectors(raw_selectors(project)) == expected["selectors"]


@pytest.mark.parametrize("project", PROJECTS)
def test_links_are_those_of_dbt(project: str) -> None:
    """`depends_on.nodes` from refs and sources alone, in dbt's order.

    Tests of what is switched off stand among dbt's nodes, disabled and without parents; among ours under `disabled`.
    """
    expected = recorded(project)["manifest"]
    manifest = load_manifest(expected)
    link(manifest, settings_of(packages=sorted({node.package_name for node in manifest.nodes.values()})))
    parents = {unique_id: list(card.parents) for unique_id, card in manifest.cards.items()}
    for part in ("nodes", "exposures", "functions"):
        for unique_id, raw in expected[part].items():
            if unique_id in manifest.disabled:
                assert raw["resource_type"] == "test"
                assert raw["config"]["enabled"] is False
                continue
            assert parents[unique_id] == raw.get("depends_on", {}).get("nodes", []), unique_id
