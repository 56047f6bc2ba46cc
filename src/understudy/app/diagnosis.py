"""`debug`: what is found of installation, project, profile and target, and whether the target answers."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from understudy import __version__
from understudy.app.events import Checked
from understudy.app.invocation import Invocation, Outcome
from understudy.app.load import SECRET_FIELDS, settings_of
from understudy.core.project import DBT_VERSION, Settings
from understudy.core.statement import Statement
from understudy.errors import UnderstudyError
from understudy.project.profiles import find_profiles_dir
from understudy.project.settings import find_project_dir

T = TypeVar("T")


def diagnose(invocation: Invocation) -> Outcome:
    """Say what is found, a line each. Exit code 1 when something does not work."""
    options = invocation.options
    project_dir = find_project_dir(options.project_dir, invocation.cwd)
    profiles_dir = find_profiles_dir(options.profiles_dir, invocation.environ, invocation.cwd, project_dir)
    if options.config_dir:
        invocation.emit(Checked("profiles.yml is looked for in", profiles_dir))
        return Outcome(results=True)
    if not options.connection:
        _installation(invocation)
    settings = _attempt(invocation, "project and profile", lambda: settings_of(invocation))
    if settings is None:
        return Outcome(1, False)
    if not options.connection:
        _configuration(invocation, settings, profiles_dir)
    answers = _attempt(invocation, "connection", lambda: _answer(settings)) is not None
    return Outcome(0 if answers else 1, answers)


def _installation(invocation: Invocation) -> None:
    say = invocation.emit
    say(Checked("understudy", f"{__version__}, answers as dbt {DBT_VERSION}"))
    say(Checked("python", f"{platform.python_version()} ({sys.executable})"))
    say(Checked("system", platform.platform()))
    git = shutil.which("git")
    say(Checked("git", git or "not found; packages from git need it", None if git is None else True))


def _configuration(invocation: Invocation, settings: Settings, profiles_dir: str) -> None:
    say = invocation.emit
    say(Checked("dbt_project.yml", os.path.join(settings.root.root, "dbt_project.yml"), True))
    say(Checked("profiles.yml", os.path.join(profiles_dir, "profiles.yml"), True))
    say(Checked("target", f"{settings.target.name} of profile {settings.target.profile}"))
    for name, value in settings.target.credentials.items():
        shown = "*****" if any(word in name.lower() for word in SECRET_FIELDS) else str(value)
        say(Checked(f"  {name}", shown))


def _attempt(invocation: Invocation, subject: str, action: Callable[[], T]) -> T | None:
    """The action's answer, or None when it failed; either is told."""
    try:
        answer = action()
    except UnderstudyError as error:
        invocation.emit(Checked(subject, str(error), False))
        return None
    invocation.emit(Checked(subject, "works", True))
    return answer


def _answer(settings: Settings) -> bool:
    """Whether the engine answers a query. Raises what connecting raises."""
    from understudy.adapters.registry import open_adapter

    with closing(open_adapter(settings.target, settings.root.root)) as adapter, closing(adapter.connect()) as session:
        session.execute(Statement("select 1 as id", fetch=True, purpose="debug"))
    return True
