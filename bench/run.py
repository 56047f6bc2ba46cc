"""The table of speeds: understudy against dbt 1.11, as whole processes, in pairs, on this machine in this run.

usage: run.py [--sizes 100,1000] [--runs 5] [--only TEXT] [--no-dbt]

Each row runs both programs in turn (A B A B ...), after one warm-up, and reports medians, their ratio and the budget.
Absolute times drift with the machine; the ratios are what to read. Writes bench/results.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WORK = HERE / "work"
OURS = [sys.executable, "-m", "understudy"]
DBT = [str(Path(os.environ.get("UNDERSTUDY_ORACLE", ROOT / ".venv-dbt")) / "bin" / "dbt")]
QUIET_DBT = ["--no-send-anonymous-usage-stats", "--log-level-file", "none", "--quiet"]


@dataclass(frozen=True)
class Measure:
    """One finished process: wall seconds, peak resident memory in MB."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Side:
    """What one program does for a row: a command, and what to do before each run (not measured)."""

    command: Sequence[str]
    cwd: Path
    prepare: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Row:
    """One line of the table. `budget`: how many times faster than the peer (or, for memory, smaller) it has to be."""

    name: str
    ours: Side
    theirs: Side | None
    budget: float | None
    memory: bool = False
    peer: str = "dbt"


@dataclass
class Outcome:
    """A measured row, as it is written to results.json."""

    name: str
    ours: float
    dbt: float | None
    ratio: float | None
    budget: float | None
    unit: str
    peer: str = "dbt"
    runs: list[list[float]] = field(default_factory=list)


def run(side: Side) -> Measure:
    """Run the command once; stop the benchmark when it fails, for a failed run measures nothing."""
    side.prepare()
    log = WORK / "last.log"
    with log.open("wb") as out:
        start = time.perf_counter()
        process = subprocess.Popen(side.command, cwd=side.cwd, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(side.command)} failed in {side.cwd}:\n{log.read_text()[-2000:]}")
    return Measure(seconds, usage.ru_maxrss / 1024)


def measure(row: Row, runs: int) -> Outcome:
    """Measure both sides in turn; the first pair is a warm-up and is thrown away."""
    sides = [row.ours] + ([row.theirs] if row.theirs else [])
    pairs = [[run(side) for side in sides] for _ in range(runs + 1)][1:]
    figure = (lambda m: m.megabytes) if row.memory else (lambda m: m.seconds)
    medians = [statistics.median(figure(pair[side]) for pair in pairs) for side in range(len(sides))]
    dbt = medians[1] if row.theirs else None
    return Outcome(
        name=row.name,
        ours=medians[0],
        dbt=dbt,
        ratio=dbt / medians[0] if dbt else None,
        budget=row.budget,
        unit="MB" if row.memory else "s",
        peer=row.peer,
        runs=[[round(figure(m), 4) for m in pair] for pair in pairs],
    )


def synthetic(n: int, program: str) -> Path:
    """A generated project of n models for one program, with its parsed production state in `prod/`."""
    root = WORK / f"{program}-{n}"
    if not root.exists():
        subprocess.run([sys.executable, str(HERE / "gen_project.py"), str(root), str(n)], check=True)
        command = OURS if program == "understudy" else [*DBT, *QUIET_DBT]
        run(Side([*command, "parse", "--target", "prod", "--target-path", "prod"], root))
    return root


def edit(root: Path) -> Callable[[], None]:
    """Change one model, to something new each time."""
    model = sorted((root / "models/marts").glob("*.sql"))[0]
    original = model.read_text()
    return lambda: model.write_text(f"{original}\n-- edited at {time.time_ns()}\n") and None


def forget(root: Path) -> Callable[[], None]:
    """Throw away what a program remembers of the last parse."""
    return lambda: shutil.rmtree(root / "target", ignore_errors=True)


def rows(sizes: Sequence[int], dbt: bool) -> Iterator[Row]:
    """All rows of the table, each prepared when its turn comes."""

    def row(name: str, budget: float | None, side: Callable[[str, list[str]], Side], *, memory: bool = False) -> Row:
        theirs = side("dbt", [*DBT, *QUIET_DBT]) if dbt else None
        return Row(name, side("understudy", OURS), theirs, budget, memory)

    yield row("--version", 20, lambda _, command: Side([command[0], *_module(command), "--version"], WORK))
    yield row("--help", 20, lambda _, command: Side([command[0], *_module(command), "--help"], WORK))
    for n in sizes:
        yield from project_rows(n, row)
    yield from demo_rows(row)


def _module(command: Sequence[str]) -> list[str]:
    return ["-m", "understudy"] if command[0] == sys.executable else []


