"""The rule of deferral: the only place that knows it. What stands here is the table of the user documentation.

The same table, written apart from this code, is `tests/unit/defer/truth_table.json`; the two are compared in full.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec


class Reason(StrEnum):
    """Why a reference goes where it goes; the value is what a person reads."""

    EPHEMERAL = "ephemeral: inlined"
    OFF = "deferral is off"
    BUILT = "built in this run"
    NOT_IN_STATE = "not in state"
    FAVORED = "favored: not selected"
    STALE = "in the target, but not known to be built from today's code"
    EXISTS = "exists in the target"
    MISSING = "not selected, missing in the target"
    NOT_BUILT = "selected, not built by this command, missing in the target"
    UNLISTED = "the target's schema could not be listed"
    UNREACHED = "nothing selected refers to it"

    @property
    def defers(self) -> bool:
        """Whether the state's relation is taken."""
        return self in (Reason.FAVORED, Reason.STALE, Reason.MISSING, Reason.NOT_BUILT)

    @property
    def row(self) -> str | None:
        """The row of the documentation's table that holds; None: the table was not asked."""
        return ROWS.get(self)


class Facts(msgspec.Struct, frozen=True):
    """What is known about one node in this run.

    Attributes:
        ephemeral: it is ephemeral in today's project.
        selected: it matches the selection, before the command's resource types filter it.
        builds: this run materializes it, given that it is selected.
        prior: a state gives a relation for it.
        exists: its own relation exists in the target; None: not asked, or the schema could not be listed.
        current: the own relation is known to be built from today's code; matters to `--favor current` only.
    """

    ephemeral: bool
    selected: bool
    builds: bool
    prior: bool
    exists: bool | None
    current: bool = False


class Policy(msgspec.Struct, frozen=True):
    """`--defer`, `--favor-state` (`--favor state`) and `--favor current`."""

    defer: bool = False
    favor_state: bool = False
    favor_current: bool = False


# UNLISTED is no answer but an error, which the caller reports. UNREACHED is for nodes that nobody asked the rule about.
RULE: tuple[tuple[Callable[[Facts, Policy], bool], Reason], ...] = (
    (lambda facts, policy: facts.ephemeral, Reason.EPHEMERAL),
    (lambda facts, policy: not policy.defer, Reason.OFF),
    (lambda facts, policy: facts.selected and facts.builds, Reason.BUILT),
    (lambda facts, policy: not facts.prior, Reason.NOT_IN_STATE),
    (lambda facts, policy: policy.favor_state and not facts.selected, Reason.FAVORED),
    (lambda facts, policy: facts.exists is None, Reason.UNLISTED),
    (lambda facts, policy: policy.favor_current and facts.exists is True and not facts.current, Reason.STALE),
    (lambda facts, policy: facts.exists is True, Reason.EXISTS),
    (lambda facts, policy: not facts.selected, Reason.MISSING),
    (lambda facts, policy: True, Reason.NOT_BUILT),
)
"""The rows in their order: the first whose condition holds decides."""
ROWS: dict[Reason, str] = {
    Reason.EPHEMERAL: "1", Reason.OFF: "2", Reason.BUILT: "3", Reason.NOT_IN_STATE: "4", Reason.FAVORED: "5",
    Reason.STALE: "5a", Reason.EXISTS: "6", Reason.MISSING: "7", Reason.NOT_BUILT: "8",
}  # fmt: skip
"""What the rows are called in the documentation."""


def decide(facts: Facts, policy: Policy) -> Reason:
    """Which row of the rule holds (design: deferral.md, "The rule")."""
    return next(reason for holds, reason in RULE if holds(facts, policy))


def depends_on_existence(facts: Facts, policy: Policy) -> bool:
    """Whether the answer hangs on the node's own relation, so that somebody has to ask for it."""
    return decide(Facts(facts.ephemeral, facts.selected, facts.builds, facts.prior, None), policy) is Reason.UNLISTED
