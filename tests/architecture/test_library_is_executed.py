"""Every macro of the standard library is called in the conformance suite, which executes what it says on every engine."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch

from architecture.source_tree import ROOT

from understudy.stdlib.registry import BUILTINS

PUBLIC = frozenset(name for name in BUILTINS if "__" not in name)
"""The others (`default__x`, `postgres__x`) are what these dispatch to."""

NOT_CALLED = {
    "materialization_*": "names in the manifest: a config chooses them, and every build of the suite runs them",
    "create_or_replace_clone": "for formats that copy a table without its rows (delta), which no engine of the suite has",
}
"""Patterns, and why there is no result of theirs to execute."""


def named() -> set[str]:
    """The words that texts of the suite call, and those of texts that are only words (lists of steps)."""
    found: set[str] = set()
    for file in (ROOT / "tests/conformance").glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"\b(\w+)\(", node.value))
                if re.fullmatch(r"[\w\s]+", node.value):
                    found |= set(node.value.split())
    return found


def test_every_macro_is_called_or_has_a_reason() -> None:
    missing = PUBLIC - named()
    assert sorted(name for name in missing if not any(fnmatch(name, pattern) for pattern in NOT_CALLED)) == []


def test_no_reason_is_left_over() -> None:
    missing = PUBLIC - named()
    assert [pattern for pattern in NOT_CALLED if not any(fnmatch(name, pattern) for name in missing)] == []


def test_the_suite_is_read() -> None:
    assert len(PUBLIC) > 250
    assert {"dateadd", "get_grant_sql", "snapshot_merge_sql"} <= PUBLIC & named()
