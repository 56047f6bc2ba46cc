"""What is measured: the table of speeds, a row at a time, each prepared when its turn comes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from measure import LEAST, Outcome, Row, Runs, Side, after_the_first, environment, measure, megabytes, own, run, seconds

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WORK = HERE / "work"
OURS = [str(Path(sys.executable).with_name("understudy"))]
VENV_DBT = Path(os.environ.get("UNDERSTUDY_ORACLE", ROOT / ".venv-dbt"))
DBT = [str(VENV_DBT / "bin" / "dbt")]
QUIET_DBT = ["--no-send-anonymous-usage-stats", "--log-level-file", "none", "--quiet"]

FULL = 1000
"""Models of the project that is built whole, beside its bare statements."""
NODES = 100
"""Views of the project on which the overhead per node is measured; dbt takes seconds for it."""
SCALE = 10_000
"""From this size on the table ends with a build of that many views and twice as many tests."""

Cell = tuple[float | None, float | None]
"""(budget, guide)."""
COLD: dict[int, Cell] = {1000: (12, 0.8), 10_000: (12, 6)}
LISTED: dict[int, Cell] = {1000: (20, 0.25), 10_000: (60, 1)}
EDITED: dict[int, Cell] = {1000: (20, 0.3), 10_000: (60, 1.2)}
COMPILED: dict[int, Cell] = {5000: (40, 0.5)}
MEMORY: dict[int, Cell] = {10_000: (4, 200)}
NONE: Cell = (None, None)


@dataclass(frozen=True)
class Bench:
    """How to measure: so many runs, with dbt or without, only rows whose name contains a text."""

    runs: int
    dbt: bool
    only: str = ""

    def wants(self, *names: str) -> bool:
        """Whether any of these rows is asked for."""
        return any(self.only in name for name in names)

    def measured(self, row: Row) -> Runs:
        """The row's runs."""
        return measure(row if self.dbt or row.peer != "dbt" else replace(row, theirs=None), self.runs)

    def row(self, row: Row) -> Iterator[Outcome]:
        """The row's line, where it is asked for."""
        if self.wants(row.what):
            yield self.measured(row).outcome(row, "s", seconds)


def rows(sizes: Sequence[int], bench: Bench) -> Iterator[Outcome]:
    """All rows of the table."""
    for flag in ("--version", "--help"):
        yield from bench.row(Row(flag, Side([*OURS, flag], WORK), Side([*DBT, flag], WORK), budget=20, guide=0.10))
    for n in sizes:
        yield from parsed(n, bench)
    yield from slim(bench)
    yield from overhead(bench)
    yield from full(bench)
    if max(sizes) >= SCALE:
        yield from scale(bench)


def parsed(n: int, bench: Bench) -> Iterator[Outcome]:
    """What reads a project of n models. The first row leaves a parse behind for the ones below."""
    names = ("cold parse", "nothing changed: ls -s tag:mart", "one file edited: ls -s state:modified+")
    compiled, memory = "compile -s one_model --defer", "peak memory of ls"
    if not bench.wants(*names, compiled, memory):
        return
    ours = synthetic(n, "understudy")
    theirs = synthetic(n, "dbt") if bench.dbt else ours

    def both(
        what: str, args: list[str], cell: Cell, prepare: Callable[[Path], Callable[[], None]] = lambda _: idle
    ) -> Row:
        left, right = (
            Side([*OURS, *args], ours, prepare(ours)),
            Side([*DBT, *QUIET_DBT, *args], theirs, prepare(theirs)),
        )
        return Row(what, left, right, n, budget=cell[0], guide=cell[1])

    if not bench.wants(names[0]):
        for side in (both("", ["parse"], NONE).ours, both("", ["parse"], NONE).theirs if bench.dbt else None):
            if side is not None:
                run(side)
    yield from bench.row(both(names[0], ["parse"], COLD.get(n, NONE), forget))
    if bench.wants(names[1], memory):
        row = both(names[1], ["ls", "-s", "tag:mart"], LISTED.get(n, NONE))
        found = bench.measured(row)
        yield found.outcome(row, "s", seconds)
        budget, guide = MEMORY.get(n, NONE)
        yield found.outcome(replace(row, what=memory), "MB", megabytes, budget=budget, guide=guide)
    yield from bench.row(both(names[2], ["ls", "-s", "state:modified+", "--state", "prod"], EDITED.get(n, NONE), edit))
    yield from bench.row(
        both(compiled, ["compile", "-s", one(ours), "--defer", "--state", "prod"], COMPILED.get(n, NONE))
    )


def slim(bench: Bench) -> Iterator[Outcome]:
    """The slim build of the e-commerce demo: one mart changed, everything else read from production."""
    what = "slim build of the demo, one mart changed"
    if not bench.wants(what):
        return
    args = ["build", "-s", "state:modified+", "--defer", "--state", "prod-artifacts", "--target", "dev"]
    theirs = Side([*DBT, *QUIET_DBT, *args], demo("dbt")) if bench.dbt else None
    yield from bench.row(Row(what, Side([*OURS, *args], demo("understudy")), theirs, budget=8, guide=0.5))


