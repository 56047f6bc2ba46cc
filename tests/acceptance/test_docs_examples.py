"""Every command of the tutorial and the how-to pages is typed, in the order of the page, and prints what the page shows.

A ```shell block is run, line by line; `# exit code 2` at a line's end says how it ends. A ```text block shows lines that the blocks
before it printed, with other numbers. A block with a title is a file, which is written.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support import postgres as server
from support.cli import PROFILES, project, understudy

from understudy.parse import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FENCE = re.compile(
    r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
EXIT = re.compile(r"#\s*exit code (\d)\s*$")
NUMBER = re.compile(r"\d[\d.,:]*(?: (?:min|h|days?))?")
SHOP = {
    "models/customers.sql": "{{ config(materialized='table') }} select 1 as id, 'Ann' as name",
    "models/reader_of_customers.sql": "select * from {{ ref('customers') }}",
    "models/orders.sql": "{{ config(materialized='table') }} select 1 as id, 1 as customer_id, 10 as amount",
    "models/events.sql": (
        "{{ config(materialized='incremental', unique_key='id', event_time='at') }}\n"
        "select id, cast('2026-01-01' as timestamp) as at from {{ ref('orders') }}"
    ),
    "models/schema.yml": """
        models:
          - name: orders
            columns:
              - name: customer_id
                data_tests:
                  - relationships: {arguments: {to: ref('customers'), field: id}}
        """,
    "macros/drop_in_production.sql": (
        "{% macro drop_in_production(name) %}{% do run_query('drop table prod.' ~ name) %}{% endmacro %}"
    ),
}  # fmt: skip


@dataclass
class Terminal:
    """A shell in a folder, with `understudy`, `dbt` and `python` on its path."""

    folder: Path
    environ: Mapping[str, str]
    said: list[str] = field(default_factory=list)

    def type(self, line: str) -> None:
        """One line; a command of ours in this process, for speed. Fails when it ends otherwise than the line says."""
        code = int(found[1]) if (found := EXIT.search(line)) else 0
        if line.startswith("cd "):
            self.folder = self.folder / line[3:].strip()
            return
        words = shlex.split(line, comments=True)
        given = list(itertools.takewhile(lambda word: "=" in word, words))
        words = words[len(given) :]
        if words[0] == "understudy" and not {">", ">>", "|", "&&"} & set(words):
            env = {"NO_COLOR": "1", "COLUMNS": "120", **dict(word.split("=", 1) for word in given)}
            done = understudy(*words[1:], cwd=self.folder, env=env)
            ended, said = done.exit_code, done.out + done.err
        else:
            ran = subprocess.run(
                ["bash", "-c", line], cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False
            )
            ended, said = ran.returncode, ran.stdout + ran.stderr
        assert ended == code, f"{line}\n{said}"
        self.said += said.splitlines()

    def follow(self, page: str) -> Iterator[str]:
        """Do what a page says; gives the lines that it shows and that nothing printed."""
        shown = False
        for fence in FENCE.finditer((DOCS / page).read_text(encoding="utf-8")):
            language, title, text = fence["language"], fence["title"], fence["text"]
            if title:
                (self.folder / title).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / title).write_text(text)
            elif language == "shell":
                if shown:
                    self.said.clear()
                    shown = False
                for line in text.replace("\\\n", " ").splitlines():
                    if line.strip():
                        self.type(line)
            elif language == "text":
                shown = True
                printed = {plain(line) for line in self.said}
                yield from (
                    line for line in text.splitlines() if line.strip() and not any(plain(line) in p for p in printed)
                )


def plain(line: str) -> str:
    """A line without its numbers and its white space."""
    return " ".join(NUMBER.sub("N", line).split())


@pytest.fixture
def environ(tmp_path: Path, oracle_bin: Path) -> dict[str, str]:
    """Programs by the names that people type."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, command in {
        "understudy": f"{sys.executable} -m understudy",
        "python": sys.executable,
        "dbt": str(oracle_bin / "dbt"),
        "pip": "true",  # it is installed already
    }.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (programs / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DBT_", "GIT_"))}
    return {**kept, "PATH": f"{programs}:{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "120"}


def shop(root: Path) -> Path:
    ci = "    ci: {type: duckdb, path: shop.duckdb, schema: \"ci_pr_{{ env_var('PR_NUMBER', '0') }}\"}\n"
    return project(root, {**SHOP, "profiles.yml": PROFILES + ci})


def build(terminal: Terminal) -> None:
    terminal.type("understudy build --target prod --target-path prod-artifacts --quiet")


def test_the_tutorial(tmp_path: Path, environ: dict[str, str]) -> None:
    left_out = shutil.ignore_patterns("target", "logs", "*.duckdb", "*-artifacts", "raw", ".understudy")
    shutil.copytree(ROOT / "examples/ecommerce", tmp_path / "clone/examples/ecommerce", ignore=left_out)
    assert list(Terminal(tmp_path / "clone", environ).follow("tutorial/index.md")) == []


def test_troubleshooting(tmp_path: Path, environ: dict[str, str]) -> None:
    terminal = Terminal(shop(tmp_path / "shop"), environ)
    build(terminal)
    assert list(terminal.follow("how-to/troubleshooting.md")) == []


def test_moving_from_dbt(tmp_path: Path, environ: dict[str, str]) -> None:
    terminal = Terminal(shop(tmp_path / "shop"), environ)
    with (terminal.folder / "dbt_project.yml").open("a") as file:
        file.write("flags: {state_modified_compare_more_unrendered_values: true}\n")
    assert list(terminal.follow("how-to/move-from-dbt.md")) == []
    assert not any(line.startswith("shop.") for line in terminal.said[-3:])  # dbt lists nothing that is modified


# Pipelines: the steps of the files, on a real server


class Pipeline:
    """The jobs of a file of continuous integration, run by hand: what it `uses` is played, what it `run`s is run."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.database = "analytics"
        private = server.server()
        server.emptied(private, self.database)
        profile = next(
            fence["text"]
            for fence in FENCE.finditer((DOCS / "how-to/slim-ci-github.md").read_text())
            if fence["title"] == "profiles.yml"
        )
        macro = next(
            fence["text"]
            for fence in FENCE.finditer((DOCS / "how-to/slim-ci-github.md").read_text())
            if fence["title"] == "macros/drop_ci_schema.sql"
        )
        self.folder = project(
            folder,
            {**SHOP, "profiles.yml": profile.replace("port: 5432", f"port: {private.port}"), "macros/drop.sql": macro},
        )
        self.environ = {
            **environ, "WAREHOUSE_HOST": str(private.host), "WAREHOUSE_USER": private.user, "WAREHOUSE_PASSWORD": private.password,
            "PR_NUMBER": "7", "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        }  # fmt: skip
        self.artifacts = folder.parent / "kept"

    def run(self, script: str) -> None:
        ran = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, f"{script}\n{ran.stdout}{ran.stderr}"

    def keep(self, paths: list[str]) -> None:
        """What an upload of artifacts does: the files, without the folder that they have in common."""
        for path in paths:
            (self.artifacts / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.folder / path, self.artifacts / path)
        shutil.rmtree(self.folder / "prod-artifacts")

    def program(self, name: str, script: str) -> None:
        """A program of the service's."""
        path = Path(self.environ["PATH"].split(":")[0], name)
        path.write_text(f"#!/usr/bin/env bash\nset -e\n{script}\n")
        path.chmod(0o755)

    def change(self) -> None:
        (self.folder / "models/orders.sql").write_text(SHOP["models/orders.sql"].replace("10", "11"))

    def tables(self, schema: str) -> set[str]:
        found = server.sql(
            server.server(),
            f"select table_name from information_schema.tables where table_schema = '{schema}'",
            database=self.database,
        )
        return {name for (name,) in found}


def test_the_workflow_of_github(tmp_path: Path, environ: dict[str, str]) -> None:
    jobs = yaml.load((DOCS / "how-to/files/slim-ci.yml").read_text(), "slim-ci.yml")["jobs"]
    pipeline = Pipeline(tmp_path / "shop", environ)
    pipeline.program(
        "gh",
        f'[ "$2" = list ] && echo 123 && exit; [ "$*" = "run download 123 --name prod-artifacts --dir prod-artifacts" ]\n'
        f"mkdir -p prod-artifacts; cp {pipeline.artifacts}/prod-artifacts/* prod-artifacts/",
    )

    def play(job: str) -> None:
        for step in jobs[job]["steps"]:
            if "run" in step:
                pipeline.run(step["run"])
            elif step["uses"].startswith("actions/upload-artifact@"):
                pipeline.keep(step["with"]["path"].split())

    play("production")
    assert pipeline.tables("prod") == {"customers", "orders", "events", "reader_of_customers"}
    pipeline.change()
    play("pull-request")
    assert pipeline.tables("ci_pr_7") == {"orders", "events"}
    summary = (pipeline.folder / "summary.md").read_text()
    assert "changed body" in summary
    assert "from nothing" in summary
    play("clean-up")
    assert pipeline.tables("ci_pr_7") == set()
    assert pipeline.tables("prod")


def test_the_pipeline_of_gitlab(tmp_path: Path, environ: dict[str, str]) -> None:
    jobs: dict[str, Any] = yaml.load((DOCS / "how-to/files/gitlab-slim-ci.yml").read_text(), "gitlab-slim-ci.yml")
    pipeline = Pipeline(tmp_path / "shop", environ)
    pipeline.environ |= {
        "CI_JOB_TOKEN": "x", "CI_API_V4_URL": "https://git.example.com/api/v4", "CI_PROJECT_ID": "1", "CI_DEFAULT_BRANCH": "main",
    }  # fmt: skip
    address = "https://git.example.com/api/v4/projects/1/jobs/artifacts/main/download?job=production"
    pipeline.program(
        "curl",
        f'for each; do last=$each; done; [ "$last" = "{address}" ]\n'
        f"to=$PWD/prod-artifacts.zip; cd {pipeline.artifacts}; python -m zipfile -c $to prod-artifacts",
    )

    def play(job: str) -> None:
        for line in (*jobs["default"]["before_script"], *jobs[job]["script"]):
            pipeline.run(line)
        if "artifacts" in jobs[job]:
            pipeline.keep(jobs[job]["artifacts"]["paths"])

    play("production")
    pipeline.change()
    play("merge-request")
    assert pipeline.tables("ci_pr_7") == {"orders", "events"}
    play("drop-schema")
    assert pipeline.tables("ci_pr_7") == set()
    assert pipeline.tables("prod") == {"customers", "orders", "events", "reader_of_customers"}


@pytest.mark.parametrize(
    ("file", "schema"),
    [("slim-ci.yml", "vendor.github-workflows"), ("gitlab-slim-ci.yml", "vendor.gitlab-ci")],
)
def test_the_files_are_what_the_services_read(file: str, schema: str) -> None:
    """By the services' own schemas, which the checker ships."""
    path = DOCS / "how-to/files" / file
    checker = [str(Path(sys.executable).with_name("check-jsonschema")), "--builtin-schema", schema]
    ran = subprocess.run([*checker, str(path)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_the_checker_finds_what_is_wrong(tmp_path: Path) -> None:
    wrong = (DOCS / "how-to/files/slim-ci.yml").read_text().replace("runs-on: ubuntu-latest\n", "", 1)
    (tmp_path / "slim-ci.yml").write_text(wrong)
    checker = [str(Path(sys.executable).with_name("check-jsonschema")), "--builtin-schema", "vendor.github-workflows"]
    assert subprocess.run([*checker, str(tmp_path / "slim-ci.yml")], capture_output=True, check=False).returncode == 1


def test_the_site_is_built_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    """Strictly: a link or an anchor that leads nowhere, or a page that the navigation forgot, is an error."""
    program = str(Path(sys.executable).with_name("mkdocs"))
    ran = subprocess.run(
        [program, "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "site/how-to/troubleshooting.html").is_file()
