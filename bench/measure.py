"""Run two programs in turn, as whole processes, and say what they took."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

SLOW = 15.0
"""A run of the peer that takes longer than these seconds is not repeated: it is measured once, without a warm-up."""


@dataclass(frozen=True)
class Measure:
    """One finished process: wall seconds, seconds of processor time, peak resident memory in MB, and the row's own figure."""

    seconds: float
    cpu: float
    megabytes: float
    figure: float | None = None


@dataclass(frozen=True)
class Side:
    """What one program does for a row: a command, and what to do before each run (not measured).

    Attributes:
        figure: reads what the row is about, where that is not the whole process's time, from the folder and the output.
    """

    command: Sequence[str]
    cwd: Path
    prepare: Callable[[], None] = lambda: None
    figure: Callable[[Path, str], float] | None = None


@dataclass
class Outcome:
    """A row of the table, as it is written to results.json.

    Attributes:
        what: what both programs do, without the size.
        models: the size of the project; None: the row knows no size.
        budget: how many times less than the peer ours has to be; `at_most`: how many times the peer it may be.
        guide: the seconds (or MB) that the design names for a two-core machine.
        runs: [ours, peer's] of each run, or [ours] where the peer ran once.
    """

    what: str
    models: int | None
    unit: str
    ours: float
    peer: str | None = None
    theirs: float | None = None
    ratio: float | None = None
    cpu_ratio: float | None = None
    budget: float | None = None
    at_most: float | None = None
    guide: float | None = None
    met: bool | None = None
    runs: list[list[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.theirs is not None:
            self.ratio = self.theirs / self.ours
            if self.budget is not None:
                self.met = self.ratio >= self.budget
            if self.at_most is not None:
                self.met = self.ours / self.theirs <= self.at_most


@dataclass(frozen=True)
class Row:
    """One line of the table: what to run, and what has to come of it (see Outcome)."""

    what: str
    ours: Side
    theirs: Side | None = None
    models: int | None = None
    budget: float | None = None
    at_most: float | None = None
    guide: float | None = None
    peer: str = "dbt"
    once: bool = False
    """One run is enough: the row is about memory and about coming to an end."""


def environment() -> dict[str, str]:
    """Ours, without what keeps Python from using its compiled modules or sends it elsewhere."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(side: Side) -> Measure:
    """Run the command once. Stops the benchmark when it fails, for a failed run measures nothing."""
    side.prepare()
    log = side.cwd / ".bench.log"
    with log.open("wb") as out:
        start = time.perf_counter()
        process = subprocess.Popen(side.command, cwd=side.cwd, env=environment(), stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(errors="replace")
    if process.returncode != 0:
        sys.exit(f"{' '.join(side.command)} failed in {side.cwd}:\n{text[-2000:]}")
    figure = side.figure(side.cwd, text) if side.figure is not None else None
    return Measure(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, figure)


@dataclass(frozen=True)
class Runs:
    """All runs of a row: ours, and the peer's."""

    ours: list[Measure]
    theirs: list[Measure]

    def outcome(self, row: Row, unit: str, figure: Callable[[Measure], float], **more: float | None) -> Outcome:
        """The row's line for one of the figures that were taken."""
        ours = statistics.median(map(figure, self.ours))
        theirs = statistics.median(map(figure, self.theirs)) if self.theirs else None
        cpu = None
        if theirs is not None and unit == "s":
            cpu = statistics.median(m.cpu for m in self.theirs) / statistics.median(m.cpu for m in self.ours)
        given = {"budget": row.budget, "at_most": row.at_most, "guide": row.guide, **more}
        runs = [
            [round(figure(pair[number]), 4) for pair in (self.ours, self.theirs) if number < len(pair)]
            for number in range(len(self.ours))
        ]
        peer = row.peer if theirs is not None else None
        return Outcome(row.what, row.models, unit, ours, peer, theirs, cpu_ratio=cpu, runs=runs, **given)


def measure(row: Row, runs: int) -> Runs:
    """Both sides in turn (A B A B ...) after a warm-up of each; a peer that is slow, or a row that says so, once."""
    if row.once:
        return Runs([run(row.ours)], [run(row.theirs)] if row.theirs else [])
    run(row.ours)
    theirs = [run(row.theirs)] if row.theirs else []
    slow = bool(theirs) and theirs[0].seconds > SLOW
    again = row.theirs if not slow else None
    pairs = [(run(row.ours), run(again) if again else None) for _ in range(runs)]
    return Runs([ours for ours, _ in pairs], theirs if slow else [found for _, found in pairs if found is not None])


def seconds(found: Measure) -> float:
    """The whole process."""
    return found.seconds


def megabytes(found: Measure) -> float:
    """The most memory that it held."""
    return found.megabytes


LEAST = 0.05
"""A difference that is smaller cannot be told from nothing."""


def own(found: Measure) -> float:
    """The row's own figure."""
    assert found.figure is not None
    return found.figure


def after_the_first(root: Path, _: str) -> float:
    """The seconds from the end of the first node to the end of the last, as the last run in a folder says."""
    results = json.loads((root / "target/run_results.json").read_text())["results"]
    ends = sorted(max(datetime.fromisoformat(each["completed_at"]) for each in result["timing"]) for result in results)
    return (ends[-1] - ends[0]).total_seconds()