def overhead(bench: Bench) -> Iterator[Outcome]:
    """What an engine takes per view or test, beyond the bare statements: one thread, a statement per test, a new database.

    The time is from the end of the first node, the seed that all others read, to the end of the last, so starting, parsing and
    connecting are no part of it.
    """
    what = "overhead per view or test"
    if not bench.wants(what):
        return
    ours = views(NODES, "understudy")
    args = ["build", "--threads", "1"]
    left = Side([*OURS, *args, "--no-fuse-tests"], ours, new_database(ours), after_the_first)
    right = None
    if bench.dbt:
        theirs = views(NODES, "dbt")
        right = Side([*DBT, *QUIET_DBT, *args], theirs, new_database(theirs), after_the_first)
    row = Row(what, left, right, budget=12, guide=2)
    found = bench.measured(row)
    base = measure(Row("", bare(ours)), bench.runs).outcome(Row("", left), "s", own).ours
    yield found.outcome(row, "ms", lambda m: max(LEAST, (own(m) - base) * 1000 / (3 * NODES)))


def full(bench: Bench) -> Iterator[Outcome]:
    """A whole build of 1,000 models, beside the same statements sent by a script, both into a new database."""
    what = "full build against its bare statements"
    if not bench.wants(what):
        return
    root = synthetic(FULL, "understudy")
    left = Side([*OURS, "build"], root, new_database(root))
    yield from bench.row(Row(what, left, bare(root), FULL, at_most=1.2, peer="bare"))


def scale(bench: Bench) -> Iterator[Outcome]:
    """10,000 views and 20,000 tests: that it ends, how long it takes, how much memory it holds."""
    for command in ("plan", "build"):
        what = f"{command} of {SCALE} views and their tests"
        if not bench.wants(what):
            continue
        root = views(SCALE, "understudy")
        row = Row(what, Side([*OURS, command], root, new_database(root)), models=SCALE, once=True)
        found = bench.measured(row)
        yield found.outcome(row, "s", seconds)
        yield found.outcome(replace(row, what=f"peak memory of the {command}"), "MB", megabytes)


def synthetic(n: int, program: str) -> Path:
    """A generated project of n models for one program; production: its state in `prod/`, and `one()` with its seed.

    Not by `build`: at 10,000 models dbt takes more than twenty minutes to put tests between models then.
    """
    root = WORK / f"{program}-{n}"
    if not root.exists():
        generate("gen_project.py", root, n)
        command = OURS if program == "understudy" else [*DBT, *QUIET_DBT]
        for words in (["seed"], ["run", "-s", one(root)]):
            run(Side([*command, *words, "--target", "prod", "--target-path", "built"], root))
        parsed = root / "built/partial_parse.msgpack"
        if parsed.exists():  # what dbt has parsed need not be parsed again for the state
            (root / "prod").mkdir()
            shutil.copy(parsed, root / "prod")
        run(Side([*command, "parse", "--target", "prod", "--target-path", "prod"], root))
    return root


def one(root: Path) -> str:
    """The model that is compiled alone; a seed is all that stands before it."""
    return sorted((root / "models/staging").glob("*.sql"))[-1].stem


def views(n: int, program: str) -> Path:
    """A generated project of n views for one program."""
    root = WORK / f"{program}-views-{n}"
    if not root.exists():
        generate("gen_views.py", root, n)
    return root


def demo(program: str) -> Path:
    """The e-commerce demo, built in production, with one mart changed since."""
    root = WORK / f"{program}-demo"
    if not root.exists():
        ignore = shutil.ignore_patterns("*.duckdb", "target", "logs", "prod-artifacts", ".understudy", "raw")
        shutil.copytree(ROOT / "examples/ecommerce", root, ignore=ignore)
        subprocess.run([sys.executable, "generate_data.py"], cwd=root, check=True, stdout=subprocess.DEVNULL)
        command = OURS if program == "understudy" else [*DBT, *QUIET_DBT]
        run(Side([*command, "build", "--target", "prod", "--target-path", "prod-artifacts"], root))
        mart = root / "models/marts/mart_daily_sales.sql"
        mart.write_text(f"{mart.read_text()}\n-- changed\n")
    return root


def generate(script: str, root: Path, n: int) -> None:
    """A project by one of the generators."""
    subprocess.run([sys.executable, str(HERE / script), str(root), str(n)], check=True, env=environment())


def bare(root: Path) -> Side:
    """The statements of the last build of a project."""
    return Side([sys.executable, str(HERE / "bare.py"), str(root)], root, figure=lambda _, text: float(text))


def idle() -> None:
    """Nothing to prepare."""


def edit(root: Path) -> Callable[[], None]:
    """Change one model, to something new each time."""
    model = sorted((root / "models/marts").glob("*.sql"))[0]
    original = model.read_text()

    def change() -> None:
        model.write_text(f"{original}\n-- edited at {time.time_ns()}\n")

    return change


def forget(root: Path) -> Callable[[], None]:
    """Throw away what a program remembers of the last parse."""

    def remove() -> None:
        for name in ("target", ".understudy"):
            shutil.rmtree(root / name, ignore_errors=True)

    return remove


def new_database(root: Path) -> Callable[[], None]:
    """Throw the database away."""

    def remove() -> None:
        for file in root.glob("*.duckdb*"):
            file.unlink()

    return remove
