"""The body of every command: resolve the options, open the console, run the pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from understudy.app.events import WarningRaised
from understudy.app.invocation import Emit, Outcome
from understudy.app.options import Options, WarnRules, resolve
from understudy.cli.console import Console
from understudy.cli.failures import guarded
from understudy.errors import UnderstudyError, UsageError

T = TypeVar("T")

LOGLESS = ("clean", "debug", "init")
"""Commands that leave no log file behind."""


def run(command: str, given: Mapping[str, Any]) -> int:
    """Run a command with what stood on the command line. Returns the exit code; raises UsageError for bad options."""
    environ, cwd = os.environ, os.getcwd()
    options, log_folder = prepare(command, given, environ, cwd)
    console = Console(options, environ, log_folder)
    try:
        return guarded(lambda: perform(options, console, environ, cwd).exit_code, console)
    finally:
        console.close()


def prepare(command: str, given: Mapping[str, Any], environ: Mapping[str, str], cwd: str) -> tuple[Options, str | None]:
    """The options of a command, and the folder of its log file, if it has one. Raises UsageError."""
    options = resolve(command, given, environ)
    root, project = _project(options, cwd)
    from understudy.project.profiles import find_profiles_dir, moved_flags

    flags = project.get("flags") or moved_flags(find_profiles_dir(options.profiles_dir, environ, cwd, root))
    if isinstance(flags, dict) and flags:
        options = resolve(command, given, environ, flags)
    return options, _log_folder(options, root, project, cwd)


def perform(options: Options, emit: Emit, environ: Mapping[str, str], cwd: str) -> Outcome:
    """Run the pipeline. Raises UnderstudyError when nothing could be run."""
    from understudy.app.pipeline import run_command

    rules = WarnRules.of(options)
    for note in options.notes:
        verdict = rules.verdict(note.name)
        if verdict == "error":
            raise UsageError(note.message, hint="--warn-error made this warning an error")
        if verdict == "warn":
            emit(WarningRaised(note))
    return _profiled(options, cwd, lambda: run_command(options, emit, environ=environ, cwd=cwd))


def _project(options: Options, cwd: str) -> tuple[str, Mapping[str, Any]]:
    """The project's folder and the raw map of its dbt_project.yml; empty where it cannot be read, which is told later."""
    from understudy.project.project_file import read_raw
    from understudy.project.settings import find_project_dir

    root = find_project_dir(options.project_dir, cwd)
    try:
        return root, read_raw(root).values
    except (UnderstudyError, OSError):
        return root, {}


def _log_folder(options: Options, root: str, project: Mapping[str, Any], cwd: str) -> str | None:
    if options.command in LOGLESS or (not project and options.log_path is None):
        return None
    if options.log_path is not None:
        return os.path.normpath(os.path.join(cwd, options.log_path))
    configured = project.get("log-path")
    return os.path.join(root, configured if isinstance(configured, str) and "{{" not in configured else "logs")


def _profiled(options: Options, cwd: str, action: Callable[[], T]) -> T:
    """Do the action; with --record-timing-info, write cProfile's figures."""
    if options.record_timing_info is None:
        return action()
    import cProfile

    profile = cProfile.Profile()
    try:
        return profile.runcall(action)
    finally:
        profile.dump_stats(os.path.join(cwd, options.record_timing_info))
