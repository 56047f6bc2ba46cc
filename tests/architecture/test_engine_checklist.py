"""The page on adding an engine names every part of the conformance suite."""

from __future__ import annotations

from architecture.source_tree import ROOT

OWN = ("test_duckdb_", "test_postgres_", "test_spark_")
"""What only one engine has."""


def test_the_checklist_is_complete() -> None:
    page = (ROOT / "docs/how-to/add-an-engine.md").read_text()
    parts = {file.name for file in (ROOT / "tests/conformance").glob("test_*.py") if not file.name.startswith(OWN)}
    assert {name for name in parts if f"`{name}`" not in page} == set()
