"""Which git commit the project is at, and whether files differ from it: asked of git itself, once, without a shell."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

import msgspec

HOOKS = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX"}
)
"""Variables that git sets where a hook of it runs us; they speak of another repository."""

TIMEOUT = 5
COMMAND = ("git", "--no-optional-locks", "status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", ".")


def plain(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what git sets for its hooks: those paths are meant for another folder."""
    return {name: value for name, value in environ.items() if name not in HOOKS}


class Revision(msgspec.Struct, frozen=True):
    """A commit's id, and whether the project's files are not those of it."""

    commit: str
    dirty: bool


def revision(root: str, environ: Mapping[str, str]) -> Revision | None:
    """The project's revision; None where there is no git, no repository, no commit, or no answer in time."""
    try:
        done = subprocess.run(
            COMMAND,
            cwd=root,
            env=plain(environ),
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read(done.stdout.decode(errors="replace")) if done.returncode == 0 else None


def read(text: str) -> Revision | None:
    """The answer of `git status --porcelain=v2 --branch`."""
    lines = text.splitlines()
    commit = next((line.split()[2] for line in lines if line.startswith("# branch.oid ")), "(initial)")
    return None if commit == "(initial)" else Revision(commit, any(not line.startswith("#") for line in lines))
