"""Disks that are full and folders that nobody may write to: every command that writes ends with an error that helps."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.cli import ok, project
from support.forks import Forks, forks

WRITING = (
    "parse", "compile", "run", "build", "seed", "snapshot", "test", "clone --state state", "retry", "docs generate",
    "docs generate --static", "source freshness", "run-operation op",
)  # fmt: skip
"""Commands that leave something in the target directory."""
READING = ("list", "show -s a", "debug", "plan", "explain a")
"""Commands that do not, or in passing, and so do not care."""
FILES = {
    "profiles.yml": "shop: {target: dev, outputs: {dev: {type: duckdb, path: ':memory:', schema: dev}}}",
    "models/a.sql": "select 1 as id",
    "models/b.sql": "select * from {{ ref('a') }}",
    "models/s.yml": """
        models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]
        sources:
          - name: raw
            schema: main
            tables: [{name: a, config: {freshness: {warn_after: {count: 1, period: day}}, loaded_at_field: now()}}]
    """,
    "seeds/s.csv": "id,name\n1,x\n",
    "snapshots/h.yml": "snapshots: [{name: h, relation: ref('a'), config: {unique_key: id, strategy: check, check_cols: all}}]",
    "macros/m.sql": "{% macro op() %}{% do run_query('select 1') %}{% endmacro %}",
}
UNWRITABLE = Path("/sys/kernel")
"""A folder in which nobody can make a file, not even root."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with something to retry, and a state to clone from."""
    root = project(tmp_path_factory.mktemp("shop"), FILES)
    ok("build", cwd=root)
    shutil.copytree(root / "target", root / "state")
    return root


@pytest.fixture(scope="module")
def processes(shop: Path) -> Iterator[Forks]:
    with forks("duckdb", shop) as found:
        yield found


def failed_run(root: Path) -> None:
    """A run of which something is to be retried."""
    results = json.loads((root / "state/run_results.json").read_text())
    results["results"][0]["status"] = "error"
    (root / "target/run_results.json").write_text(json.dumps(results))


@contextmanager
def unwritable(root: Path) -> Iterator[None]:
    """The target directory is one that may not be written to."""
    target = root / "target"
    shutil.rmtree(target)
    target.symlink_to(UNWRITABLE)
    try:
        yield
    finally:
        target.unlink()
        target.mkdir()


@contextmanager
def a_file(root: Path) -> Iterator[None]:
    """A file stands where the target directory should."""
    target = root / "target"
    shutil.rmtree(target)
    target.write_text("mine")
    try:
        yield
        assert target.read_text() == "mine"
    finally:
        target.unlink()
        target.mkdir()


def told(processes: Forks, code: int) -> str:
    output = processes.output
    assert code == 2, output
    assert "Traceback" not in output
    assert "understudy itself failed" not in output
    return output


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize("fault", [unwritable, a_file])
def test_a_target_that_cannot_be_written(
    shop: Path, processes: Forks, fault: Callable[[Path], Iterator[None]], command: str
) -> None:
    if not (shop / "target").is_dir():
        (shop / "target").mkdir()
    with fault(shop):  # type: ignore[attr-defined]
        output = told(processes, processes.run(*command.split()))
    if command == "retry":
        assert "State error" in output
    else:
        assert "Artifact error: Cannot write" in output
        assert "name another" in output


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize("fault", [unwritable, a_file])
def test_commands_that_do_not_write(
    shop: Path, processes: Forks, fault: Callable[[Path], Iterator[None]], command: str
) -> None:
    with fault(shop):  # type: ignore[attr-defined]
        assert processes.run(*command.split()) == 0, processes.output


@pytest.mark.parametrize("size", [0, 5000])
@pytest.mark.parametrize("command", WRITING)
def test_a_disk_without_room(shop: Path, processes: Forks, command: str, size: int) -> None:
    """Files may have so many bytes, which is what a full disk looks like to whoever writes them."""
    shutil.rmtree(shop / "target")
    (shop / "target").mkdir()
    if command == "retry":
        failed_run(shop)
    output = told(processes, processes.run(*command.split(), file_size=size))
    assert "Artifact error: Cannot write" in output
    assert "File too large" in output
    for path in (shop / "target").rglob("*.json"):
        json.loads(path.read_bytes())
    assert not [path for path in (shop / "target").rglob("*") if path.name.endswith(".tmp")]
    assert processes.run(*command.split()) in (0, 1), processes.output


@pytest.mark.parametrize("command", READING)
def test_commands_that_do_not_write_need_no_room(shop: Path, processes: Forks, command: str) -> None:
    assert processes.run(*command.split(), file_size=0) == 0, "it needs room"


def test_a_new_project_without_room(tmp_path: Path) -> None:
    with forks("duckdb", tmp_path) as processes:
        output = told(processes, processes.run("init", "new", "--skip-profile-setup", file_size=10))
    assert "File too large" in output
