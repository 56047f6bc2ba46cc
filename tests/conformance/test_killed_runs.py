"""Runs that are killed, ended, or in each other's way: what is seen then, and what the next run makes of it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conformance import demo
from conformance.shop import Shop
from conformance.test_interruptions import eventually
from conformance.warehouses import Warehouse
from support.forks import forks

import understudy
from understudy.artifacts import holder
from understudy.artifacts.unfinished import FILE

SOURCE = Path(understudy.__file__).parents[1]
KILLS = 50
TABLES = (
    "int_customer_history", "int_order_lines", "int_orders", "mart_customers", "mart_daily_sales",
    "mart_marketing_campaigns", "mart_products",
)  # fmt: skip


def started(shop: Shop, *args: str) -> subprocess.Popen[bytes]:
    """A command in a process of its own."""
    with (shop.root / "output.log").open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "understudy", *args],
            cwd=shop.root, stdout=output, stderr=output, env={**os.environ, "PYTHONPATH": str(SOURCE)},
        )  # fmt: skip


def versioned(root: Path) -> None:
    """The demo's tables with a column that says which run has built their rows."""
    for path in [*root.glob("models/intermediate/*.sql"), *root.glob("models/marts/*.sql")]:
        path.write_text(f"select w.*, {{{{ var('round') }}}} as built_in from (\n{path.read_text()}\n) as w\n")


def begun_to_build(root: Path, number: int) -> bool:
    """Whether there is a journal of that run; a run that is killed after its results may leave one, too, until the next."""
    try:
        head = (root / "target" / FILE).read_bytes().split(b"\n")[0]
    except FileNotFoundError:
        return False
    return bool(json.loads(head)["args"]["vars"] == {"round": number})


@pytest.mark.never(
    "spark", raises=AssertionError, reason="each process has a Spark of its own, so nothing is left to see"
)
class TestKilled:
    """kill -9 at any moment of a build of the demo."""

    def test_fifty_times(
        self, engine: str, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert engine != "spark"
        root = demo.copied(warehouse, tmp_path)
        demo.load(warehouse, tmp_path, monkeypatch)
        versioned(root)
        chance, kills, retried = random.Random(7), 0, 0
        with forks(engine, root) as processes:
            assert processes.run("build", "--vars", "{round: 0}") == 0, processes.output
            sizes = {name: self.state(warehouse, name)[2] for name in TABLES}
            present = warehouse.kinds("dev")
            whole = self.timed(lambda: processes.run("build", "--vars", "{round: 0}"))
            number = 0
            while kills < KILLS:
                number += 1
                assert number < 3 * KILLS, "most builds end before they are killed"
                begun = time.monotonic()
                process = processes.start("build", "--vars", f"{{round: {number}}}")
                if number % 2:  # when some of it is built, however long a busy machine took to begin
                    while not begun_to_build(root, number) and time.monotonic() < begun + 2 * whole:
                        time.sleep(0.002)
                time.sleep(chance.uniform(0, max(0, begun + whole - time.monotonic())))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
                if processes.wait() == -signal.SIGKILL:
                    kills += 1
                else:  # the machine has become faster
                    whole = time.monotonic() - begun
                for name, size in sizes.items():
                    least, most, count = self.state(warehouse, name)
                    assert least == most in (number - 1, number), f"{name} has rows of two runs"
                    assert count == size, f"{name} is half"
                assert present.items() <= warehouse.kinds("dev").items()
                for path in (root / "target").glob("*.json"):
                    json.loads(path.read_text())
                if begun_to_build(root, number):
                    assert processes.run("retry") == 0, processes.output
                    retried += 1
                else:  # killed before the first node, or after the last
                    whole = self.timed(lambda given=f"{{round: {number}}}": processes.run("build", "--vars", given))
                assert {self.state(warehouse, name) for name in TABLES} == {
                    (number, number, size) for size in sizes.values()
                }
                assert warehouse.kinds("dev") == present, "a temporary relation is left"
        assert retried > KILLS * 0.3

    def timed(self, run: Callable[[], int]) -> float:
        """How long a whole build takes now: the moment of the next kill falls within."""
        begun = time.monotonic()
        assert run() == 0
        return time.monotonic() - begun

    def state(self, warehouse: Warehouse, name: str) -> tuple[int, int, int]:
        """The runs that built the rows of a table, the earliest and the last, and how many rows there are."""
        ((least, most, count),) = warehouse.query(
            f"select min(built_in), max(built_in), count(*) from {warehouse.table('dev', name)}"
        )
        return least, most, count


class TestEnded:
    """SIGTERM, as schedulers send it."""

    def test_it_is_like_ctrl_c(self, shop: Shop) -> None:
        shop.models(a=f"{{{{ config(materialized='table') }}}} {shop.warehouse.slow}", b="select * from {{ ref('a') }}")
        process = started(shop, "run", "--debug")
        try:
            eventually(lambda: shop.warehouse.slow in (shop.root / "output.log").read_text())
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 1
        finally:
            process.kill()
            process.wait()
        assert {name: each["status"] for name, each in shop.results().items()} == {"a": "skipped", "b": "skipped"}


class TestTwoAtOnce:
    """One run at a time per target directory."""

    def test_the_second_says_who_has_it(self, shop: Shop) -> None:
        shop.models(a=f"{{{{ config(materialized='table') }}}} {shop.warehouse.slow}")
        process = started(shop, "run", "--debug")
        try:
            eventually(lambda: shop.warehouse.slow in (shop.root / "output.log").read_text())
            ran = subprocess.run(
                [sys.executable, "-m", "understudy", "run"],
                cwd=shop.root, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(SOURCE)}, check=False,
            )  # fmt: skip
            assert ran.returncode == 2
            assert f"in use by process {process.pid} (understudy run)" in ran.stderr
        finally:
            process.kill()
            process.wait()

    def test_a_killed_run_holds_nothing(self, shop: Shop) -> None:
        shop.models(a="select 1 as id").ok("run")
        (shop.root / "target" / holder.FILE).write_text("1 understudy run\n")
        shop.ok("run")
