"""The page on dbt's adapter suite names classes that there are."""

from __future__ import annotations

import re

from architecture.source_tree import ROOT

PAGE = (ROOT / "docs/reference/conformance.md").read_text()
AREAS = (
    "aliases", "basic", "caching", "catalog", "column types", "concurrency", "constraints", "clone", "debug", "show", "empty",
    "ephemeral", "functions", "grants", "hooks", "incremental", "materialized view", "persist docs", "python model",
    "query comment", "relations", "sample mode", "simple copy", "seed", "snapshot", "store test failures", "unit testing",
    "utils",
)  # fmt: skip


def test_every_area_has_classes() -> None:
    rows = dict(re.findall(r"^\| ([a-z ]+) \| (`.*) \|$", PAGE, re.MULTILINE))
    assert set(rows) == set(AREAS)


def test_every_class_is_there() -> None:
    suite = "".join(file.read_text() for file in (ROOT / "tests/conformance").glob("test_*.py"))
    there = set(re.findall(r"^class (Test\w+)", suite, re.MULTILINE))
    assert set(re.findall(r"`(Test\w+)`", PAGE)) - there == set()
