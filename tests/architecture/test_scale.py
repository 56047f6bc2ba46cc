"""Work grows with the project and not faster: the lines of the engine that run for four times as many models are counted.

A step that looks at all models for each model would show here, whatever machine the test runs on.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from architecture.source_tree import PACKAGE, ROOT
from support.cli import ok

SMALL, TIMES = 60, 4
ALLOWED = 1.1
"""So much more than proportionally; sorting is a little more."""
HOME = str(PACKAGE)

COMMANDS = {
    "parse": ("parse", "--no-partial-parse"),
    "kept": ("ls", "-s", "tag:none"),
    "list": ("ls", "-s", "+view_00059+"),
    "changed": ("ls", "-s", "state:modified+", "--state", "prod"),
    "plan": ("plan",),
    "build": ("build", "--threads", "2"),
    "again": ("build", "--threads", "2"),
    "one by one": ("test", "--threads", "1", "--no-fuse-tests"),
    "compile": ("compile",),
    "docs": ("docs", "generate"),
}


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Count the lines of the engine that run, by file: a loop's counts each time it comes round, also in a comprehension."""
    counts: Counter[str] = Counter()

    def line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            counts[frame.f_code.co_filename] += 1
        return line

    def call(frame: FrameType, *_: Any) -> Any:
        return line if frame.f_code.co_filename.startswith(HOME) else None

    before = sys.gettrace()
    threading.settrace(call)
    sys.settrace(call)
    try:
        yield counts
    finally:
        sys.settrace(before)
        threading.settrace(before)  # type: ignore[arg-type]


def counted(root: Path, models: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, Counter[str]]:
    """What each command runs on a project of so many models."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    import gen_views  # type: ignore[import-not-found]

    gen_views.main(root, models)
    ok("parse", "--target-path", "prod", cwd=root)
    found = {}
    for name, command in COMMANDS.items():
        with counting() as counts:
            ok(*command, cwd=root)
        found[name] = counts
    return found


@pytest.mark.slow
def test_work_grows_with_the_project_and_not_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = counted(tmp_path / "few", SMALL, monkeypatch)
    many = counted(tmp_path / "many", SMALL * TIMES, monkeypatch)
    steep = {
        (name, Path(file).name): (few[name][file], count)
        for name in COMMANDS
        for file, count in many[name].items()
        if count > ALLOWED * TIMES * few[name][file] + 50 * TIMES * TIMES
    }
    assert steep == {}
    assert all(sum(counts.values()) > SMALL for counts in few.values())


def test_what_is_counted(tmp_path: Path) -> None:
    """A loop in a loop is found, also in one line."""

    def lines(n: int) -> int:
        code = compile("[a for a in range(n) for b in range(n)]", f"{HOME}/made_up.py", "exec")
        with counting() as counts:
            exec(code, {"n": n})
        return sum(counts.values())

    assert lines(40) > 10 * lines(10)
