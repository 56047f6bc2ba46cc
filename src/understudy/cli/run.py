"""The body of every command: resolve the options, open the console, run the pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from understudy.app.events import Event, WarningRaised
from understudy.app.options import Options, WarnRules, resolve
from understudy.cli.console import open_console
from understudy.cli.failures import guarded
from understudy.errors import UnderstudyError, UsageError

LOGLESS = ("clean", "debug", "init")
"""Commands that leave no log file behind."""


def run(command: str, given: Mapping[str, Any]) -> int:
    """Run a command with what stood on the command line. Returns the exit code; raises UsageError for bad options."""
    options = resolve(command, given, os.environ)
    root, project = _project(options)
    flags = project.get("flags")
    if isinstance(flags, dict) and flags:
        options = resolve(command, given, os.environ, flags)
    console = open_console(options, _log_folder(options, root, project))
    try:
        return guarded(lambda: _profiled(options, lambda: _pipeline(options, console)), console)
    finally:
        console.close()


def _pipeline(options: Options, emit: Callable[[Event], None]) -> int:
    from understudy.app.pipeline import run_command

    rules = WarnRules.of(options)
    for note in options.notes:
        verdict = rules.verdict(note.name)
        if verdict == "error":
            raise UsageError(note.message, hint="--warn-error made this warning an error")
        if verdict == "warn":
            emit(WarningRaised(note))
    return run_command(options, emit).exit_code


def _project(options: Options) -> tuple[str, Mapping[str, Any]]:
    """The project's folder and the raw map of its dbt_project.yml; empty where it cannot be read, which is told later."""
    from understudy.project.project_file import read_raw
    from understudy.project.settings import find_project_dir

    root = find_project_dir(options.project_dir, os.getcwd())
    try:
        return root, read_raw(root).values
    except (UnderstudyError, OSError):
        return root, {}


def _log_folder(options: Options, root: str, project: Mapping[str, Any]) -> str | None:
    if options.command in LOGLESS or (not project and options.log_path is None):
        return None
    if options.log_path is not None:
        return os.path.abspath(options.log_path)
    configured = project.get("log-path")
    return os.path.join(root, configured if isinstance(configured, str) and "{{" not in configured else "logs")


def _profiled(options: Options, action: Callable[[], int]) -> int:
    """Do the action; with --record-timing-info, write cProfile's figures."""
    if options.record_timing_info is None:
        return action()
    import cProfile

    profile = cProfile.Profile()
    try:
        return profile.runcall(action)
    finally:
        profile.dump_stats(options.record_timing_info)
