"""Laws of the ledger, and of what is published from it, under several writers at once, some of which are killed: no record is
lost, and no build is reported that did not happen.
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

from understudy.artifacts.built_file import manifest_of, read_built
from understudy.artifacts.ledger import Ledger

PLACE = "duckdb: path /x"
WRITER = """
import os, signal, sys
from understudy.artifacts.built_file import keep_manifest, read_built, write_built
from understudy.artifacts.ledger import Build, Ledger, Run
from understudy.state.applied import Print
from understudy.state.built import NOTHING, BuiltState, Entry, Head, standing

def publish(folder, invocation, ended):
    # as a command does it: the manifest, then what of it is built
    os.makedirs(folder, exist_ok=True)
    keep_manifest(folder)
    with open(os.path.join(folder, "manifest." + invocation), "w") as file:
        file.write('{"metadata":{"invocation_id":"' + invocation + '"},"nodes":{}}')
    os.replace(file.name, os.path.join(folder, "manifest.json"))
    before = read_built(folder)
    recorded = {
        each: Entry(print=known.print, record=known.record, finished=known.finished, invocation=known.invocation)
        for each, known in ledger.all_applied("duckdb: path /x").items()
    }
    found = standing({"a": "r", "b": "r"}, recorded, before.nodes if before else {}, ended,
        node_before=lambda each: NOTHING, exists=lambda each: True, behind=lambda each, then: ())
    write_built(BuiltState(Head(form=1, invocation_id=invocation), found), folder)

root, name, steps = sys.argv[1], sys.argv[2], sys.argv[3:]
ledger = Ledger(root)
for number, step in enumerate(steps):
    relation, end = step.split(":")
    invocation, code = f"{name}-{number}", f"{name}-{number}-{relation}"
    run = Run(invocation, "duckdb: path /x", "dev", "2026-11-21T08:00:00+00:00")
    ledger.announce(run, [Build(f"model.shop.{relation}", relation, Print(code), record="r")])
    print("announced", invocation, relation, code, flush=True)
    if end == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    ledger.confirm(invocation, f"model.shop.{relation}", end, "2026-11-21T08:00:01+00:00")
    print(end, invocation, relation, code, flush=True)
    publish(os.path.join(root, name), invocation, {relation: end})
    publish(os.path.join(root, "shared"), invocation, {relation: end})
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
        published(Path(root), said, len(plans))


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


def published(root: Path, said: list[list[str]], writers: int) -> None:
    """Every folder holds a whole file, which claims no build that did not happen; a writer's own file has its own builds."""
    happened = {(relation, code) for word, _, relation, code in said if word == "success"}
    for folder in (*(root / f"w{number}" for number in range(writers)), root / "shared"):
        found = read_built(str(folder))
        if found is None:
            continue
        for relation, entry in found.nodes.items():
            assert entry.print is None or (relation, entry.print.code) in happened
        if folder.name == "shared":
            continue
        assert manifest_of(str(folder), found.metadata.invocation_id), "the manifest that it belongs to is there"
        last = max(
            int(each[1].partition("-")[2])
            for each in said
            if each[1].startswith(f"{folder.name}-") and each[0] != "announced"
        )
        assert int(found.metadata.invocation_id.partition("-")[2]) in (last, last - 1), (
            "killed before it wrote the last one"
        )
        ended = {each[2] for each in said if each[1] == found.metadata.invocation_id and each[0] == "success"}
        assert ended <= set(found.nodes)


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
