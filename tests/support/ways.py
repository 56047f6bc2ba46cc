"""A project in which SQL reaches other nodes in every way that there is, with a mark in each (`'w_model'`), and who must be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PROD, OWN = "prod", "own"
UPSTREAM = "up|up_view|up_inc|up_ver_v1|up_ver_v2|codes|snap|twice"
PLACE = re.compile(rf'"(?P<schema>\w+)"\."(?:{UPSTREAM})"')
MARK = re.compile(r"'(w_\w+)'")
BOUNDED = re.compile(r"where false limit 0|where false\s+limit 0", re.IGNORECASE)

PROJECT = Path(__file__).resolve().parent.parent / "projects/every_way"
FILES = {
    str(path.relative_to(PROJECT)): path.read_text()
    for path in sorted(PROJECT.rglob("*"))
    if path.is_file() and path.suffix in (".sql", ".yml", ".csv")
}
"""The project without a profile, by path."""
UP = ("up", "up_view", "up_inc", "up_ver", "codes", "snap", "twice")
STATE = ("--state", "prod-artifacts")
ID_TYPES = {"prod": "bigint", "old": "smallint", "mine": "integer"}
"""The type of up's key, by schema."""

RELATIONS = {
    "w_model", "w_two_arguments", "w_view", "w_incremental", "w_version", "w_latest_version", "w_seed", "w_snapshot",
    "w_ephemeral", "w_inside_ephemeral", "w_renamed", "w_get_relation", "w_load_relation", "w_star",
}  # fmt: skip
"""Marks of models: in their own SQL."""
WHILE_COMPILING = {"w_run_query", "w_statement", "w_column_values"}
"""Marks of what templates ask while a model is compiled."""
RUN_HOOKS = {"w_on_run_start", "w_on_run_end"}
MODEL_HOOKS = {"w_pre_hook", "w_post_hook", "w_hook_macro"}
TESTS = {"w_singular_test", "w_generic_test", "w_stored_test"}
WAYS: dict[str, set[str]] = {
    "run": RELATIONS | WHILE_COMPILING | RUN_HOOKS | MODEL_HOOKS,
    "build": RELATIONS | WHILE_COMPILING | RUN_HOOKS | MODEL_HOOKS | TESTS | {"w_snapshot_node"},
    "test": RUN_HOOKS | TESTS,
    "snapshot": RUN_HOOKS | {"w_snapshot_node"},
    "compile": RELATIONS | WHILE_COMPILING | TESTS | {"w_snapshot_node", "w_analysis"},
    "docs generate": RELATIONS | WHILE_COMPILING | TESTS | {"w_snapshot_node", "w_analysis"},
    "show": RELATIONS | WHILE_COMPILING | {"w_analysis"},
}
"""Command -> the ways that it must go. Functions stand apart: nobody lists them, so a copy is never seen (dbt: the same)."""


@dataclass(frozen=True)
class Column:
    """A set of flags, in a target where the node stands (`mine`) or does not (`dev`), and whom references must read."""

    name: str
    target: str
    flags: tuple[str, ...]
    read: str
    commands: tuple[str, ...] = tuple(WAYS)
    bounded: bool = False


SAMPLE = "{start: 2020-01-01, end: 2030-01-01}"
COLUMNS = (
    Column("missing", "dev", ("--defer", *STATE), PROD),
    Column("copy", "mine", ("--defer", *STATE), OWN),
    Column("favored", "mine", ("--defer", "--favor-state", *STATE), PROD),
    Column("stale", "old", ("--defer", "--favor", "current", *STATE), PROD),
    Column("current", "mine", ("--defer", "--favor", "current", *STATE), OWN),
    Column("off", "mine", ("--no-defer", *STATE), OWN),
    Column("empty", "dev", ("--defer", "--empty", *STATE), PROD, ("run", "build", "snapshot"), bounded=True),
    Column("sample", "dev", ("--defer", "--sample", SAMPLE, *STATE), PROD, ("run", "build")),
)


def places(texts: list[str]) -> dict[str, set[str]]:
    """Mark -> the schemas of the upstream nodes in the texts that carry it."""
    found: dict[str, set[str]] = {}
    for text in texts:
        for mark in MARK.findall(text):
            found.setdefault(mark, set()).update(match["schema"] for match in PLACE.finditer(text))
    return found
