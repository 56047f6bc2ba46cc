"""Runs that are cut short: by the user, and by the server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conformance.shop import Shop

import understudy

SOURCE = Path(understudy.__file__).parents[1]


def eventually(done: Callable[[], object], seconds: float = 180) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def slow(shop: Shop) -> Shop:
    """`a` stands in dev, and its next version never ends; `b` needs it, `c` does not."""
    shop.models(
        a="{{ config(materialized='table') }} select 7 as id", b="select * from {{ ref('a') }}", c="select 3 as id"
    )
    shop.ok("run")
    return shop.models(a=f"{{{{ config(materialized='table') }}}} {shop.warehouse.slow}")


class TestInterrupt:
    """Ctrl-C."""

    def test_the_statement_ends_and_the_results_are_written(self, slow: Shop) -> None:
        (slow.root / "target/run_results.json").unlink()
        log = slow.root / "output.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "understudy", "run", "--debug"],
                cwd=slow.root, stdout=output, stderr=output, env={**os.environ, "PYTHONPATH": str(SOURCE)},
            )  # fmt: skip
            try:
                eventually(lambda: slow.warehouse.slow in log.read_text())
                time.sleep(0.5)
                process.send_signal(signal.SIGINT)
                code = process.wait(60)
            finally:
                process.kill()
                process.wait()
        assert code == 1, log.read_text()
        results = slow.results()
        assert results["a"]["status"] != "success"
        assert results["b"]["status"] == "skipped"
        assert slow.rows("a") == [(7,)]
        assert set(slow.kinds()) == {"a", "b", "c"}


@pytest.mark.never("duckdb", "spark", raises=NotImplementedError, reason="no sessions on a server")
class TestLostSession:
    """The server ends a session in the middle of a model."""

    def test_the_node_fails_and_the_others_go_on(self, slow: Shop) -> None:
        failed: list[AssertionError] = []

        def end() -> None:
            try:
                eventually(slow.warehouse.end_sessions)
            except AssertionError as error:
                failed.append(error)

        assert slow.warehouse.end_sessions() == 0
        thread = threading.Thread(target=end)
        thread.start()
        results = slow.fails("run", "--threads", "1")
        thread.join()
        assert not failed
        assert {name: result["status"] for name, result in results.items()} == {
            "a": "error", "b": "skipped", "c": "success"
        }  # fmt: skip
        assert "Connection error" in results["a"]["message"]
        assert slow.rows("a") == [(7,)]
