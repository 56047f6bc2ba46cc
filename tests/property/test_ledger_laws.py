"""Laws of the ledger under several writers at once, some of which are killed: no record is lost, and no build is reported
that did not happen.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.artifacts.ledger import Ledger

PLACE = "duckdb: path /x"
WRITER = """
import os, signal, sys
from understudy.artifacts.ledger import Build, Ledger, Run
from understudy.state.applied import Print
root, name, steps = sys.argv[1], sys.argv[2], sys.argv[3:]
ledger = Ledger(root)
for number, step in enumerate(steps):
    relation, end = step.split(":")
    invocation, code = f"{name}-{number}", f"{name}-{number}-{relation}"
    run = Run(invocation, "duckdb: path /x", "dev", "2026-11-21T08:00:00+00:00")
    ledger.announce(run, [Build(f"model.shop.{relation}", relation, Print(code))])
    print("announced", invocation, relation, code, flush=True)
    if end == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    ledger.confirm(invocation, f"model.shop.{relation}", end, "2026-11-21T08:00:01+00:00")
    print(end, invocation, relation, code, flush=True)
"""
STEPS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["success", "success", "success", "error", "kill"])),
    min_size=1,
    max_size=4,
)


@given(st.lists(STEPS, min_size=2, max_size=3))
@settings(max_examples=6, deadline=None)
def test_writers_at_once(plans: list[list[tuple[str, str]]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, root, f"w{n}", *(f"{relation}:{end}" for relation, end in plan)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for n, plan in enumerate(plans)
        ]  # fmt: skip
        said = []
        for writer, plan in zip(writers, plans, strict=True):
            out, err = writer.communicate(timeout=120)
            assert writer.returncode == (-9 if any(end == "kill" for _, end in plan) else 0), err
            said += [line.split() for line in out.splitlines()]
        check(Path(root), said)


def check(root: Path, said: list[list[str]]) -> None:
    ledger = Ledger(str(root))
    entries = {entry["invocation"]: entry for entry in ledger.export()}
    announced = {invocation for word, invocation, _, _ in said if word == "announced"}
    assert set(entries) == announced, "every record is there, and no other"
    ended = {invocation: word for word, invocation, _, _ in said if word != "announced"}
    for invocation, entry in entries.items():
        assert entry["status"] == ended.get(invocation, "building"), json.dumps(entry)
    happened = {(relation, code) for word, _, relation, code in said if word == "success"}
    for relation, applied in ledger.applied(PLACE, ["a", "b"]).items():
        if applied.print is None:
            assert applied.why
            continue
        assert (relation, applied.print.code) in happened
        last = max(
            (e for e in entries.values() if e["relation"] == relation and e["status"] != "error"), key=lambda e: e["id"]
        )
        assert last["print"]["code"] == applied.print.code
        assert not last["overlapped"]
    ledger.close()


def test_writers_that_come_at_the_same_moment() -> None:
    """The first ones make the file, all at once; SQLite's own patience does not cover that."""
    opening = "moment = float(sys.argv.pop(1))\nwhile time.time() < moment: pass\n"
    for _ in range(5):
        with tempfile.TemporaryDirectory() as root:
            moment = str(time.time() + 0.8)
            writers = [
                subprocess.Popen(
                    [sys.executable, "-c", f"import sys, time\n{opening}{WRITER}", moment, root, f"w{n}", "a:success"],
                    stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                )
                for n in range(6)
            ]  # fmt: skip
            for writer in writers:
                _, err = writer.communicate(timeout=120)
                assert writer.returncode == 0, err
            ledger = Ledger(root)
            assert len(list(ledger.export())) == len(writers)
            ledger.close()
