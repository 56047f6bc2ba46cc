#!/usr/bin/env python3
"""The demo: build production, change a model, and build just what the change touches.

It works on a copy of this project in a scratch folder, shows every command before it runs it (each can be typed by
hand in that folder), checks what came out, and measures what deferral saves. The exit code is 1 if any step did not do
what it should.

    make demo                                    # from the top of the repository; ENGINE=postgres, ENGINE=spark
    python demo.py --scale 0.2                   # with less data
    python demo.py --command path/to/understudy  # with another installation
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines import ENGINES, Engine

WIDTH = 92
HERE = Path(__file__).resolve().parent
STATE = "prod-artifacts"
RAW = "raw_data"
LEFT_BEHIND = (
    "target", "logs", STATE, RAW, "__pycache__", "*.duckdb", "*.duckdb.wal", "spark-warehouse", "metastore_db",
)  # fmt: skip
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

ALL_MODELS = 14
MART_CHANGE = {"mart_daily_sales", "mart_marketing_campaigns"}
INTERMEDIATE_CHANGE = MART_CHANGE | {"int_orders", "int_customer_history", "mart_customers"}


class Unexpected(Exception):
    """A step did not do what it should; the text says what was expected and what came."""


@dataclass(frozen=True)
class Built:
    """What one build did: names of the models, number of tests, seconds as a person waits for them."""

    models: frozenset[str]
    tests: int
    warnings: int
    seconds: float


class Paper:
    """What the demo prints on: colours on a terminal, plain text elsewhere or with NO_COLOR."""

    def __init__(self) -> None:
        terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self.colours = terminal and not os.environ.get("NO_COLOR")
        if isinstance(sys.stdout.encoding, str) and "utf" not in sys.stdout.encoding.lower():
            sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colours else text

    def line(self, text: str = "", code: str = "") -> None:
        print(self.paint(text, code) if code else text, flush=True)

    def title(self, number: int, text: str) -> None:
        self.line()
        self.line(f"── {number}. {text} ".ljust(WIDTH, "─"), "1;36")
        self.line()

    def said(self, text: str) -> None:
        self.line(f"  {text}")

    def good(self, text: str) -> None:
        self.line(f"  {self.paint('✓', '1;32')} {text}")

    def output(self, lines: list[str], head: int, tail: int, *, diff: bool = False) -> None:
        """Print a command's lines, the middle folded where they are more than head + tail."""
        folded = len(lines) - head - tail
        if folded > 1:
            lines = [*lines[:head], f"... {folded} more lines ...", *lines[len(lines) - tail :]]
        for text in lines:
            code = {"+": "32", "-": "31", "@": "2"}.get(text[:1], "") if diff else ""
            self.line(f"  | {text}", code)
        self.line()