def project_rows(n: int, row: Callable[..., Row]) -> Iterator[Row]:
    """What is measured on a generated project of n models."""

    def listing(program: str, command: list[str]) -> Side:
        return Side([*command, "ls", "-s", "tag:mart"], synthetic(n, program))

    def cold(program: str, command: list[str]) -> Side:
        root = synthetic(n, program)
        return Side([*command, "parse"], root, forget(root))

    def edited(program: str, command: list[str]) -> Side:
        root = synthetic(n, program)
        return Side([*command, "ls", "-s", "state:modified+", "--state", "prod"], root, edit(root))

    def one(program: str, command: list[str]) -> Side:
        root = synthetic(n, program)
        model = sorted((root / "models/staging").glob("*.sql"))[-1].stem
        return Side(
            [*command, "compile", "-s", model, "--defer", "--state", "prod", "--favor-state", *_unverified(program)],
            root,
        )

    def full(_: str, command: list[str]) -> Side:
        return Side([*command, "build", "--target", "dev"], synthetic(n, "understudy" if command == OURS else "dbt"))

    yield row(f"cold parse, {n} models", 12, cold)
    yield row(f"nothing changed: ls -s tag:mart, {n}", 20, listing)
    yield row(f"one file edited: ls -s state:modified+, {n}", 20, edited)
    yield row(f"compile one model, deferred, {n}", 40, one)
    yield row(f"peak memory of ls, {n}", 4, listing, memory=True)
    if n <= FULL_BUILDS_OF_DBT:
        yield row(f"full build, {n} models", None, full)
    root = synthetic(n, "understudy")
    bare = Side([sys.executable, str(HERE / "bare.py"), str(root)], root)
    yield Row(f"full build, {n} models, against its statements", full("understudy", OURS), bare, 1 / 1.2, peer="bare")


FULL_BUILDS_OF_DBT = 100
"""dbt builds larger projects for minutes; its overhead per node is measured on this size."""


def overhead(outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
    """Engine overhead per node: what a full build takes beyond its bare statements, shared among models, tests and seed."""
    found = {outcome.name: outcome for outcome in outcomes}
    n = FULL_BUILDS_OF_DBT
    whole, bare = found.get(f"full build, {n} models"), found.get(f"full build, {n} models, against its statements")
    if whole is None or bare is None or whole.dbt is None or bare.dbt is None:
        return
    nodes = 3 * n + 1
    ours, dbt = ((seconds - bare.dbt) * 1000 / nodes for seconds in (whole.ours, whole.dbt))
    yield Outcome("overhead per view, table or test", ours, dbt, dbt / ours, 12, "ms")


def _unverified(program: str) -> list[str]:
    return ["--no-verify-state"] if program == "understudy" else []


def demo_rows(row: Callable[..., Row]) -> Iterator[Row]:
    """The slim build of the e-commerce demo: one mart changed, everything else read from production."""

    def slim(program: str, command: list[str]) -> Side:
        root = WORK / f"{program}-demo"
        if not root.exists():
            ignore = shutil.ignore_patterns("*.duckdb", "target", "logs", "prod-artifacts")
            shutil.copytree(ROOT / "examples/ecommerce", root, ignore=ignore)
            subprocess.run([sys.executable, "generate_data.py"], cwd=root, check=True, stdout=subprocess.DEVNULL)
            run(Side([*command, "build", "--target", "prod", "--target-path", "prod-artifacts"], root))
            mart = root / "models/marts/mart_daily_sales.sql"
            mart.write_text(f"{mart.read_text()}\n-- changed\n")
        args = ["build", "-s", "state:modified+", "--defer", "--state", "prod-artifacts", "--target", "dev"]
        return Side([*command, *args], root)

    yield row("slim build of the demo, one mart changed", 8, slim)


def report(outcomes: Sequence[Outcome]) -> str:
    """The table as text."""
    lines = [f"{'what':<52} {'understudy':>12} {'peer':>17} {'ratio':>8} {'budget':>8}"]
    for outcome in outcomes:
        dbt = f"{outcome.peer} {outcome.dbt:.3f} {outcome.unit}" if outcome.dbt else "-"
        ratio = f"{outcome.ratio:.1f}x" if outcome.ratio else "-"
        budget = f"{outcome.budget:.3g}x" if outcome.budget else "-"
        lines.append(f"{outcome.name:<52} {f'{outcome.ours:.3f} {outcome.unit}':>12} {dbt:>17} {ratio:>8} {budget:>8}")
    return "\n".join(lines)


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {"python": platform.python_version(), "system": platform.system(), "cores": os.cpu_count()}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", default="100,1000")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="rows whose name contains this text")
    parser.add_argument("--no-dbt", action="store_true", help="measure understudy alone")
    args = parser.parse_args()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir()
    outcomes = []
    for row in rows([int(n) for n in args.sizes.split(",")], not args.no_dbt):
        if args.only in row.name:
            outcomes.append(measure(row, args.runs))
            print(report(outcomes[-1:]).splitlines()[1], flush=True)
    outcomes += overhead(outcomes)
    print("\n" + report(outcomes))
    document = {"machine": machine(), "runs": args.runs, "rows": [asdict(outcome) for outcome in outcomes]}
    (HERE / "results.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
