"""Installing: the new folder is made ready beside the old one and takes its place in the end. It works, or nothing changes."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence

from understudy.errors import Place, ProjectError
from understudy.project.packages.notice import Notice, Tell, without_password
from understudy.project.packages.sources import Pinned, Sources

WAIT = 600
"""Seconds to wait for another 'deps' in the same project."""


@contextlib.contextmanager
def alone(root: str, tell: Tell, wait: float = WAIT) -> Iterator[None]:
    """Holds the project's folder, so that two runs of 'deps' take turns. Raises ProjectError after `wait` seconds."""
    descriptor = os.open(root, os.O_RDONLY)
    try:
        end, told = time.monotonic() + wait, False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    message = f"Another 'deps' has been at work in {root} for {wait:.0f} s"
                    raise ProjectError(message, hint="Wait for it, or end it") from None
                if not told:
                    tell(Notice("DepsWaiting", "Waiting for another 'deps' in this project"))
                told = True
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def workspace(install_path: str, root: str) -> Iterator[str]:
    """A folder beside the install path, removed in the end; what an interrupted run left there is removed, too.

    Raises ProjectError where the install path is the project itself or a folder around it, or cannot be written.
    """
    real = os.path.realpath(install_path)
    if os.path.commonpath([real, os.path.realpath(root)]) == real:
        message = f"packages-install-path {install_path!r} holds the project itself; installing would remove it"
        raise ProjectError(message, place=Place(os.path.join(root, "dbt_project.yml")))
    parent, name = os.path.split(real)
    folder = None
    try:
        os.makedirs(parent, exist_ok=True)
        for each in os.listdir(parent):
            if each.startswith(f".{name}.deps-"):
                shutil.rmtree(os.path.join(parent, each), ignore_errors=True)
        folder = tempfile.mkdtemp(prefix=f".{name}.deps-", dir=parent)
        yield folder
    except OSError as error:
        raise ProjectError(f"The packages cannot be installed in {install_path}: {error.strerror or error}") from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def prepare(packages: Sequence[Pinned], sources: Sources, tell: Tell) -> str:
    """All packages in one new folder, each under its project's name. Raises ProjectError."""
    new = os.path.join(sources.workspace, "new")
    os.mkdir(new)
    behind = []
    for each in packages:
        tell(Notice("DepsStartPackageInstall", f"Installing {without_password(each.want.label)}"))
        folder, target = sources.fetch(each), os.path.join(new, each.name)
        if each.want.kind == "local":
            _link(folder, target, sources, tell)
        else:
            os.rename(folder, target)
        tell(Notice("DepsInstallInfo", f"Installed from {each.installed_from}"))
        if each.latest is not None and each.latest != each.version:
            behind.append(each.want.at)
            tell(Notice("DepsUpdateAvailable", f"Updated version available: {each.latest}"))
        elif each.latest is not None:
            tell(Notice("DepsUpToDate", "Up to date!"))
        if each.want.kind == "git" and each.want.subdirectory:
            tell(Notice("DepsListSubdirectory", f"and subdirectory {each.want.subdirectory}"))
    if behind:
        message = f"Updates available for packages: {', '.join(behind)}. Change packages.yml, then run 'deps --upgrade'"
        tell(Notice("DepsNotifyUpdatesAvailable", message))
    return new


def swap(new: str, install_path: str) -> None:
    """Put the new folder in the old one's place. Raises OSError; then the old one is where it was."""
    real = os.path.realpath(install_path)
    old = os.path.join(os.path.dirname(new), "old")
    if os.path.isfile(real):
        raise OSError(errno.ENOTDIR, "a file stands where the folder belongs")
    if os.path.ismount(real):  # a volume cannot be renamed: its content is exchanged
        _exchange(new, real, old)
        return
    there = os.path.isdir(real)
    if there:
        os.rename(real, old)
    try:
        os.rename(new, real)
    except OSError:
        if there:
            os.rename(old, real)
        raise


def write_whole(path: str, text: str) -> None:
    """Write a file of the project: it is there whole, or as it was. Raises ProjectError."""
    temporary = f"{path}.{secrets.token_hex(4)}.tmp"
    try:
        with open(temporary, "x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, os.path.realpath(path))
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise ProjectError(f"Cannot write {path}: {error.strerror or error}", place=Place(path)) from error


def _exchange(new: str, folder: str, old: str) -> None:
    os.mkdir(old)
    for name in os.listdir(folder):
        shutil.move(os.path.join(folder, name), os.path.join(old, name))
    for name in os.listdir(new):
        shutil.move(os.path.join(new, name), os.path.join(folder, name))


def _link(folder: str, target: str, sources: Sources, tell: Tell) -> None:
    """A local package stays where it is, so that changes to it count at once (dbt 1.11: LocalPinnedPackage.install)."""
    try:
        os.symlink(folder, target)
    except OSError:
        tell(Notice("DepsSymlinkNotAvailable", "Links are not available here; the local package is copied"))
        busy = os.path.basename(sources.workspace)
        shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns(busy))
