"""`retry`: the last run once more, for what did not succeed (dbt 1.11: RetryTask)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from understudy.app.event_time import unfinished
from understudy.app.events import Logged
from understudy.app.invocation import Invocation, Retried
from understudy.app.load import project_options
from understudy.app.option_table import ARGUMENTS, options_of
from understudy.app.options import COMMANDS, Options, WarnRules, convert, variables
from understudy.artifacts.run_results import PriorResults, decode_results
from understudy.artifacts.state_files import RUN_RESULTS
from understudy.artifacts.unfinished import read_unfinished
from understudy.errors import Place, StateError, UsageError
from understudy.project.layout import load_layout

AGAIN = frozenset({"error", "fail", "skipped", "runtime error", "partial success"})
REPEATED = frozenset({
    "select", "exclude", "selector", "resource_types", "exclude_resource_types", "indirect_selection", "state", "defer",
    "defer_state", "favor_state", "verify_state", "state_max_age", "full_refresh", "fail_fast", "threads",
    "store_failures", "empty", "sample", "event_time_start", "event_time_end", "target", "profile", "vars", "args",
    "clone_incrementals", "clone_limit", "introspect", "compile_", "empty_catalog", "static", "warn_error_options",
})  # fmt: skip
"""Options that say what the run was. The others, such as the folders, are today's."""
HIDDEN = "*****"


def take_up(invocation: Invocation) -> Invocation | None:
    """The earlier run as an invocation of its command; None where nothing is left to do, which is told.

    A run that was killed left no results, but a journal of those until then.

    Raises:
        StateError: there is no earlier run, or its file is damaged.
        UsageError: what it did cannot be done again.
    """
    path, flag = _results_path(invocation)
    unfinished_run = read_unfinished(os.path.dirname(path))
    results = _read(path, flag) if unfinished_run is None else unfinished_run
    options = earlier_options(invocation.options, results, path)
    statuses = AGAIN | ({"warn"} if invocation.options.warn_error else set())
    again = [each.unique_id for each in results.results if each.status in statuses]
    operation = options.command == "run-operation"
    nodes = frozenset(each for each in again if operation or not each.startswith("operation."))
    if not nodes:
        invocation.emit(Logged(f"Nothing to retry: all went well in the last '{options.command}'", "info"))
        return None
    everything = frozenset(each.unique_id for each in results.results)
    return replace(
        invocation,
        options=options,
        rules=WarnRules.of(options),
        retried=Retried(nodes, everything, unfinished(results.results)),
    )


def _results_path(invocation: Invocation) -> tuple[str, str]:
    """The file, and what named its folder: `--state` of the command line, else the target directory."""
    options = invocation.options
    layout = load_layout(project_options(invocation))
    if options.state is None or not options.origin("state").startswith("-"):
        return os.path.join(layout.target_dir, RUN_RESULTS), options.origin("target_path")
    folder = os.path.expanduser(options.state)
    tried = [os.path.join(base, folder, RUN_RESULTS) for base in (invocation.cwd, layout.root.root)]
    return next(filter(os.path.isfile, tried), tried[0]), "--state"


def _read(path: str, flag: str) -> PriorResults:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError as error:
        hint = "retry takes up a run of this project; --target-path or --state names the folder of its run_results.json"
        raise StateError("There is no earlier run to retry", place=Place(path), hint=hint) from error
    except OSError as error:
        raise StateError(f"The earlier run cannot be read: {error.strerror}", place=Place(path)) from error
    return decode_results(data, origin=path, flag=flag)


def earlier_options(given: Options, results: PriorResults, path: str) -> Options:
    """The earlier run's options; those that `retry` was given on its command line win, and say all that a run is not.

    Raises UsageError: the command cannot be retried, or the file's arguments make no sense.
    """
    which = results.args.get("which")
    command = next((name for name in COMMANDS if name.rpartition(" ")[2] == which), None)
    if command is None or not _retryable(command):
        raise UsageError(f"The last run was {which!r}, which cannot be retried", place=Place(path))
    rows = {row.name: row for row in options_of(command)}
    fresh = Options(command)
    values: dict[str, Any] = {}
    origins = {name: origin for name, origin in given.origins.items() if name not in REPEATED}
    for name in REPEATED:
        values[name] = getattr(fresh, name)
        if name != "state" and given.origins.get(name, "").startswith("-"):
            values[name], origins[name] = getattr(given, name), given.origins[name]
        elif name in rows and (told := results.args.get(name.rstrip("_"))) not in (None, [], {}):
            raw = f"{told}s" if rows[name].kind == "age" else told
            values[name], origins[name] = convert(rows[name], raw, path), f"{rows[name].flag} of the last run"
    argument = ARGUMENTS.get(command)
    if argument is not None:
        values[argument.name] = origins[argument.name] = str(results.args.get(argument.name))
    found = replace(given, command=command, **values, origins=origins)
    _visible(found, path)
    return found


def _retryable(command: str) -> bool:
    from understudy.app.commands import COMMANDS as SELECTING

    return command not in ("list", "show", "source freshness") and command in SELECTING


def _visible(options: Options, path: str) -> None:
    """Secrets are not written down, so they cannot be repeated. Raises UsageError."""
    if _hides(variables(options)):
        hint = "Give them again: retry --vars '{...}'"
        raise UsageError("The last run's --vars held a secret, which was not recorded", place=Place(path), hint=hint)


def _hides(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_hides, value.values()))
    if isinstance(value, list):
        return any(map(_hides, value))
    return isinstance(value, str) and HIDDEN in value
