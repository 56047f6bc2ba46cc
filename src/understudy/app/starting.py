"""`init`: a new project that builds at once (dbt 1.11: InitTask)."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping

from understudy.app.events import Logged
from understudy.app.invocation import Invocation, Outcome
from understudy.app.starter import FILES, PROFILES
from understudy.errors import Place, ProfileError, ProjectError, UsageError, did_you_mean
from understudy.parse import yaml
from understudy.project.profiles import find_profiles_dir
from understudy.project.project_file import FILE, RawProject, read_package
from understudy.project.settings import find_project_dir

NEXT = "cd {name} && understudy build"


def init(invocation: Invocation) -> Outcome:
    """Write a new project into a new folder, or nothing at all.

    Raises:
        UsageError: there is no name, it cannot be one, the folder is there already, or this is a project already.
        ProfileError: the profile that `--profile` names is not there.
    """
    options = invocation.options
    base = os.path.abspath(os.path.join(invocation.cwd, os.path.expanduser(options.project_dir or ".")))
    root = find_project_dir(None, base)
    if os.path.isfile(os.path.join(root, FILE)):
        hint = "'understudy debug' checks its profile; to begin another project, go to a folder outside of it"
        raise UsageError(
            "This is a project already; nothing was written", place=Place(os.path.join(root, FILE)), hint=hint
        )
    name = checked_name(options.project_name, base)
    folder = os.path.join(base, name)
    if os.path.lexists(folder):
        raise UsageError(
            f"There is something called {name} here already", place=Place(folder), hint="Take another name"
        )
    own_profile = options.profile is None and not options.skip_profile_setup
    if options.profile is not None:
        _known(invocation, options.profile, base)
    write_project(folder, starter(name, options.profile or name, with_profile=own_profile))
    invocation.emit(Logged(f"Wrote {folder}", "info"))
    if own_profile or options.profile is not None:
        invocation.emit(Logged(f"Next: {NEXT.format(name=name)}", "info"))
    else:
        invocation.emit(
            Logged(f"Next: describe the profile '{name}' in profiles.yml, then {NEXT.format(name=name)}", "info")
        )
    return Outcome()


def checked_name(name: str | None, base: str) -> str:
    """The name, if a project can have it. Raises UsageError."""
    if name is None:
        raise UsageError("init needs a name for the project", hint="For example: understudy init shop")
    try:
        read_package(base, RawProject({"name": name}, "", ()), lambda value: value, check=False)
    except ProjectError as error:
        better = name.replace("-", "_").replace(" ", "_")
        hint = f"Did you mean '{better}'?" if better != name and better.isidentifier() else error.hint
        raise UsageError(error.message, hint=hint) from error
    if name == "dbt" or name.startswith("dbt_"):
        raise UsageError(f"A project cannot be called '{name}': dbt's own packages are", hint="Take another name")
    return name


def _known(invocation: Invocation, profile: str, base: str) -> None:
    """Raises ProfileError when no profiles.yml has the profile."""
    folder = find_profiles_dir(invocation.options.profiles_dir, invocation.environ, invocation.cwd, base)
    path = os.path.join(folder, "profiles.yml")
    profiles: object = {}
    if os.path.isfile(path):
        with open(path, encoding="utf-8") as file:
            profiles = yaml.load(file.read(), path)
    known = [str(each) for each in profiles] if isinstance(profiles, dict) else []
    if profile not in known:
        hint = did_you_mean(profile, known) or "Without --profile, a profile for DuckDB is written"
        raise ProfileError(f"There is no profile '{profile}'", place=Place(path), hint=hint)


def starter(name: str, profile: str, *, with_profile: bool) -> dict[str, str]:
    """The files of the new project by their paths."""
    files = {**FILES, **({"profiles.yml": PROFILES} if with_profile else {})}
    return {path: text.replace("NAME", name).replace("PROFILE", profile) for path, text in files.items()}


def write_project(folder: str, files: Mapping[str, str]) -> None:
    """Write the files beside the place, then move them there. Raises UsageError where that is not allowed."""
    try:
        with tempfile.TemporaryDirectory(dir=os.path.dirname(folder), prefix=".init-") as workspace:
            made = os.path.join(workspace, os.path.basename(folder))
            for path, text in files.items():
                file_path = os.path.join(made, path)
                os.makedirs(os.path.dirname(file_path), exist_ok=True)
                with open(file_path, "w", encoding="utf-8", newline="\n") as file:
                    file.write(text)
            shutil.move(made, folder)
    except OSError as error:
        raise UsageError(f"Cannot write {folder}: {error.strerror or error}", place=Place(folder)) from error
