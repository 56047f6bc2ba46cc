"""The law of the kept parse: whatever was edited since, it gives what reading everything anew gives, byte for byte, and says
the same.

`--sequences 300` edits longer than a usual test run does; a sequence that fails is run again by `--sequence N`.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from support.project_edits import Draft, edit

from understudy.app.document import write_manifest
from understudy.app.events import Event, Logged, Printed, WarningRaised
from understudy.app.invocation import Invocation
from understudy.app.load import Project, load_project
from understudy.app.options import Options, WarnRules
from understudy.artifacts.manifest import parts_of, pieces
from understudy.artifacts.metadata import ManifestMetadata
from understudy.errors import UnderstudyError

STEPS = 8
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
HEAD = ManifestMetadata(
    dbt_schema_version="", generated_at="", project_name="shop", project_id="", adapter_type="duckdb", quoting={}
)


def parsed(root: Path, draft: Draft, *, kept: bool) -> dict[str, Any]:
    """What a parse gives: the manifest's text, the engine's notes, what was said; or how it failed."""
    events: list[Event] = []
    options = Options("parse", project_dir=str(root), profiles_dir=str(root), partial_parse=kept, vars=draft.vars)
    invocation = Invocation(
        replace(options, **draft.options),
        {"HOME": str(root), **draft.env},
        str(root),
        "id",
        NOW,
        events.append,
        WarnRules(),
    )
    try:
        project = load_project(invocation)
        found = shown(project)
        write_manifest(invocation, project)  # of which most is copied from the one before
    except UnderstudyError as error:
        return {"error": (type(error).__name__, str(error), error.place, error.hint)}
    file = (root / "target" / "manifest.json").read_bytes()
    found["file"] = file[file.index(b',"nodes":{') :].replace(b'},"', b'},\n"').decode().split("\n")
    found["warnings"] = [event.warning for event in events if isinstance(event, WarningRaised)]
    found["said"] = sorted(str(event) for event in events if isinstance(event, Logged | Printed))
    return found


def shown(project: Project) -> dict[str, Any]:
    """Everything of a project that commands look at."""
    manifest, dag = project.manifest, project.dag
    text = b"".join(pieces(parts_of(manifest, dag.parent_map(), dag.child_map(), {}, {}), HEAD))
    return {
        "manifest": text.replace(b'},"', b'},\n"').decode().split("\n"),
        "cards": list(manifest.cards.values()),
        "order": dag.order(),
        "uses": dict(sorted(manifest.uses.items())),
        "inputs": dict(sorted(manifest.inputs.items())),
        "lines": {i: line for i, line in sorted(manifest.lines.items()) if manifest.get(i) is not None},
        "macros": {i: found.macro_sql for i, found in manifest.macros.items()},
        "renderer": {name: sorted(names) for name, names in project.renderer.macros.packages.items()},
    }


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "sequence" in metafunc.fixturenames:
        one, many = metafunc.config.getoption("--sequence"), metafunc.config.getoption("--sequences")
        metafunc.parametrize("sequence", range(many) if one is None else [one])


def steps(sequence: int) -> Generator[tuple[Draft, str], bool, None]:
    """The project, then the project after each edit (or a few at once). What cannot be parsed, as it is told, is taken back
    sooner or later, as people do.
    """
    rnd, draft = random.Random(sequence), Draft()
    good, what = copy.deepcopy(draft), "start"
    for _ in range(STEPS):
        whole = yield draft, what
        if whole:
            good = copy.deepcopy(draft)
        back = not whole and rnd.random() < 0.7
        if back:
            draft = copy.deepcopy(good)
        names = [edit(draft, rnd) for _ in range(rnd.choice([1, 1, 1, 2, 4]))]
        what = " ".join(["back", *names] if back else names)
    yield draft, what


def test_a_kept_parse_is_a_whole_parse(sequence: int, tmp_path: Path) -> None:
    done: list[str] = []
    way = steps(sequence)
    draft, what = next(way)
    while len(done) < STEPS:
        done.append(what)
        draft.write(tmp_path)
        whole = parsed(tmp_path, draft, kept=False)
        for again in ("first", "again"):
            found = parsed(tmp_path, draft, kept=True)
            assert found.keys() == whole.keys(), (done, again, whole.get("error"), found.get("error"))
            for part, value in whole.items():
                assert found[part] == value, (done, again, part)
        draft, what = way.send("error" not in whole)