class Demo:
    """The project's copy, the command that builds it, and what was measured."""

    def __init__(
        self, paper: Paper, project: Path, command: Path, engine: Engine, variables: Mapping[str, str]
    ) -> None:
        self.paper, self.project, self.name, self.engine = paper, project, command.name, engine
        # Settings of the person's own shell would change what the commands do; only the demo's count.
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("DBT_") and key != "PR_NUMBER"
        }
        folders = [str(command.parent), str(Path(sys.executable).parent), self.environment.get("PATH", "")]
        self.environment |= {"PATH": os.pathsep.join(folders), "NO_COLOR": "1", "PYTHONUTF8": "1", "DO_NOT_TRACK": "1"}
        self.environment |= variables

    def run(
        self, command: str, *, head: int = 4, tail: int = 4, keep: str = "", diff: bool = False
    ) -> tuple[list[str], float]:
        """Show a command, run it in a shell, and print its output: of many lines the first and last ones,
        or just those that match `keep`, where some do.

        Returns all lines and the seconds that it took; raises Unexpected if it fails.
        """
        self.paper.line(f"  {self.paper.paint('$', '2')} {self.paper.paint(command, '1')}")
        started = time.perf_counter()
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        seconds = time.perf_counter() - started
        lines = [line for line in ESCAPES.sub("", done.stdout).splitlines() if line.strip()]
        if done.returncode:
            self.paper.output(lines, 40, 40)
            raise Unexpected(f"exit code 0 was expected, {done.returncode} came from: {command}")
        kept = [line for line in lines if re.search(keep, line)] if keep else []
        self.paper.output(kept or lines, len(kept) or head, tail, diff=diff)
        return lines, seconds

    def build(self, arguments: str, expected: set[str] | int, *, variable: str = "", head: int = 4) -> Built:
        """Run `build`, read what it did from run_results.json, and compare the models with the expected ones."""
        prefix = f"{variable} " if variable else ""
        _, seconds = self.run(f"{prefix}{self.name} build {arguments}", head=head)
        results = self.read_json("target/run_results.json")["results"]
        built = summarize(results, seconds)
        right = len(built.models) == expected if isinstance(expected, int) else built.models == expected
        if not right:
            wanted = expected if isinstance(expected, int) else ", ".join(sorted(expected))
            raise Unexpected(f"models that were to be built: {wanted}; built: {', '.join(sorted(built.models))}")
        names = f": {', '.join(sorted(built.models))}" if len(built.models) < 10 else ""
        self.paper.good(f"{count(len(built.models), 'model')} built{names}")
        note = f", {count(built.warnings, 'warning')}" if built.warnings else ""
        self.paper.good(f"{count(built.tests, 'test')} passed{note}; {built.seconds:.2f} s in all")
        return built

    def read_json(self, name: str) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self.project / name).read_text(encoding="utf-8"))
        return data

    def check_reads(self, models: set[str], expected: dict[str, str]) -> None:
        """Compare the schemas that the compiled SQL of some models reads with the expected ones.

        `expected` maps a parent's name to its schema; "*" stands for all others.
        """
        nodes = self.read_json("target/manifest.json")["nodes"]
        for name in sorted(models):
            node = nodes[f"model.ecommerce.{name}"]
            for parent in node["depends_on"]["nodes"]:
                table = parent.rsplit(".", 1)[1]
                found = set(re.findall(rf'(\w+)["`]?\.["`]?{table}\b', node["compiled_code"]))
                wanted = expected.get(table, expected["*"])
                if found != {wanted}:
                    raise Unexpected(f"{name} was to read {wanted}.{table}; it reads {sorted(found)}")

    def edit(self, change: str) -> None:
        self.run(f"python changes.py {change}", head=60, diff=True)


