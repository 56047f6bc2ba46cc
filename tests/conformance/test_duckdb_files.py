"""Two files of DuckDB: production's beside one's own. Deferral attaches what it reads, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support import cli

STATE = ("--state", "prod-artifacts")
MODELS = {
    "models/a.sql": "{{ config(materialized='table') }} select 'prod' as origin",
    "models/b.sql": "select 'b of ' || origin as origin from {{ ref('a') }}",
}


def outputs(**targets: dict[str, Any]) -> str:
    chosen = {name: {"type": "duckdb", "schema": "main", **fields} for name, fields in targets.items()}
    return json.dumps({"shop": {"target": "dev", "outputs": chosen}})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Production is built into prod.duckdb; dev builds into dev.duckdb."""
    profiles = outputs(dev={"path": "dev.duckdb"}, prod={"path": "files/prod.duckdb"})
    root = cli.project(tmp_path / "shop", {"profiles.yml": profiles, **MODELS})
    (root / "files").mkdir()
    cli.ok("build", "--target", "prod", cwd=root)
    shutil.move(root / "target", root / "prod-artifacts")
    return root


def rows(root: Path) -> list[tuple[Any, ...]]:
    """What `b` gives, a view on production's file."""
    with duckdb.connect(str(root / "dev.duckdb")) as connection:
        connection.execute(f"attach '{root / 'files/prod.duckdb'}' as prod (read_only)")
        return connection.execute("select * from b").fetchall()


@contextmanager
def held(path: Path) -> Iterator[int]:
    """Another process that writes to the file."""
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print(1, flush=True); sys.stdin.read()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdout.readline()
        yield process.pid
        process.stdin.close()


class TestDeferral:
    """A reference into the file of another target."""

    @pytest.mark.parametrize("options", [(), ("--favor-state",), ("--favor-state", "--no-verify-state")])
    def test_the_file_is_attached(self, project: Path, options: tuple[str, ...]) -> None:
        before = (project / "files/prod.duckdb").read_bytes()
        cli.ok("build", "-s", "b", "--defer", *STATE, *options, cwd=project)
        assert rows(project) == [("b of prod",)]
        assert (project / "files/prod.duckdb").read_bytes() == before

    def test_nothing_is_attached_without_need(self, project: Path) -> None:
        (project / "files/prod.duckdb").unlink()
        cli.ok("build", "--defer", *STATE, cwd=project)

    def test_it_is_read_only(self, project: Path) -> None:
        (project / "models/c.sql").write_text(
            "{{ config(pre_hook='drop table prod.main.a') }} select * from {{ ref('a') }}"
        )
        ran = cli.understudy("build", "-s", "c", "--defer", *STATE, cwd=project)
        assert ran.exit_code == 1
        assert "read-only" in ran.err

    def test_an_entry_of_the_profile_comes_first(self, project: Path) -> None:
        attach = [{"path": "files/prod.duckdb", "alias": "prod", "read_only": True}]
        profiles = outputs(dev={"path": "dev.duckdb", "attach": attach}, prod={"path": "nowhere/prod.duckdb"})
        (project / "profiles.yml").write_text(profiles)
        cli.ok("build", "-s", "b", "--defer", *STATE, cwd=project)
        assert rows(project) == [("b of prod",)]

    def test_a_target_that_cannot_be_rendered_here_is_left_out(self, project: Path) -> None:
        profiles = outputs(
            dev={"path": "dev.duckdb"},
            ci={"path": "{{ env_var('NOT_SET') }}"},
            prod={"path": "{{ 'files' }}/prod.duckdb"},
        )
        (project / "profiles.yml").write_text(profiles)
        cli.ok("build", "-s", "b", "--defer", *STATE, cwd=project)


class TestErrors:
    """Each is told before anything runs."""

    def test_the_file_is_gone(self, project: Path) -> None:
        (project / "files/prod.duckdb").unlink()
        for options in ((), ("--favor-state", "--no-verify-state")):
            ran = cli.understudy("build", "-s", "b", "--defer", *STATE, *options, cwd=project)
            assert ran.exit_code != 0
            assert "prod.duckdb" in ran.err
            assert "does not exist" in ran.err

    def test_no_target_names_it(self, project: Path) -> None:
        (project / "profiles.yml").write_text(outputs(dev={"path": "dev.duckdb"}))
        ran = cli.understudy("build", "-s", "b", "--defer", *STATE, cwd=project)
        assert (ran.exit_code, "'prod' is not attached" in ran.err) == (2, True)
        assert "'path' of another target" in ran.err

    def test_two_files_have_its_name(self, project: Path) -> None:
        profiles = outputs(
            dev={"path": "dev.duckdb"}, prod={"path": "files/prod.duckdb"}, old={"path": "old/prod.duckdb"}
        )
        (project / "profiles.yml").write_text(profiles)
        ran = cli.understudy("build", "-s", "b", "--defer", *STATE, cwd=project)
        assert ran.exit_code == 2
        assert "Two targets of the profile call their database 'prod': files/prod.duckdb, old/prod.duckdb" in ran.err

    @pytest.mark.parametrize(("file", "options"), [("dev.duckdb", ()), ("files/prod.duckdb", ("--defer", *STATE))])
    def test_another_process_holds_it(self, project: Path, file: str, options: tuple[str, ...]) -> None:
        retries = {"retries": {"connect_attempts": 1}}
        profiles = outputs(dev={"path": "dev.duckdb", **retries}, prod={"path": "files/prod.duckdb"})
        (project / "profiles.yml").write_text(profiles)
        with held(project / file) as pid:
            ran = cli.understudy("build", "-s", "b", *options, cwd=project)
        assert ran.exit_code != 0
        assert f"is held by the process {pid} ({sys.executable} -c import duckdb" in ran.err
        assert file in ran.err

    def test_a_short_lock_is_waited_for(self, project: Path) -> None:
        with held(project / "files/prod.duckdb") as pid:
            timer = threading.Timer(0.7, os.kill, (pid, signal.SIGTERM))
            timer.start()
            cli.ok("build", "-s", "b", "--defer", *STATE, cwd=project)
            timer.join()
