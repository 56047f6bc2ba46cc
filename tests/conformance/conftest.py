"""Every test of this folder runs on every engine (on Iceberg in another environment, see test_spark_iceberg.py). Gaps are
typed, strict, and say why:

    @pytest.mark.notyet("spark", raises=AssertionError, reason="issue 4")

- `notimpl`: the engine could, we do not do it (yet, or on purpose).
- `notyet`: the engine, or its driver, cannot do it today.
- `never`: the engine has no such thing.

A gap that has closed fails the test, so that the mark is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conformance.shop import Shop
from conformance.warehouses import CHANGED_BY_FORMAT, ENGINES, HERE, Warehouse

collect_ignore = [
    file.name
    for file in Path(__file__).parent.glob("test_*.py")
    if HERE == ("iceberg",) and file.stem not in CHANGED_BY_FORMAT
]
GAPS = ("notimpl", "notyet", "never")


def pytest_configure(config: pytest.Config) -> None:
    if "iceberg" in HERE:  # PySpark 3.5 leaves the sockets of threads that have ended
        config.addinivalue_line("filterwarnings", "ignore:unclosed <socket:ResourceWarning")
    for gap in GAPS:
        config.addinivalue_line(
            "markers", f"{gap}(*engines, raises, reason): a gap of engines; see conformance/conftest.py"
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        engines = ENGINES if metafunc.config.getoption("--all-engines") else HERE
        here = metafunc.module.__name__.rpartition(".")[2]
        runs = [name for name in engines if name != "iceberg" or here in CHANGED_BY_FORMAT]
        metafunc.parametrize("engine", [pytest.param(name, id=name) for name in runs])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        engine = getattr(item, "callspec", None) and item.callspec.params.get("engine")  # type: ignore[attr-defined]
        if engine is None:
            continue
        item.add_marker(pytest.mark.conformance)
        for gap in GAPS:
            for mark in item.iter_markers(gap):
                unknown = set(mark.args) - set(ENGINES)
                assert not unknown, f"{item.nodeid}: {gap} names unknown engines {unknown}"
                if engine in mark.args:
                    raises, reason = mark.kwargs["raises"], f"{gap}: {mark.kwargs['reason']}"
                    item.add_marker(pytest.mark.xfail(raises=raises, reason=reason, strict=True))


@pytest.fixture
def warehouse(engine: str, tmp_path: Path) -> Iterator[Warehouse]:
    """An empty database of the engine."""
    with ENGINES[engine](tmp_path) as opened:
        yield opened


@pytest.fixture
def shop(warehouse: Warehouse, tmp_path: Path) -> Shop:
    """An empty project on the engine."""
    return Shop(tmp_path / "project", warehouse).write({})
