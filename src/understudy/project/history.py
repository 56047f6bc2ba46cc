"""Older versions of the project out of git: which commit to compare with, and its files. The work tree is never touched."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping

import msgspec

from understudy.errors import StateError
from understudy.project.revision import plain

TIMEOUT = 120
REVISION = re.compile(r"(?!-)[^\s\x00-\x1f\x7f:?*\[\\]+")
"""What may stand behind `git:`; git itself has the last word."""


class Base(msgspec.Struct, frozen=True):
    """Where a branch left: the commit, the repository's top folder, and the project's folder in it (empty: the top)."""

    commit: str
    top: str
    prefix: str


def merge_base(root: str, name: str, environ: Mapping[str, str], flag: str = "--state") -> Base:
    """The commit at which HEAD and the revision part.

    Raises StateError: no git, no repository, no such revision, or a clone that is too shallow to tell.
    """
    if not REVISION.fullmatch(name):
        raise StateError(f"{flag} git:{name}: {name!r} is no revision", hint=f"Write {flag} git:main")
    git = Git(root, environ, f"{flag} git:{name}")
    top, prefix = git.ask("the project is in no git repository", "rev-parse", "--show-toplevel", "--show-prefix")
    shallow = git.ask("", "rev-parse", "--is-shallow-repository") == ["true"]
    if not git.holds("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}"):
        remote, _, branch = name.partition("/")
        fetch = f"git fetch {remote} {branch}:refs/remotes/{name}" if branch else f"git fetch origin {name}:{name}"
        hint = f"Fetch it first: {fetch}{' --unshallow' if shallow else ''}"
        raise StateError(f"{flag} git:{name}: there is no such revision here", hint=hint)
    if not git.holds("merge-base", "HEAD", name):
        why = "this clone is shallow" if shallow else "they have no commit in common"
        hint = (
            "Fetch the rest of the history: git fetch --unshallow"
            if shallow
            else "Name a revision that HEAD descends from."
        )
        raise StateError(f"{flag} git:{name}: nobody can tell where HEAD and {name} part: {why}", hint=hint)
    (commit,) = git.ask("", "merge-base", "HEAD", name)
    return Base(commit, top, prefix.rstrip("/"))


def extract(base: Base, folder: str, environ: Mapping[str, str], flag: str = "--state") -> str:
    """Put the project's files of that commit into a folder; returns the project's folder in it. Raises StateError.

    What stood in submodules comes from the submodules of the work tree, which must have the commit.
    """
    git = Git(base.top, environ, f"{flag} git:{base.commit[:10]}")
    wanted = base.prefix or "."
    if base.prefix and not git.holds("cat-file", "-e", f"{base.commit}:{base.prefix}"):
        raise git.error(f"there was no project in {base.prefix} yet", "")
    with tempfile.TemporaryFile() as archive:
        git.run(
            "its files cannot be read", "archive", "--format=tar", base.commit, "--", wanted, stdout=archive.fileno()
        )
        archive.seek(0)
        try:
            with tarfile.open(fileobj=archive) as tar:
                tar.extractall(folder, filter="data")
        except (tarfile.TarError, OSError) as error:
            raise git.error("its files cannot be unpacked", str(error)) from error
    for commit, path in _submodules(git, base.commit, wanted):
        inner = os.path.join(base.top, path)
        there = os.path.exists(os.path.join(inner, ".git"))
        if not there or not Git(inner, environ, git.asked).holds("cat-file", "-e", f"{commit}^{{commit}}"):
            hint = f"Fetch it first: git submodule update --init {path} && git -C {path} fetch"
            raise StateError(
                f"{git.asked}: the submodule {path} does not have the commit {commit[:10]} here", hint=hint
            )
        extract(Base(commit, inner, ""), os.path.join(folder, path), environ, flag)
    return os.path.join(folder, *base.prefix.split("/"))


def _submodules(git: Git, commit: str, below: str) -> Iterator[tuple[str, str]]:
    """The commits at which submodules stood, with their paths from the repository's top."""
    listed = git.run("its files cannot be listed", "ls-tree", "-r", "-z", "--full-tree", commit, "--", below)
    for entry in os.fsdecode(listed).split("\0"):
        head, _, path = entry.partition("\t")
        if head.startswith("160000 "):
            yield head.split()[2], path


class Git(msgspec.Struct, frozen=True):
    """The git command in a folder, without a shell. `asked` begins the text of errors."""

    folder: str
    environ: Mapping[str, str]
    asked: str

    def run(self, what: str, *words: str, stdout: int = subprocess.PIPE) -> bytes:
        """The output of a git command; StateError, with git's words, when it fails."""
        try:
            done = subprocess.run(
                ["git", "--no-optional-locks", *words], cwd=self.folder, env=plain(self.environ), timeout=TIMEOUT,
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self.error("git cannot be run", str(error)) from error
        if done.returncode:
            raise self.error(what, done.stderr.decode(errors="replace").strip())
        return done.stdout or b""

    def ask(self, what: str, *words: str) -> list[str]:
        """The lines of the output."""
        return os.fsdecode(self.run(what, *words)).splitlines() or [""]

    def holds(self, *words: str) -> bool:
        """Whether a git command succeeds. Raises StateError when git cannot be run."""
        try:
            self.run("no", *words)
        except StateError as error:
            if "git cannot be run" in error.message:
                raise
            return False
        return True

    def error(self, what: str, words: str) -> StateError:
        """An error about this request."""
        return StateError(
            f"{self.asked}: {what}{f' ({words})' if words else ''}", hint="'git:' compares with a commit."
        )
