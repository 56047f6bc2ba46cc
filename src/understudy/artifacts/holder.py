"""One run at a time per target directory: a lock that ends with the process, and says who holds it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

from understudy.artifacts.atomic import HINTS
from understudy.errors import ArtifactError, Place

FILE = ".understudy.lock"
WAIT = 3.0
"""Seconds to wait for another run to end."""


@contextlib.contextmanager
def held(target_dir: str, command: str, *, wait: float = WAIT) -> Iterator[None]:
    """Hold the directory while something is written there. The lock is the system's: a killed run leaves none.

    Raises ArtifactError that names the process that has it, and for a directory that cannot be written.
    """
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        yield
        return
    path = os.path.join(target_dir, FILE)
    try:
        os.makedirs(target_dir, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        hint = HINTS.get(error.errno or 0)
        raise ArtifactError(f"Cannot write {target_dir}: {error.strerror}", place=Place(path), hint=hint) from error
    try:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() >= deadline:
                    raise _taken(os.read(descriptor, 200).decode(errors="replace"), target_dir) from error
                time.sleep(0.1)
        with contextlib.suppress(OSError):  # on a full disk nobody learns who holds it
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()} understudy {command}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _taken(text: str, target_dir: str) -> ArtifactError:
    pid, _, command = text.strip().partition(" ")
    who = f"process {pid} ({command})" if pid.isdigit() else "another process"
    return ArtifactError(
        f"The target directory is in use by {who}",
        place=Place(target_dir),
        hint="Wait until it ends, or give this run a directory of its own with --target-path.",
    )
