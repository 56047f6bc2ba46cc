"""Run understudy as a person does, in this process, and build small projects on the disk."""

from __future__ import annotations

import contextlib
import io
import json
import os
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code, and what it wrote to stdout and stderr."""

    exit_code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """stdout by line, without empty ones."""
        return [line for line in self.out.splitlines() if line]


def understudy(*args: str, cwd: Path, env: Mapping[str, str] | None = None) -> Ran:
    """Run one command in `cwd`. It is a new invocation of the same process, which the engine must bear."""
    from understudy.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    before = Path.cwd()
    os.chdir(cwd)
    try:
        with (
            mock.patch.dict(os.environ, dict(env or {})),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                code = main(list(args))
            except SystemExit as exit_:  # what click does for --help
                code = exit_.code if isinstance(exit_.code, int) else 1
    finally:
        os.chdir(before)
    return Ran(code, out.getvalue(), err.getvalue())


def ok(*args: str, cwd: Path, env: Mapping[str, str] | None = None) -> Ran:
    """The same, for a command that has to succeed."""
    ran = understudy(*args, cwd=cwd, env=env)
    assert ran.exit_code == 0, f"understudy {' '.join(args)} ended with {ran.exit_code}\n{ran.out}\n{ran.err}"
    return ran


PROJECT = """\
name: shop
version: '1.0'
profile: shop
"""
PROFILES = """\
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: shop.duckdb, schema: dev, threads: 2}
    prod: {type: duckdb, path: shop.duckdb, schema: prod, threads: 2}
"""


def project(root: Path, files: Mapping[str, str]) -> Path:
    """Write a project into `root`: `dbt_project.yml` and `profiles.yml` (DuckDB, targets dev and prod) unless given."""
    for path, text in {"dbt_project.yml": PROJECT, "profiles.yml": PROFILES, **files}.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        indented = text.startswith("\n ")  # a block of the test's own source; other text stays as it is
        file.write_text(textwrap.dedent(text.removeprefix("\n")) if indented else text)
    return root


def query(root: Path, sql: str, database: str = "shop.duckdb") -> list[tuple[Any, ...]]:
    """Ask the project's database, on a connection of its own."""
    import duckdb

    with duckdb.connect(str(root / database)) as connection:
        return connection.execute(sql).fetchall()


def results(root: Path, target: str = "target") -> dict[str, dict[str, Any]]:
    """`run_results.json` by unique_id."""
    document = json.loads((root / target / "run_results.json").read_text())
    return {result["unique_id"]: result for result in document["results"]}


def manifest(root: Path, target: str = "target") -> dict[str, Any]:
    """`manifest.json` as it was written."""
    found: dict[str, Any] = json.loads((root / target / "manifest.json").read_text())
    return found


def compiled(root: Path, path: str, package: str = "shop", target: str = "target") -> str:
    """The compiled SQL of one file."""
    return (root / target / "compiled" / package / path).read_text()
