"""What each command acts on, as data: the pipeline reads it, nothing else knows."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from understudy.core.nodes import BUILT

LISTED = frozenset({
    "model", "snapshot", "seed", "test", "source", "exposure", "metric", "saved_query", "semantic_model", "unit_test",
    "function",
})  # fmt: skip
"""What `list` shows by default (dbt 1.11: ListTask.DEFAULT_RESOURCE_VALUES)."""


class Command(msgspec.Struct, frozen=True):
    """One command that selects.

    Attributes:
        types: the resource types that it acts on unless told otherwise.
        all_types: those that `--resource-type all` means.
        builds: those of them that it materializes: row 3 of the rule of deferral.
        hooks: whether `on-run-start` and `on-run-end` run with it.
        gates: whether a failed test holds up what depends on the tested node.
        connects: whether it needs the database in any case, as soon as something is selected.
        clones: whether it copies from a state's environment what it would build otherwise.
    """

    name: str
    types: frozenset[str]
    all_types: frozenset[str] = frozenset()
    builds: frozenset[str] = frozenset()
    hooks: bool = False
    gates: bool = False
    connects: bool = False
    clones: bool = False


BUILD_TYPES = frozenset({"model", "seed", "snapshot", "test", "unit_test", "saved_query", "exposure", "function"})
CLONED = frozenset({"model", "seed", "snapshot"})
"""What has a relation that can be copied (dbt 1.11: REFABLE_NODE_TYPES)."""
COMPILED = frozenset({"model", "seed", "snapshot", "test", "analysis", "operation"})
COMMANDS = {
    command.name: command
    for command in (
        Command("list", LISTED, LISTED | {"analysis"}),
        Command("compile", COMPILED, COMPILED),
        Command("show", COMPILED, COMPILED),
        Command("run-operation", frozenset()),
        Command("source freshness", frozenset({"source"}), hooks=True),
        Command("docs generate", COMPILED, COMPILED),
        Command("run", frozenset({"model"}), builds=frozenset({"model"}), hooks=True, connects=True),
        Command("test", frozenset({"test", "unit_test"}), hooks=True, connects=True),
        Command("snapshot", frozenset({"snapshot"}), builds=frozenset({"snapshot"}), hooks=True, connects=True),
        Command("seed", frozenset({"seed"}), builds=frozenset({"seed"}), hooks=True, connects=True),
        Command("clone", CLONED, CLONED, builds=CLONED, clones=True, connects=True),
        Command("build", BUILD_TYPES, BUILD_TYPES, builds=BUILT, hooks=True, gates=True, connects=True),
    )
}

COMMANDS |= {
    name: replace(COMMANDS["build"], name=name, connects=False) for name in ("plan", "explain")
}  # they look ahead at it
