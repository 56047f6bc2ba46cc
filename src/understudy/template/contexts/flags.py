"""What the run was started with: flags, target, times, names (dbt 1.11: ConfiguredContext)."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Mapping
from typing import Any

from understudy.core.project import Settings, target_dict
from understudy.template.contexts.modules import Modules
from understudy.template.state import State

DBT_VERSION = "1.11.16"
"""What `dbt_version` answers: packages ask which dbt they run in."""

DEFAULT_FLAGS: Mapping[str, Any] = {
    **dict.fromkeys(
        (
            "FULL_REFRESH", "STORE_FAILURES", "EMPTY", "FAIL_FAST", "DEFER", "FAVOR_STATE", "DEBUG", "QUIET", "WARN_ERROR",
            "CACHE_SELECTED_ONLY",
        ),
        False,
    ),
    **dict.fromkeys(("PRINT", "INTROSPECT", "WRITE_JSON", "VERSION_CHECK", "PARTIAL_PARSE", "POPULATE_CACHE"), True),
    "INDIRECT_SELECTION": "eager",
}  # fmt: skip
"""What flags are that nobody set (dbt 1.11's defaults)."""


def flag(settings: Settings, name: str) -> Any:
    """The value of a flag, however its name is written; None when there is no such flag."""
    flags = settings.flags
    for spelling in (name, name.lower(), name.upper()):
        if spelling in flags:
            return flags[spelling]
    return None


OF_THE_RUN: Mapping[str, str] = {
    "invocation_id": "clock", "run_started_at": "clock", "invocation_args_dict": "run", "dbt_metadata_envs": "run"
}  # fmt: skip
"""Names whose values another run may find changed, with what is noted (core.input)."""


class Flags:
    """`flags.FULL_REFRESH` and the others, in capitals as in dbt."""

    __slots__ = ("_flags", "_note")

    def __init__(self, flags: Mapping[str, Any], note: Callable[[str], None] = lambda name: None) -> None:
        self._note = note
        self._flags = {**DEFAULT_FLAGS, **{name.upper(): value for name, value in flags.items()}}

    def __getattr__(self, name: str) -> Any:
        self._note(name.upper())
        try:
            return self._flags[name.upper()]
        except KeyError:
            raise AttributeError(name) from None

    def get(self, name: str, default: Any = None) -> Any:
        """A flag, or the default."""
        self._note(name.upper())
        return self._flags.get(name.upper(), default)


def modules(state: State) -> Modules:
    """`modules`: parts of Python's."""

    def old(name: str) -> None:
        message = f"modules.itertools.{name} is deprecated: use what Jinja has"
        state.notify("ModulesItertoolsUsageDeprecation", message, state.place)

    return Modules(lambda: state.note("run"), old)


def run_started_at(state: State) -> datetime.datetime | None:
    """When the run began, in UTC."""
    if not state.settings.started_at:
        return None
    started = datetime.datetime.fromisoformat(state.settings.started_at)
    return started if started.tzinfo else started.replace(tzinfo=datetime.UTC)


def arguments(state: State) -> dict[str, Any]:
    """`invocation_args_dict`: the flags under the names of the command line, and what stood there."""
    flags = {name.lower(): value for name, value in state.settings.flags.items()}
    return {"vars": {}, "select": [], "exclude": [], **flags, **state.settings.arguments}


MEMBERS: dict[str, Callable[[State], Any]] = {
    "dbt_version": lambda state: DBT_VERSION,
    "project_name": lambda state: state.settings.root.name,
    "target": lambda state: target_dict(state.settings.target),
    "env": lambda state: target_dict(state.settings.target),
    "flags": lambda state: Flags(state.settings.flags, lambda name: state.note("flag", name)),
    "invocation_id": lambda state: state.settings.invocation_id,
    "invocation_args_dict": arguments,
    "run_started_at": run_started_at,
    "thread_id": lambda state: threading.current_thread().name,
    "modules": modules,
    "dbt_metadata_envs": lambda state: dict(state.settings.metadata_envs),
    "selected_resources": lambda state: [],
    "execute": lambda state: state.execute,
}
