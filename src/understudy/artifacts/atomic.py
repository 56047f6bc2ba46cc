"""The one place that writes files of the target directory: a file is there whole, or as it was before.

Text goes to a new file in the same folder, which then takes the name of the old one. A reader, another run or a power cut
at any moment meets one of the two, never a half.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable

from understudy.errors import ArtifactError, Place

BUFFER = 1 << 17
"""What is collected before the system is asked to write: a manifest comes in pieces of a few kilobytes, ten thousands of them."""
HINTS = {
    errno.EACCES: "Make the folder writable, or name another with --target-path.",
    errno.EPERM: "Make the folder writable, or name another with --target-path.",
    errno.EROFS: "The file system is read-only: name another folder with --target-path.",
    errno.ENOSPC: "The disk is full: free some space, or name a folder on another disk with --target-path.",
    errno.EFBIG: "A limit of the system on the size of files is reached (`ulimit -f`).",
    errno.EEXIST: "A file stands where a folder is needed: remove it, or name another folder with --target-path.",
    errno.EDQUOT: "The quota is used up: free some space, or name another folder with --target-path.",
    errno.ENAMETOOLONG: "The path is too long: name a shorter folder with --target-path.",
    errno.ENOTDIR: "A file stands where a folder is needed: remove it, or name another folder with --target-path.",
    errno.EISDIR: "A folder stands where the file belongs: remove it.",
}


def write(
    path: str | os.PathLike[str], content: bytes | Iterable[bytes | memoryview], *, durable: bool = True
) -> os.stat_result:
    """Write a file whole; folders are made as needed; a symbolic link stays one, and its target is replaced.

    Args:
        content: the bytes, or pieces of them.
        durable: wait until they are on the disk. Compiled SQL need not be: it can be made again.
    Returns:
        what the disk says of the new file, before it got its name (which changes the time of its state).
    Raises:
        ArtifactError: the folder is read-only, the disk is full, ... The old file, if any, is as it was.
    """
    real = os.path.realpath(path)
    folder, name = os.path.split(real)
    temporary = os.path.join(folder, f".{name[:100]}.{os.urandom(8).hex()}.tmp")
    try:
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            with open(descriptor, "wb", buffering=BUFFER) as file:
                file.writelines((content,) if isinstance(content, bytes) else content)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
                status = os.fstat(file.fileno())
            os.replace(temporary, real)
            return status
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise ArtifactError(
            f"Cannot write {os.fspath(path)}: {error.strerror or error}",
            place=Place(path=os.fspath(path)),
            hint=HINTS.get(error.errno or 0),
        ) from error


def update(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file whole unless it has this content already; for what can be made again, so nobody waits for the disk.

    To replace a file costs many times what it costs to read it (file systems write the new one out first), and most of
    the SQL of a run is that of the run before. Raises ArtifactError.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            if file.read(len(content) + 1) == content:
                return
    except OSError:
        pass  # it is not there, or cannot be read: writing says what is wrong
    write(path, content, durable=False)


def keep(path: str | os.PathLike[str], name: str) -> None:
    """Let a file be found under another name of its folder, too, whatever becomes of it: in place of what had that name.

    Raises ArtifactError.
    """
    folder = os.path.dirname(os.path.realpath(path))
    temporary = os.path.join(folder, f".{name[:100]}.{os.urandom(8).hex()}.tmp")
    try:
        os.link(os.path.realpath(path), temporary)
        os.replace(temporary, os.path.join(folder, name))
    except OSError:  # a file system without links, or no right to make them
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        with open(path, "rb") as file:
            write(os.path.join(folder, name), file.read())
