"""Every selection gives the nodes that dbt 1.11 gives, on dbt's own manifest of the same project.

dbt's answers are recorded (`make oracle`), so this needs no dbt. `--record-oracle` asks dbt anew.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.selections import PROJECTS, TESTS, recorded, spec_of, world_of

from understudy.errors import SelectorError, StateError
from understudy.select.evaluate import evaluate

REFUSED_BY_US = {
    "-s @stg_lines+1": "both engines refuse it",
}
KNOWN: dict[str, str] = {}
"""Lines whose answer differs on purpose, with the reason."""


@pytest.mark.differential
@pytest.mark.parametrize("project", PROJECTS)
def test_recorded_answers_are_those_of_dbt(project: str, record_oracle: bool, request: pytest.FixtureRequest) -> None:
    """With `--record-oracle` dbt is asked and the file written; without it, the file must hold every line asked for."""
    asked = [TESTS / "projects" / project / "selections.txt", *sorted((TESTS / "differential/selections").glob(f"{project}.txt"))]
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
    if line in KNOWN:
        pytest.skip(KNOWN[line])
    if isinstance(expected, dict):
        with pytest.raises((SelectorError, StateError)):
            evaluate(spec_of(line), world_of(project))
        return
    assert sorted(evaluate(spec_of(line), world_of(project)).nodes) == expected
