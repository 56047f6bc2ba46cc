"""The same project, built by dbt 1.11 and by understudy: the same manifest, the same SQL, the same results, the same rows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from compare_manifest import SECTIONS, differences
from differential.asked import PROJECTS, ROOT, ask
from differential.every_method import answers
from differential.known import explained
from differential.public_packages import checkouts, prepared
from support.cli import understudy

OWN = (
    "everything", "jaffle", "jinja_context", "kinds_built", "library", "old_spellings", "packages_local", "three_packages",
)  # fmt: skip
CASES = {
    **{name: PROJECTS / name for name in OWN},
    "ecommerce": ROOT / "examples/ecommerce",
    **checkouts(),
}
IGNORED = frozenset({"created_at", "root_path"})
BUILT_IN = ("dbt", "dbt_duckdb")
REMARK = re.compile(r"-- duckdb dateadd .*\n\s*")
pytestmark = pytest.mark.differential


@dataclass(frozen=True)
class Pair:
    """A project built by both, by us in `root`. `ours` and `theirs` are maps with manifest, run_results and tables."""

    name: str
    root: Path
    ours: Mapping[str, Any]
    theirs: Mapping[str, Any]


@pytest.fixture(scope="module", params=CASES)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Each project once: dbt's answer is kept by content, ours is made anew."""
    source = CASES[request.param]
    if request.param in checkouts():
        source = prepared(source, tmp_path_factory.mktemp("public") / request.param)
    theirs = ask(source, request.getfixturevalue("oracle_bin"))
    root = tmp_path_factory.mktemp(request.param) / "project"
    shutil.copytree(source, root, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb", "prod-artifacts"))
    if (root / "generate_data.py").exists():
        subprocess.run([sys.executable, "generate_data.py", "--scale", "0.02"], cwd=root, check=True)
    if (root / "local_packages").exists():
        shutil.copytree(root / "local_packages", root / "dbt_packages")
    ran = understudy("build", "--target", "dev", cwd=root)
    assert ran.exit_code == theirs["exit_code"], ran.err
    ours = {name: json.loads((root / f"target/{name}.json").read_text()) for name in ("manifest", "run_results")}
    return Pair(request.param, root, {**ours, "tables": tables(root, ours["manifest"])}, theirs)


def tables(root: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Columns, types and sorted rows of what our build left behind, in the form in which the oracle gives dbt's."""
    import duckdb

    database = next(node["database"] for node in manifest["nodes"].values() if node["database"])
    found = {}
    with duckdb.connect(str(root / f"{database}.duckdb")) as connection:
        for unique_id, node in manifest["nodes"].items():
            if node["relation_name"] and node["resource_type"] in ("model", "seed", "snapshot"):
                try:
                    cursor = connection.execute(f"select * from {node['relation_name']}")
                except duckdb.CatalogException:
                    continue
                found[unique_id] = {
                    "columns": [[column[0], str(column[1])] for column in cursor.description],
                    "rows": sorted([str(value) for value in row] for row in cursor.fetchall()),
                }
    return found


def agree(pair: Pair, found: list[str]) -> None:
    """Fail with the differences that are not on the list of known ones."""
    unknown = [line for line in found if not explained(pair.name, line)]
    if unknown:
        pytest.fail(f"{len(unknown)} unknown differences (ours | dbt's):\n" + "\n".join(unknown), pytrace=False)


def built_in(unique_id: str) -> bool:
    """Whether a resource belongs to the engine itself."""
    return unique_id.partition(".")[2].partition(".")[0] in BUILT_IN


def comparable(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource without what is each engine's own: which of its built-in macros a node calls, and dbt's remarks in SQL."""
    found = dict(resource)
    if "depends_on" in found:
        macros = [macro for macro in found["depends_on"]["macros"] if not built_in(macro)]
        found["depends_on"] = {**found["depends_on"], "macros": macros}
    if found.get("compiled_code"):
        found["compiled_code"] = REMARK.sub("", found["compiled_code"])
    return found


def compare(ours: Any, theirs: Any) -> list[str]:
    """The differences of one resource in both manifests; what is disabled is a list, for several may share a name."""
    if isinstance(ours, list):
        return [line for mine, other in zip(ours, theirs, strict=True) for line in compare(mine, other)]
    return lines(comparable(ours), comparable(theirs))


def lines(ours: Any, theirs: Any) -> list[str]:
    """The differences of two values, one line each."""
    return [f"{'.'.join(path)}: {mine} | {other}" for *path, mine, other in differences(ours, theirs, (), IGNORED)]


def test_the_same_resources(pair: Pair) -> None:
    found = []
    for section in SECTIONS:
        ours, theirs = (set(side["manifest"].get(section) or {}) for side in (pair.ours, pair.theirs))
        found += [f"{section} {unique_id}" for unique_id in sorted(ours ^ theirs) if not built_in(unique_id)]
    agree(pair, found)


def test_the_same_fields(pair: Pair) -> None:
    found = []
    for section in SECTIONS:
        ours, theirs = (side["manifest"].get(section) or {} for side in (pair.ours, pair.theirs))
        for unique_id in sorted(set(ours) & set(theirs)):
            if not built_in(unique_id):
                found += [f"{section} {unique_id}: {line}" for line in compare(ours[unique_id], theirs[unique_id])]
    agree(pair, found)


def test_the_same_graph(pair: Pair) -> None:
    found = []
    for name in ("parent_map", "child_map", "group_map"):
        ours, theirs = ({k: sorted(v) for k, v in side["manifest"][name].items()} for side in (pair.ours, pair.theirs))
        found += [f"{name}: {line}" for line in lines(ours, theirs)]
    agree(pair, found)


def test_the_same_results(pair: Pair) -> None:
    def facts(side: Mapping[str, Any]) -> dict[str, Any]:
        keys = ("status", "failures", "message", "relation_name")
        return {each["unique_id"]: {key: each[key] for key in keys} for each in side["run_results"]["results"]}

    ours, theirs = facts(pair.ours), facts(pair.theirs)
    found = [f"{each}: missing" for each in sorted(set(ours) ^ set(theirs))]
    for unique_id in sorted(set(ours) & set(theirs)):
        mine, other = ours[unique_id], theirs[unique_id]
        found += [f"{unique_id}: {key}: {mine[key]!r} | {other[key]!r}" for key in mine if mine[key] != other[key]]
    agree(pair, found)


def test_the_same_selections(pair: Pair) -> None:
    def listed(arguments: list[str]) -> str | None:
        ran = understudy(*arguments, "--target", "dev", cwd=pair.root)
        return ran.out if ran.exit_code == 0 else None

    theirs: Mapping[str, list[str] | None] = pair.theirs["selections"]
    ours = answers(theirs, listed)
    agree(pair, [f"ls {line}: {ours[line]} | {theirs[line]}" for line in theirs if ours[line] != theirs[line]])


def timeless(table: dict[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
    """The table, of a snapshot that compares values without the times at which it looked, and keys made of them."""
    if node["config"].get("strategy") != "check":
        return table
    clock = [n for n, (name, _) in enumerate(table["columns"]) if name.startswith("dbt_")]
    rows = [[str(value != "None") if n in clock else value for n, value in enumerate(row)] for row in table["rows"]]
    return {**table, "rows": sorted(rows)}


def test_the_same_rows(pair: Pair) -> None:
    nodes = pair.theirs["manifest"]["nodes"]
    ours, theirs = (
        {unique_id: timeless(table, nodes[unique_id]) for unique_id, table in side["tables"].items()}
        for side in (pair.ours, pair.theirs)
    )
    assert sorted(ours) == sorted(theirs)
    found = [
        f"{unique_id}: {ours[unique_id]} | {theirs[unique_id]}"
        for unique_id in ours
        if ours[unique_id] != theirs[unique_id]
    ]
    agree(pair, found)
