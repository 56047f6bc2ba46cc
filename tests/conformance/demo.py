"""The demo's project in the hands of a test: a copy of it, and its raw data in the engine."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conformance.warehouses import Warehouse
from support import postgres

DEMO = Path(__file__).resolve().parents[2] / "examples" / "ecommerce"
SCALE = 0.01
LEFT_BEHIND = ("target", "logs", "*.duckdb*", "raw_data", "spark-warehouse", "metastore_db", "profiles", "__pycache__")


@contextmanager
def programs() -> Iterator[None]:
    """The demo's own programs can be imported: what fills the engines here is what fills them there."""
    sys.path.insert(0, str(DEMO))
    try:
        yield
    finally:
        sys.path.remove(str(DEMO))
        for name in ("engines", "generate_data", "changes"):
            sys.modules.pop(name, None)


def copied(warehouse: Warehouse, folder: Path) -> Path:
    """A copy of the project that builds on the engine, with eight threads."""
    root = folder / "ecommerce"
    shutil.copytree(DEMO, root, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    target = {**warehouse.target("dev"), "threads": 8}
    (root / "profiles.yml").write_text(json.dumps({"ecommerce": {"target": "dev", "outputs": {"dev": target}}}))
    return root


def load(warehouse: Warehouse, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The raw data into schema `raw`."""
    with programs():
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


def change(root: Path) -> Callable[[str], None]:
    """The demo's changes, to a copy of the project."""
    with programs():
        import changes  # type: ignore[import-not-found]

        known = dict(changes.CHANGES)

    def apply(name: str) -> None:
        path, anchor, addition = known[name]
        file = root / path
        text = file.read_text()
        assert anchor in text
        file.write_text(text.replace(anchor, anchor + addition))

    return apply
