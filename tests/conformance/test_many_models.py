"""Concurrency: eight threads, and many models that stand on each other."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from conformance.shop import Shop

BENCH = Path(__file__).resolve().parents[2] / "bench"
MODELS = {"spark": 24}
"""How many models an engine gets where a statement takes long; the others get 300."""
RUNS = {"spark": 2}
"""How often it builds them; the others ten times."""


def within(seconds: float, action: Callable[[], object]) -> None:
    """Do something, and fail when it does not end: threads that wait for each other would wait for ever."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the test's own thread
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), f"not done after {seconds} s: a deadlock?"
    if failed:
        raise failed[0]


class TestConcurrency:
    """A generated project, built again and again over itself."""

    @pytest.mark.slow
    def test_a_large_project(self, shop: Shop, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(BENCH))
        import gen_project  # type: ignore[import-not-found]

        count = MODELS.get(engine, 300)
        shop.threads = 8
        gen_project.main(str(shop.root), count)
        sys.modules.pop("gen_project", None)
        project = shop.root / "dbt_project.yml"
        project.write_text(project.read_text().replace("profile: synth", "profile: shop"))
        shop.write({})
        for _ in range(RUNS.get(engine, 10)):
            within(300, lambda: shop.ok("build", "--exclude-resource-type", "test"))
            results = shop.results()
            assert len(results) == count + 1
            assert {result["status"] for result in results.values()} == {"success"}
        assert len(shop.kinds()) == count + 1
