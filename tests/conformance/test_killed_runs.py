"""Runs that are killed, ended, or in each other's way: what is seen then, and what the next run makes of it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conformance.shop import Shop
from conformance.test_interruptions import eventually

import understudy
from understudy.artifacts.holder import FILE

SOURCE = Path(understudy.__file__).parents[1]
KILLS = 5
ROWS = 20_000


def started(shop: Shop, *args: str) -> subprocess.Popen[bytes]:
    """A command in a process of its own."""
    with (shop.root / "output.log").open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "understudy", *args],
            cwd=shop.root, stdout=output, stderr=output, env={**os.environ, "PYTHONPATH": str(SOURCE)},
        )  # fmt: skip


def growing(version: int) -> dict[str, str]:
    """Models whose tables are whole when all their rows are of one version, and as many as they should be."""
    rows = "with recursive n as (select 1 as id union all select id + 1 from n where id < 200) "
    rows += f"select a.id * 1000 + b.id as id, {version} as version from n a cross join n b where b.id <= {ROWS // 200}"
    return {
        "a": f"{{{{ config(materialized='table') }}}} {rows}",
        "b": "{{ config(materialized='table') }} select * from {{ ref('a') }}",
        "c": "{{ config(materialized='table') }} select * from {{ ref('b') }}",
        "d": "select * from {{ ref('c') }}",
    }


@pytest.mark.never(
    "spark", raises=AssertionError, reason="each process has a Spark of its own, so nothing is left to see"
)
class TestKilled:
    """kill -9 at any moment."""

    def test_nothing_half_is_seen_and_the_next_run_completes(self, shop: Shop) -> None:
        shop.models(**growing(0)).ok("build")
        chance = random.Random(7)
        for version in range(1, KILLS + 1):
            shop.models(**growing(version))
            process = started(shop, "build")
            time.sleep(chance.uniform(0.3, 1.2))
            process.kill()
            process.wait()
            self.is_whole(shop, version)
            shop.ok("build")
            assert shop.rows("d", "min(version), max(version), count(*)") == [(version, version, ROWS)]
            assert set(shop.kinds()) == {"a", "b", "c", "d"}, "a temporary relation is left"

    def is_whole(self, shop: Shop, version: int) -> None:
        """Every table has the rows of one version; what is written can be read."""
        for name in "abc":
            ((least, most, count),) = shop.rows(name, "min(version), max(version), count(*)")
            assert least == most
            assert most in (version, version - 1)
            assert count == ROWS
        for path in (shop.root / "target").glob("*.json"):
            json.loads(path.read_text())


class TestEnded:
    """SIGTERM, as schedulers send it."""

    def test_it_is_like_ctrl_c(self, shop: Shop) -> None:
        shop.models(a=f"{{{{ config(materialized='table') }}}} {shop.warehouse.slow}", b="select * from {{ ref('a') }}")
        process = started(shop, "run", "--debug")
        try:
            eventually(lambda: shop.warehouse.slow in (shop.root / "output.log").read_text())
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 1
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
        (shop.root / "target" / FILE).write_text("1 understudy run\n")
        shop.ok("run")
