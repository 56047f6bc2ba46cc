"""One invocation: what the user asked for, where and when, and whom to tell. Handed down; there are no globals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from understudy.app.events import Event, WarningRaised
from understudy.app.options import Options, WarnRules
from understudy.core.warning import Warning_
from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.execute.worker import Again

Emit = Callable[[Event], None]


class Retried(msgspec.Struct, frozen=True):
    """The run that `retry` takes up: the nodes of it that are run `again`, and `all` that it was about.

    `batches`: of its microbatch models, which batches failed.
    """

    again: frozenset[str]
    all: frozenset[str]
    batches: Mapping[str, Again] = msgspec.field(default_factory=dict)


class Invocation(msgspec.Struct, frozen=True):
    """What every step of the pipeline may need to know about the run as a whole.

    Attributes:
        environ: the environment, read once.
        cwd: the folder the user stands in, absolute.
        started: with its zone (UTC).
        emit: takes events; callable from any thread.
        rules: what becomes of warnings.
        retried: the run that this one takes up; None: it begins anew.
    """

    options: Options
    environ: Mapping[str, str]
    cwd: str
    id: str
    started: datetime
    emit: Emit
    rules: WarnRules
    retried: Retried | None = None

    def warn(self, *warnings: Warning_) -> None:
        """Tell of warnings. Raises UsageError for the first that the user made an error (`--warn-error`)."""
        for warning in warnings:
            match self.rules.verdict(warning.name):
                case "warn":
                    self.emit(WarningRaised(warning))
                case "error":
                    hint = f"It is a warning that the options make an error; its name is {warning.name}"
                    raise UsageError(warning.message, place=warning.place, hint=hint)


class Outcome(msgspec.Struct, frozen=True):
    """How a command ended, for the shell; `results` are what it found or did, for programs (see understudy.api)."""

    exit_code: int = 0
    results: Any = None
