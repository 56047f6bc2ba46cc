"""`--state git:REV`: the project as it was where HEAD and a revision part, parsed with today's engine, target, variables and
packages. Kept by commit and inputs in `.understudy/baselines`; the work tree is never touched.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from understudy import __version__
from understudy.app.invocation import Invocation
from understudy.app.load import Project, load_project
from understudy.app.options import WarnRules
from understudy.app.written import Written
from understudy.artifacts import atomic
from understudy.artifacts.state_files import GIT, MANIFEST, StateFile
from understudy.errors import StateError, UnderstudyError
from understudy.project.history import Base, extract, merge_base

FOLDER = os.path.join(".understudy", "baselines")
INPUTS = "inputs.json"
KEEP = 8
"""So many baselines are kept."""
ABANDONED = 3600
"""Seconds after which a baseline that is being made counts as left behind."""


class Recording(Mapping[str, str]):
    """An environment that remembers which variables were asked for."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def git_state(invocation: Invocation, project: Project, text: str, flag: str) -> StateFile:
    """The state of a revision. Raises StateError: git cannot tell, or what stood there cannot be parsed."""
    root, environ = project.settings.root.root, invocation.environ
    base = merge_base(root, text.removeprefix(GIT), environ, flag)
    shelf = os.path.join(root, FOLDER)
    prefix = _key(base, project)
    found = next((each for each in _shelved(shelf) if each.name.startswith(prefix) and _fits(each, environ)), None)
    if found is None:
        found = _parse(invocation, project, base, shelf, prefix, flag)
    return StateFile(text, flag, str(found), str(found / MANIFEST), name=text, revision=base.commit)


def _parse(invocation: Invocation, project: Project, base: Base, shelf: str, prefix: str, flag: str) -> Path:
    os.makedirs(shelf, exist_ok=True)
    _ignored(os.path.dirname(shelf))
    environ = Recording(invocation.environ)
    with tempfile.TemporaryDirectory(dir=shelf, prefix=".new-") as folder:
        there = extract(base, os.path.join(folder, "tree"), invocation.environ, flag)
        if not os.path.isfile(os.path.join(there, "dbt_project.yml")):
            raise StateError(
                f"{flag} git: there was no dbt_project.yml at {base.commit[:10]}", hint="Name a later revision."
            )
        _lend_packages(project, there)
        made = os.path.join(folder, "state")
        options = replace(
            invocation.options, project_dir=there, profiles_dir=project.settings.profiles_dir or None,
            target=project.settings.target.name, target_path=made, write_json=True,
        )  # fmt: skip
        then = replace(
            invocation,
            options=options,
            environ=environ,
            cwd=there,
            emit=lambda event: None,
            rules=WarnRules(),
            retried=None,
        )
        try:
            Written(then, load_project(then)).manifest()
        except UnderstudyError as error:
            hint = "Name a revision whose project can be parsed, or a state that a run has written."
            raise StateError(
                f"{flag} git: the project at {base.commit[:10]} cannot be parsed: {error}", hint=hint
            ) from error
        asked = {name: _digest(invocation.environ.get(name)) for name in sorted(environ.asked)}
        atomic.write(os.path.join(made, INPUTS), json.dumps(asked).encode())
        final = Path(shelf, f"{prefix}-{_digest(json.dumps(asked))}")
        _put(made, final, invocation.environ)
    for old in (*_shelved(shelf)[KEEP:], *_abandoned(shelf)):
        shutil.rmtree(old, ignore_errors=True)
    return final


def _put(made: str, final: Path, environ: Mapping[str, str]) -> None:
    """Put a baseline on the shelf; where another process was faster, its one stays, since somebody may be reading it."""
    try:
        os.rename(made, final)
    except OSError:
        if not _fits(final, environ):  # it is damaged
            shutil.rmtree(final, ignore_errors=True)
            os.rename(made, final)


def _lend_packages(project: Project, there: str) -> None:
    """Let the older project use today's packages, where it brings none."""
    root = project.settings.root.root
    for package in project.settings.packages[1:]:
        inside = os.path.relpath(package.root, root)
        place = os.path.join(there, inside)
        if not inside.startswith("..") and not os.path.lexists(place):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.symlink(os.path.realpath(package.root), place)


def _key(base: Base, project: Project) -> str:
    """The commit, and a digest of everything beside it and the environment that parsing depends on."""
    settings = project.settings
    profiles = Path(settings.profiles_dir, "profiles.yml")
    packages = [(package.name, package.version, package.checksum) for package in settings.packages[1:]]
    inputs = [
        __version__, base.prefix, settings.target.profile, settings.target.name, sorted(settings.cli_vars.items(), key=str),
        packages, profiles.read_text(encoding="utf-8", errors="replace") if profiles.is_file() else "",
    ]  # fmt: skip
    return f"{base.commit[:12]}-{_digest(json.dumps(inputs, default=str))}"


def _fits(folder: Path, environ: Mapping[str, str]) -> bool:
    """Whether the environment has the values that the baseline was parsed with."""
    try:
        asked = json.loads((folder / INPUTS).read_bytes())
        return all(_digest(environ.get(name)) == value for name, value in asked.items())
    except (OSError, ValueError, AttributeError):
        return False


def _shelved(shelf: str) -> list[Path]:
    """The baselines that are kept, the newest first."""
    try:
        found = [each for each in Path(shelf).iterdir() if not each.name.startswith(".")]
        return sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)
    except OSError:
        return []


def _abandoned(shelf: str) -> list[Path]:
    """What was left half-made by runs that were killed."""
    began = time.time() - ABANDONED
    return [each for each in Path(shelf).glob(".new-*") if each.stat().st_mtime < began]


def _ignored(folder: str) -> None:
    path = os.path.join(folder, ".gitignore")
    if not os.path.exists(path):
        atomic.write(path, b"*\n")


def _digest(value: str | None) -> str:
    return "-" if value is None else hashlib.sha256(value.encode()).hexdigest()[:12]
