"""docs/reference/engines.md: what each engine can do, from the conformance suite and the marks of its gaps."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
KINDS = {
    "notimpl": "The engine could; we do not do it.",
    "notyet": "The engine, or its driver, cannot do it today.",
    "never": "The engine has no such thing.",
}
NUMBERED = re.compile(r"-[a-z_]+\d+(?=-|$)")
"""How pytest names a parameter that is no text."""
TITLES = {"duckdb": "DuckDB", "postgres": "PostgreSQL", "spark": "Spark", "iceberg": "Spark with Iceberg"}
HEAD = """# Engines

What each engine can do is what the conformance suite (`tests/conformance/`) shows, which runs on all of them, each a real
one. A gap is marked in its test, with its kind, its reason, and the error that it ends in; a mark whose gap has closed
fails the suite. This page is made from the suite and its marks. Iceberg is a format of Spark's tables: it runs the parts of the
suite in which that matters, and where its column is empty, Spark's counts.

"""


@dataclass(frozen=True)
class Tried:
    """One test on one engine; `gap` is (kind, reason) where it is marked."""

    engine: str
    ability: str
    what: str
    gap: tuple[str, str] | None


class Collector:
    """A plugin of pytest that keeps what was collected."""

    def __init__(self) -> None:
        self.tried: list[Tried] = []
        self.alone: dict[str, int] = {}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        for item in items:
            call = getattr(item, "callspec", None)
            engine = call.params.get("engine") if call is not None else None
            if engine is not None:
                self.tried.append(Tried(engine, ability(item), what(item, engine), gap(item, engine)))


def ability(item: Any) -> str:
    """What a class of tests shows: its first sentence, below its module's."""
    owner = item.cls or item.module
    area = (item.module.__doc__ or item.module.__name__).partition(":")[0].partition(".")[0]
    sentence = (owner.__doc__ or owner.__name__).strip().partition("\n")[0].rstrip(".")
    small = sentence if sentence[1].isupper() else sentence[0].lower() + sentence[1:]
    return area if owner is item.module else f"{area}: {small}"


def what(item: Any, engine: str) -> str:
    """A test's name as words, with its parameters beside the engine."""
    name = item.originalname.removeprefix("test_").replace("_", " ")
    others = item.callspec.id.removeprefix(engine).removeprefix("-").removesuffix(engine).removesuffix("-")
    others = NUMBERED.sub("", others).encode("ascii").decode("unicode_escape").replace("|", "\\|")
    return f"{name} (`{others}`)" if others else name


def gap(item: Any, engine: str) -> tuple[str, str] | None:
    """The kind and the reason of the gap that a test is marked with on an engine."""
    for kind in KINDS:
        for mark in item.iter_markers(kind):
            if engine in mark.args:
                return kind, mark.kwargs["reason"]
    return None


def collect() -> list[Tried]:
    """All tests of the suite on all engines; nothing is run."""
    collector = Collector()
    said = io.StringIO()
    options = ["--collect-only", "--all-engines", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={ROOT}"]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main([*options, "-c", str(ROOT / "pyproject.toml"), str(ROOT / "tests/conformance")], [collector])
    if code != 0:
        sys.exit(f"the conformance suite cannot be collected:\n{said.getvalue()}")
    return collector.tried


def engine_reference(note: str) -> str:
    """The page."""
    tried = collect()
    engines = list(dict.fromkeys(each.engine for each in tried))
    return note + HEAD + abilities(tried, engines) + gaps(tried)


def abilities(tried: Iterable[Tried], engines: list[str]) -> str:
    """A row for each class of tests: how many tests pass, of how many."""
    rows: dict[str, dict[str, list[Tried]]] = {}
    for each in tried:
        rows.setdefault(each.ability, {}).setdefault(each.engine, []).append(each)
    lines = [
        f"| ability | {' | '.join(TITLES.get(engine, engine) for engine in engines)} |",
        "|---" * (len(engines) + 1) + "|",
    ]
    lines += [
        f"| {name} | {' | '.join(cell(found.get(engine, [])) for engine in engines)} |" for name, found in rows.items()
    ]
    return "\n".join(lines) + "\n\n"


def cell(tried: list[Tried]) -> str:
    passing = sum(each.gap is None for each in tried)
    return (
        "" if not tried else "yes" if passing == len(tried) else "no" if not passing else f"{passing} of {len(tried)}"
    )


def gaps(tried: Iterable[Tried]) -> str:
    """A row for each gap; tests with the same reason share it."""
    grouped: dict[tuple[str, str, str, str], dict[str, None]] = {}
    for each in tried:
        if each.gap is not None:
            grouped.setdefault((each.engine, each.ability, *each.gap), {})[each.what] = None
    head = "## Gaps\n\n" + "\n".join(f"- `{kind}`: {text}" for kind, text in KINDS.items())
    lines = [
        f"| {TITLES.get(engine, engine)} | {name} | {'; '.join(found)} | `{kind}` | {reason} |"
        for (engine, name, kind, reason), found in sorted(grouped.items())
    ]
    return "\n".join([head, "", "| engine | ability | test | kind | reason |", "|---|---|---|---|---|", *lines]) + "\n"
