"""Laws of what an environment says of itself, over random histories: runs in which nodes fail, are built in part or killed,
edits, folders and ledgers that get lost. It never claims code that is not there, and forgets nothing that it could know.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from understudy.app.applied import _entry
from understudy.artifacts.ledger import Build, Ledger, Run, Status
from understudy.state.applied import Print
from understudy.state.built import NOTHING, Entry, Older, standing

NODES = "abc"
"""Each reads the one before it."""
PLACE = "duckdb: path /x"
DEAD = 2**22 + 7
"""No process has this number."""

OUTCOMES = st.sampled_from(["success", "success", "success", "error", "partial"])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.sampled_from(NODES)),
        st.tuples(st.just("run"), st.dictionaries(st.sampled_from(NODES), OUTCOMES, min_size=1), st.sampled_from("xy")),
        st.tuples(st.just("kill"), st.dictionaries(st.sampled_from(NODES), OUTCOMES, min_size=1), st.integers(0, 3)),
        st.tuples(st.just("clean"), st.sampled_from("xy")),
        st.tuples(st.just("revert"), st.sampled_from(NODES)),
    ),
    min_size=1,
    max_size=10,
)


@dataclass
class World:
    """The code, the relations as they really are (None: nobody can tell), a ledger, and the folders of two people."""

    root: str
    code: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NODES, 1))
    real: dict[str, int | None] = field(default_factory=dict)
    files: dict[str, dict[str, Entry]] = field(default_factory=lambda: {"x": {}, "y": {}})
    manifests: dict[str, dict[str, int]] = field(default_factory=lambda: {"x": {}, "y": {}})
    runs: int = 0
    known: set[str] = field(default_factory=set)
    """Nodes that were built, or may have been."""

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.root)

    def record(self, node: str) -> str:
        return f"{node}{self.code[node]}"

    def print(self, node: str) -> Print:
        inputs = {each: str(self.code[each]) for each in NODES[: NODES.index(node)]}
        return Print(self.record(node), inputs=inputs)

    def announce(self, nodes: Mapping[str, str]) -> str:
        self.runs += 1
        invocation = f"i{self.runs}"
        run = Run(invocation, PLACE, "dev", f"{self.runs:03}")
        self.ledger.announce(run, [Build(n, n, self.print(n), record=self.record(n)) for n in sorted(nodes)])
        return invocation

    def build(self, invocation: str, node: str, outcome: str) -> None:
        status: Status = outcome  # type: ignore[assignment]
        if outcome in ("success", "partial"):
            self.real[node] = self.code[node] if outcome == "success" else None
            self.known.add(node)
        self.ledger.confirm(invocation, node, status, f"{self.runs:03}.{NODES.index(node)}")

    def run(self, wanted: Mapping[str, str], folder: str) -> None:
        invocation, ended, failed = self.announce(wanted), {}, False
        for node in NODES:
            if node in wanted:
                ended[node] = "skipped" if failed else wanted[node]
                self.build(invocation, node, ended[node])
                failed = failed or ended[node] == "error"
        self.publish(folder, ended)

    def kill(self, wanted: Mapping[str, str], after: int) -> None:
        """Some are built, one is cut short, and nothing is written."""
        with mock.patch.object(os, "getpid", return_value=DEAD):
            invocation = self.announce(wanted)
        for number, node in enumerate(sorted(wanted)):
            if number < after:
                self.build(invocation, node, wanted[node])
            elif number == after:
                self.real[node] = None
        self.known |= set(wanted) - {n for n in sorted(wanted)[:after] if wanted[n] == "error"}

    def publish(self, folder: str, ended: Mapping[str, str]) -> None:
        before, older = self.files[folder], dict(self.manifests[folder])

        def node_before(node: str) -> Older:
            return msgspec.Raw(json.dumps(older[node]).encode()) if node in older else NOTHING

        recorded = {node: _entry(each) for node, each in self.ledger.all_applied(PLACE).items()}
        self.files[folder] = standing(
            {node: self.record(node) for node in NODES}, recorded, before, ended, node_before=node_before,
            exists=lambda node: node in self.real,
            behind=lambda node, then: tuple(i for i in then.inputs if then.inputs[i] != self.print(node).inputs.get(i)),
        )  # fmt: skip
        self.manifests[folder] = dict(self.code)
        self.check(folder, ended)

    def claimed(self, folder: str, node: str) -> int | None:
        """The version that the folder says is built; None: it does not know."""
        entry = self.files[folder][node]
        if not entry.known:
            return None
        return int(bytes(entry.node)) if isinstance(entry.node, msgspec.Raw) else self.manifests[folder][node]

    def check(self, folder: str, ended: Mapping[str, str]) -> None:
        for node, entry in self.files[folder].items():
            claimed = self.claimed(folder, node)
            if claimed is not None:
                assert claimed == self.real.get(node), (node, entry)
                assert entry.print is not None
                assert entry.print.code == f"{node}{claimed}"
            if not entry.exists:
                assert node not in self.real
            if ended.get(node) == "success":
                assert claimed == self.code[node], "what was built is told"
                assert (entry.failed, entry.behind) == (None, ())
            if ended.get(node) in ("error", "skipped"):
                assert entry.failed == ended[node], "what was not built is told"
        assert self.known <= set(self.files[folder]), "no record is lost"

    def do(self, event: tuple[Any, ...]) -> None:
        match event:
            case ("edit", node):
                self.code[node] += 1
            case ("revert", node):
                self.code[node] = max(1, self.code[node] - 1)
            case ("run", wanted, folder):
                self.run(wanted, folder)
            case ("kill", wanted, after):
                self.kill(wanted, after)
            case ("clean", folder):
                self.files[folder], self.manifests[folder] = {}, {}


@given(EVENTS)
@example(
    [
        ("run", {"a": "success"}, "x"),
        ("edit", "a"),
        ("run", {"a": "success"}, "y"),
        ("edit", "a"),
        ("run", {"b": "success"}, "x"),
    ]
)
@settings(max_examples=80, deadline=None)
def test_any_history(events: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        world = World(root)
        try:
            for event in events:
                world.do(event)
        finally:
            world.ledger.close()


@given(EVENTS, st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_machines_that_share_a_folder_alone(events: list[tuple[Any, ...]], machines: int) -> None:
    """As in CI: each run has the ledger of its machine, new or old, and the folder of the last run. What a killed run did,
    another machine cannot know; so there is none here.
    """
    with tempfile.TemporaryDirectory() as root:
        world = World(root)
        for number, event in enumerate(events):
            if event[0] in ("kill", "clean"):
                continue
            world.ledger.close()
            world.ledger = Ledger(os.path.join(root, str(number % machines if machines < 3 else number)))
            world.do((*event[:2], "x") if event[0] == "run" else event)
        world.ledger.close()


@given(EVENTS)
@settings(max_examples=20, deadline=None)
def test_a_run_that_does_nothing_changes_nothing(events: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        world = World(root)
        for event in events:
            world.do(event)
        world.publish("x", {})
        before = world.files["x"]
        world.publish("x", {})
        assert world.files["x"] == before
        world.ledger.close()
