"""The demo's project on every engine: the same raw data, and row for row the same tables."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conformance import demo
from conformance.warehouses import ENGINES, Warehouse
from support import cli

RUNS = {"spark": 1}
"""How often an engine builds it, over and over; the others ten times."""


def build(warehouse: Warehouse, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Build all of it, changed as at the demo's end, with eight threads, again and again; the rows of each relation."""
    root = demo.copied(warehouse, folder)
    demo.load(warehouse, folder, monkeypatch)
    change = demo.change(root)
    change("mart")
    change("intermediate")
    for _ in range(RUNS.get(warehouse.name, 10)):
        cli.ok("build", "--exclude-resource-type", "test", cwd=root)
    results = cli.results(root)
    names = [unique_id.split(".")[2] for unique_id in results if unique_id.startswith(("model.", "seed."))]
    assert len(names) == 15
    return {name: rows(warehouse, name) for name in names}


def rows(warehouse: Warehouse, name: str) -> list[str]:
    """The rows as texts: the same value looks the same, whatever the driver makes of its type."""
    found = warehouse.query(f"select * from {warehouse.table('dev', name)}")
    return sorted(" | ".join(map(plain, row)) for row in found)


def plain(value: Any) -> str:
    if isinstance(value, float | Decimal):
        return f"{Decimal(str(value)).normalize():f}"
    return str(value)


@cache
def reference(folder: Path) -> Mapping[str, list[str]]:
    """DuckDB's answer, made once."""
    folder.mkdir()
    with pytest.MonkeyPatch.context() as monkeypatch, ENGINES["duckdb"](folder) as warehouse:
        return build(warehouse, folder, monkeypatch)


class TestDemo:
    """The demo's tables."""

    def test_they_are_equal_row_for_row(
        self, engine: str, warehouse: Warehouse, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        expected = reference(tmp_path_factory.getbasetemp() / "demo_on_duckdb")
        found = build(warehouse, tmp_path, monkeypatch)
        assert found.keys() == expected.keys()
        for name, theirs in expected.items():
            assert theirs, f"{name} is empty: nothing is compared"
            assert found[name] == theirs, name
