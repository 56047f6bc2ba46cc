"""The table of speeds: understudy against dbt 1.11, as whole processes, in pairs, on this machine in this run.

usage: run.py [--sizes 100,1000] [--runs 5] [--only TEXT] [--no-dbt] [--out FILE]

Each row runs both programs in turn (A B A B ...), after a warm-up, and reports medians, their ratio and the budget; a run of
dbt that takes longer than a quarter of a minute is measured once. Absolute times drift with the machine; the ratios are what to
read. Writes bench/results.json, unless only a part was measured, and the documentation's page about it. What was measured so
far stands in bench/work/results.json, should a long run be cut short.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from measure import Outcome
from rows import HERE, ROOT, VENV_DBT, WORK, Bench, rows

from understudy import __version__

SO_FAR = WORK / "results.json"
LINE = "{:<52} {:>11} {:>16} {:>8} {:>8} {:>8}  {}"


def name(outcome: Outcome) -> str:
    """The row's name with its size."""
    return outcome.what if outcome.models is None else f"{outcome.what}, {outcome.models} models"


def line(outcome: Outcome) -> str:
    """One line of the table."""
    found = outcome
    theirs = f"{found.peer} {found.theirs:.3f} {found.unit}" if found.theirs is not None else "-"
    ratio, budget = (f"{found.ratio:.1f}x" if found.ratio else "-"), (f"{found.budget:.0f}x" if found.budget else "-")
    if found.at_most is not None and found.ratio:
        ratio, budget = f"1/{1 / found.ratio:.2f}", f"1/{found.at_most}"
    cpu = f"{found.cpu_ratio:.1f}x" if found.cpu_ratio else "-"
    verdict = {None: "", True: "met", False: "NOT MET"}[found.met]
    return LINE.format(name(found), f"{found.ours:.3f} {found.unit}", theirs, ratio, cpu, budget, verdict)


def machine() -> dict[str, object]:
    """What the figures were measured on, without what would tell whose it is."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = (each.partition(":")[2].strip() for each in lines if each.startswith("model name"))
    return next(found, platform.machine())


def programs(dbt: bool) -> dict[str, str]:
    """What was compared."""
    found = {"understudy": __version__, "duckdb": version("duckdb")}
    if dbt:
        ask = "from importlib.metadata import version as v; print(v('dbt-core'), v('dbt-duckdb'))"
        answer = subprocess.run([str(VENV_DBT / "bin/python"), "-c", ask], capture_output=True, text=True, check=True)
        found["dbt-core"], found["dbt-duckdb"] = answer.stdout.split()
    return found


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", default="100,1000", help="numbers of models, with commas")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="rows whose name contains this text")
    parser.add_argument("--no-dbt", action="store_true", help="measure understudy alone")
    parser.add_argument("--out", type=Path, help="write the results here instead")
    return parser.parse_args(given)


def main() -> None:
    """Measure, print, write."""
    args = arguments()
    sizes = sorted({int(n) for n in args.sizes.replace(" ", ",").split(",") if n})
    head = {
        "made": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "programs": programs(not args.no_dbt),
        "sizes": sizes,
        "runs": args.runs,
    }
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir()
    start = time.perf_counter()
    print(LINE.format("what", "understudy", "peer", "ratio", "(cpu)", "budget", ""), flush=True)
    outcomes = []
    for outcome in rows(sizes, Bench(args.runs, not args.no_dbt, args.only)):
        outcomes.append(outcome)
        print(line(outcome), flush=True)
        minutes = round((time.perf_counter() - start) / 60, 1)
        document = {**head, "minutes": minutes, "rows": [asdict(each) for each in outcomes]}
        SO_FAR.write_text(json.dumps(document, indent=1) + "\n")
    held = [outcome for outcome in outcomes if outcome.met is not None]
    print(f"\n{sum(bool(each.met) for each in held)} of {len(held)} budgets are met.")
    whole = not args.only and not args.no_dbt
    file = args.out or (HERE / "results.json" if whole else SO_FAR)
    if file != SO_FAR:
        shutil.copy(SO_FAR, file)
    if file == HERE / "results.json":
        subprocess.run([sys.executable, str(ROOT / "scripts/build_docs.py")], check=True)


if __name__ == "__main__":
    main()
