"""The demo's project on every engine: the same raw data, and row for row the same tables."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conformance.warehouses import ENGINES, Warehouse
from support import cli, postgres

DEMO = Path(__file__).resolve().parents[2] / "examples" / "ecommerce"
SCALE = 0.01
LEFT_BEHIND = ("target", "logs", "*.duckdb*", "raw_data", "spark-warehouse", "metastore_db", "profiles", "__pycache__")


@pytest.fixture(autouse=True)
def demo_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The demo's own programs: what fills the engines here is what fills them there."""
    monkeypatch.syspath_prepend(str(DEMO))
    yield
    for name in ("engines", "generate_data", "changes"):
        sys.modules.pop(name, None)


def load(warehouse: Warehouse, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The raw data into schema `raw`."""
    import engines  # type: ignore[import-not-found]
    import generate_data  # type: ignore[import-not-found]

    raw = folder / "raw_data"
    generate_data.write_csv(generate_data.make_tables(SCALE), raw)
    match warehouse.name:
        case "duckdb":
            generate_data.load_duckdb(raw, Path(warehouse.target("raw")["path"]))
        case "postgres":
            for name, value in postgres.server().environment.items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("PGDATABASE", warehouse.target("raw")["database"])
            engines.load_postgres(raw)
        case "spark":
            monkeypatch.chdir(folder)
            engines.load_spark(raw)


def build(warehouse: Warehouse, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Build all of it, changed as at the demo's end, with eight threads; the rows of each relation, sorted."""
    root = folder / "ecommerce"
    shutil.copytree(DEMO, root, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    target = {**warehouse.target("dev"), "threads": 8}
    (root / "profiles.yml").write_text(json.dumps({"ecommerce": {"target": "dev", "outputs": {"dev": target}}}))
    load(warehouse, folder, monkeypatch)
    changes: Callable[..., None] = change(root)
    changes("mart")
    changes("intermediate")
    cli.ok("build", "--exclude-resource-type", "test", cwd=root)
    results = cli.results(root)
    names = [unique_id.split(".")[2] for unique_id in results if unique_id.startswith(("model.", "seed."))]
    assert len(names) == 15
    return {name: rows(warehouse, name) for name in names}


def change(root: Path) -> Callable[[str], None]:
    """The demo's changes, to a copy of the project."""
    import changes  # type: ignore[import-not-found]

    def apply(name: str) -> None:
        path, anchor, addition = changes.CHANGES[name]
        file = root / path
        text = file.read_text()
        assert anchor in text
        file.write_text(text.replace(anchor, anchor + addition))

    return apply


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
