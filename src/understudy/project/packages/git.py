"""Packages in git repositories, by the `git` command: shallow, never through a shell, never asking anybody."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from understudy.errors import ProjectError
from understudy.project.packages.notice import without_password
from understudy.project.revision import plain

TIMEOUT = 600
PROTOCOLS = "file:git:http:https:ssh"
_URL = re.compile(r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?![\s-])[^\x00-\x1f\x7f]+", re.IGNORECASE)
_REVISION = re.compile(r"(?!-)[^\s\x00-\x1f\x7f~^:?*\[\\+]+")


def check(url: str, revision: str, subdirectory: str | None) -> None:
    """Raises ProjectError for what git would take for an option, a command or another folder."""
    shown = without_password(url)
    match = _URL.fullmatch(url)
    if match is None or re.match(r"[a-z0-9+.-]+::", url, re.IGNORECASE):
        raise ProjectError(f"{shown!r} is no address of a git repository")
    scheme = (match["scheme"] or "file").lower()
    if scheme not in (*PROTOCOLS.split(":"), "git+ssh", "ssh+git"):
        raise ProjectError(f"The git repository {shown!r} cannot be fetched by {scheme}:")
    if not _REVISION.fullmatch(revision) or ".." in revision:
        raise ProjectError(f"{revision!r} is no revision: a branch, a tag or a full commit id")
    if subdirectory is not None:
        parts = subdirectory.split("/")
        if subdirectory.startswith(("/", "-")) or ".." in parts or ".git" in parts or not subdirectory.isprintable():
            raise ProjectError(f"The subdirectory {subdirectory!r} of {shown!r} leads out of the repository")


def checkout(
    url: str, revision: str, subdirectory: str | None, folder: str, environment: Mapping[str, str]
) -> tuple[str, str]:
    """Fetch one revision into a new folder; the package's folder in it, and the commit's id.

    A tag is preferred to a branch of the same name (dbt 1.11: _checkout). Of a repository of which one subdirectory is
    wanted, only that is fetched. Raises ProjectError with git's words.
    """
    check(url, revision, subdirectory)
    shown = without_password(url)
    _git(["init", "--quiet", folder], None, environment, f"git cannot prepare a folder for {shown}")
    _git(["remote", "add", "origin", url], folder, environment, f"git does not take the address {shown}")
    fetch = ["fetch", "--quiet", "--no-tags", "--depth", "1"]
    if subdirectory is not None:
        _git(["sparse-checkout", "set", subdirectory], folder, environment, f"git cannot single out {subdirectory!r}")
        fetch.append("--filter=blob:none")
    what = f"git cannot fetch {revision!r} of {shown}"
    _git([*fetch, "origin", revision], folder, environment, what)
    _git(["checkout", "--quiet", "--detach", "FETCH_HEAD"], folder, environment, what)
    commit = _git(["rev-parse", "HEAD"], folder, environment, what).strip()
    package = os.path.join(folder, *(subdirectory or "").split("/"))
    if not os.path.isdir(package) or os.path.islink(package.rstrip("/")):
        raise ProjectError(f"There is no folder {subdirectory!r} at {revision!r} of {shown}")
    shutil.rmtree(
        os.path.join(folder, ".git")
    )  # what is installed is a copy, no repository in the project's repository
    return package, commit


def _git(arguments: Sequence[str], folder: str | None, environment: Mapping[str, str], what: str) -> str:
    """Run git; its output. Raises ProjectError that begins with `what`."""
    env = plain(environment)
    env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": PROTOCOLS, "LC_ALL": "C"}
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"]
    command += ["-C", folder] if folder is not None else []
    try:
        done = subprocess.run(
            [*command, *arguments], env=env, capture_output=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL, check=False
        )
    except FileNotFoundError:
        raise ProjectError(f"{what}: there is no git on this machine", hint="Install git, and try again") from None
    except subprocess.TimeoutExpired:
        raise ProjectError(f"{what} within {TIMEOUT} s", hint="Is the network there?") from None
    if done.returncode:
        words = _words(done.stderr.decode(errors="replace")) or f"exit code {done.returncode}"
        raise ProjectError(f"{what}: {without_password(words)}", hint=_hint(words))
    return done.stdout.decode(errors="replace")


def _words(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR:"))] or lines[-2:]
    return "; ".join(re.sub(r"^(?:fatal|error): ", "", line) for line in telling)


def _hint(words: str) -> str | None:
    if "couldn't find remote ref" in words or "not our ref" in words:
        return "A revision is a branch, a tag or a full commit id (40 digits)"
    if re.search(r"could not read (?:Username|Password)|Authentication failed|Permission denied", words):
        return "git needs credentials: put a token into the address by env_var('DBT_ENV_SECRET_...'), or use ssh"
    return None