def summarize(results: list[dict[str, Any]], seconds: float) -> Built:
    """Sort the entries of run_results.json into models and tests."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        by_kind.setdefault(result["unique_id"].split(".", 1)[0], []).append(result)
    tests = by_kind.get("test", [])
    built = (row["unique_id"].rsplit(".", 1)[1] for row in by_kind.get("model", []) if row["status"] == "success")
    return Built(
        models=frozenset(built),
        tests=sum(row["status"] == "pass" for row in tests),
        warnings=sum(row["status"] == "warn" for row in tests),
        seconds=seconds,
    )


def count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def step_production(demo: Demo) -> None:
    demo.paper.title(2, "Production: the whole project, and its state kept")
    demo.build("--target prod", ALL_MODELS)
    demo.paper.line()
    demo.run(f"mkdir -p {STATE} && cp target/manifest.json target/run_results.json {STATE}/")
    demo.paper.said(f"{STATE}/ now knows what production is made of. A real production job does the same.")


def step_mart(demo: Demo) -> Built:
    demo.paper.title(3, "A new metric in mart_daily_sales: build just that, and let production stand in")
    demo.edit("mart")
    lines, _ = demo.run(
        f"{demo.name} ls -s state:modified+ --state {STATE} --resource-type model", keep=r"^ecommerce\."
    )
    listed = {line.rsplit(".", 1)[1] for line in lines if line.startswith("ecommerce.")}
    if listed != MART_CHANGE:
        raise Unexpected(f"`ls` was to list {sorted(MART_CHANGE)}; it listed {sorted(listed)}")
    built = demo.build(slim("dev"), MART_CHANGE, head=24)
    demo.check_reads(MART_CHANGE, {"mart_daily_sales": "dev", "*": "prod"})
    demo.paper.good("they read prod for all that was not built, and dev for mart_daily_sales, which was")
    return built


def step_references(demo: Demo) -> None:
    demo.paper.title(4, "Where each reference goes, and why")
    one, path = "mart_marketing_campaigns", "target/compiled/ecommerce/models/marts/mart_marketing_campaigns.sql"
    demo.paper.said("`dev` now has mart_daily_sales, and nothing else that this mart needs:")
    demo.paper.line()
    compile_one = f"{demo.name} compile -s {one} --defer --state {STATE} --target dev"
    grep = f"grep -Eo '{demo.engine.name_of}' {path} | sort -u"
    demo.run(f"{compile_one} --debug", keep=r"\bref\b.* -> ", head=2, tail=2)
    demo.run(grep)
    demo.check_reads({one}, {"mart_daily_sales": "dev", "*": "prod"})
    demo.paper.said("With --favor-state production wins, whatever dev has:")
    demo.paper.line()
    demo.run(f"{compile_one} --favor-state --debug", keep=r"\bref\b.* -> ", head=2, tail=2)
    demo.run(grep)
    demo.check_reads({one}, {"*": "prod"})
    demo.paper.good("the same code, another place to read from: no file was changed for it")


def step_intermediate(demo: Demo) -> Built:
    demo.paper.title(6, "Deeper down: a new column in int_orders, which four models depend on")
    demo.edit("intermediate")
    built = demo.build(slim("dev"), INTERMEDIATE_CHANGE, head=16)
    demo.check_reads(INTERMEDIATE_CHANGE, dict.fromkeys(INTERMEDIATE_CHANGE, "dev") | {"*": "prod"})
    demo.paper.good("the five read each other in dev; staging, the seed and int_order_lines come from prod")
    return built


def step_whole(demo: Demo, number: int, pull_request: int) -> Built:
    demo.paper.title(number, "The same without deferral: everything, into a schema of its own")
    return demo.build("--target ci", ALL_MODELS, variable=f"PR_NUMBER={pull_request}")


def slim(target: str) -> str:
    return f"-s state:modified+ --defer --state {STATE} --target {target}"


def print_table(paper: Paper, rows: list[tuple[str, Built, Built]]) -> None:
    """The closing table. Seconds are what a person waits, start of the program included."""
    paper.title(8, "What it saves")
    paper.line(f"  {'':26}{'without defer':>20}{'with defer':>20}{'saved':>20}", "1")
    for label, whole, part in rows:
        models, seconds = len(whole.models) - len(part.models), whole.seconds - part.seconds
        cells = (
            f"{count(len(whole.models), 'model')} {whole.seconds:6.2f} s",
            f"{count(len(part.models), 'model')} {part.seconds:6.2f} s",
            f"{count(models, 'model')} {round(100 * seconds / whole.seconds):5d} %",
        )
        paper.line(f"  {label:26}" + "".join(f"{cell:>20}" for cell in cells))
    paper.line()
    paper.said("Measured just now, on this machine, start-up included. The data is small and local; where a")
    paper.said("model takes minutes, the models that are not built are what counts.")


def print_farewell(demo: Demo) -> None:
    paper, name = demo.paper, demo.name
    paper.line()
    paper.line("── Your turn ".ljust(WIDTH, "─"), "1;36")
    paper.line()
    if not demo.engine.lasts:
        paper.said(f"The project, changed as above, is in {demo.project}.")
        paper.said(
            "Its server is gone. On one of your own: set PGHOST, PGUSER and PGPASSWORD, and start the demo again."
        )
        return
    paper.said("The project is still there, changed as above, with its warehouse:")
    paper.line()
    paper.line(f"    cd {shlex.quote(str(demo.project))}", "1")
    if shutil.which(name) is None:
        paper.line(f"    export PATH={shlex.quote(demo.environment['PATH'].split(os.pathsep)[0])}:$PATH", "1")
    paper.line(f"    {name} ls -s state:modified --state {STATE}", "1")
    paper.line(f"    {name} build -s mart_customers --defer --state {STATE} --target dev", "1")
    paper.line(f"    {name} build -s state:modified+ --state {STATE} --target ci      # no --defer: it fails", "1")
    paper.line("    python changes.py mart --undo", "1")
    paper.line()
    paper.said("README.md in it is the tutorial. The folder may be deleted at any time.")


def play(demo: Demo, scale: float) -> None:
    demo.paper.title(1, "Raw data: seven tables of a web shop")
    size = f" --scale {scale:g}" if scale != 1 else ""
    if demo.engine.load is None:
        demo.run(f"python generate_data.py{size}", head=10)
    else:
        demo.run(f"python generate_data.py{size} --csv {RAW}", head=10)
        demo.run(f"python engines.py {demo.engine.name} {RAW}")
    step_production(demo)
    mart = step_mart(demo)
    step_references(demo)
    whole_mart = step_whole(demo, 5, 101)
    intermediate = step_intermediate(demo)
    whole_intermediate = step_whole(demo, 7, 102)
    rows = [("mart_daily_sales changed", whole_mart, mart), ("int_orders changed", whole_intermediate, intermediate)]
    print_table(demo.paper, rows)
    print_farewell(demo)


def prepare(scratch: Path | None, engine: Engine) -> Path:
    """Copy the project, without what runs leave behind, to an empty or new folder, with the engine's profile; returns it."""
    if scratch is None:
        scratch = Path(tempfile.mkdtemp(prefix="understudy-demo-"))
    elif scratch.exists() and any(scratch.iterdir()):
        raise Unexpected(f"{scratch} is not empty; name a new folder")
    project = scratch.resolve() / "ecommerce"
    shutil.copytree(HERE, project, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    if engine.profile is not None:
        shutil.copy(engine.profile, project / "profiles.yml")
    return project


def find_command(given: str | None) -> Path:
    """The program to run, absolute: the given one, or `understudy` beside this Python, or on the PATH."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(given) if given else shutil.which("understudy", path=beside) or shutil.which("understudy")
    if found is None:
        raise Unexpected(f"there is no command {given or 'understudy'}; `make demo` installs it")
    return Path(os.path.abspath(found))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Change a model, build just that, let production stand in.")
    parser.add_argument("--engine", choices=ENGINES, default="duckdb", help="where it runs (%(default)s)")
    parser.add_argument("--command", help="the program to run (the `understudy` beside this Python)")
    parser.add_argument("--scale", type=float, help="how much data; 1 is 200,000 rows (1, and 0.02 on Spark)")
    parser.add_argument("--scratch", type=Path, help="folder to work in (a new temporary one)")
    options = parser.parse_args(argv)

    paper, engine = Paper(), ENGINES[options.engine]
    try:
        command = find_command(options.command)
        project = prepare(options.scratch, engine)
        paper.line(f"{command.name} demo · {engine.name} · working in {project}", "1")
        if engine.note:
            paper.line(engine.note)
        with engine.server() as variables:
            play(Demo(paper, project, command, engine, variables), options.scale or engine.scale)
    except Unexpected as problem:
        paper.line()
        paper.line(f"  ✗ {problem}", "1;31")
        return 1
    except KeyboardInterrupt:
        paper.line("\n  interrupted", "1;31")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
