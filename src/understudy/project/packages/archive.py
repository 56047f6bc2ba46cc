"""Package archives (.tar.gz) are hostile until every member has been looked at.

Nothing is left to `tarfile`'s extraction: files and folders are written here, links after everything else, so that no file
is ever written through a link. The caller hands in an empty folder and throws it away when this fails.
"""

from __future__ import annotations

import gzip
import os
import posixpath
import shutil
import tarfile
import unicodedata
import zlib
from collections.abc import Iterator
from typing import IO, cast

import msgspec

from understudy.errors import ProjectError
from understudy.project.packages.http import Damaged

MAX_BYTES = 512 * 1024 * 1024
MAX_MEMBERS = 50_000
MAX_DEPTH = 50


def unpack(path: str, folder: str, *, max_bytes: int = MAX_BYTES, max_members: int = MAX_MEMBERS) -> str:
    """Unpack an archive into an empty folder; the path of the one folder that it holds.

    Raises:
        ProjectError: a member has a path or a link that leads out, is a device, shares its name with another, or there
            is too much of it; the archive holds more than one folder at its top.
        Damaged: it is no gzipped tar archive, or not a whole one.
    """
    unpacking = _Unpacking(folder, max_members, max_bytes)
    try:
        with (
            gzip.open(path) as plain,
            tarfile.open(fileobj=cast(IO[bytes], _Bounded(plain, max_bytes)), mode="r|") as tar,
        ):
            for member in tar:
                unpacking.take(member, tar)
        unpacking.link()
    except (
        tarfile.TarError,
        zlib.error,
        gzip.BadGzipFile,
        EOFError,
        RecursionError,
        ValueError,
        OverflowError,
    ) as error:
        raise Damaged(f"the archive is damaged ({error})") from error
    except OSError as error:  # names too long for the disk, a disk that is full
        raise ProjectError(f"The archive cannot be unpacked: {error.strerror or error}") from error
    found = os.listdir(folder)
    top = os.path.join(folder, found[0]) if len(found) == 1 else ""
    if not os.path.isdir(top) or os.path.islink(top):
        raise ProjectError(f"The archive must hold exactly one folder, but holds {len(found)} files or folders")
    for link in links_out(top):  # now that all are there: they may lead through each other
        raise ProjectError(f"The archive's link {os.path.relpath(link, folder)!r} leads out of the package")
    return top


def links_out(folder: str) -> Iterator[str]:
    """The symbolic links below a folder that lead out of it."""
    inside = os.path.realpath(folder)
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(where, name)
            if os.path.islink(path):
                target = os.path.realpath(path)
                if os.path.isabs(os.readlink(path)) or os.path.commonpath([inside, target]) != inside:
                    yield path


class _Bounded:
    """A reader that gives up when more comes out than a package has: a small file can hold a great many zeros."""

    def __init__(self, source: gzip.GzipFile, limit: int) -> None:
        self.source, self.left, self.limit = source, limit, limit

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes. Raises ProjectError when more than the limit has come out."""
        data = self.source.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise ProjectError(f"The archive unpacks to more than {self.limit} bytes")
        return data


class _Unpacking(msgspec.Struct):
    folder: str
    max_members: int
    left: int
    """Bytes that copies of files may still take."""
    seen: dict[str, str] = msgspec.field(default_factory=dict)
    """A path as file systems that ignore case see it -> as it is spelled."""
    files: set[str] = msgspec.field(default_factory=set)
    links: list[tuple[str, str]] = msgspec.field(default_factory=list)
    members: int = 0

    def take(self, member: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
        """Unpack one member. Raises ProjectError for one that leads out of the folder, or is too much."""
        self.members += 1
        if self.members > self.max_members:
            raise ProjectError(f"The archive has more than {self.max_members} members")
        path = _inside(member.name, member.name)
        if not path:  # the entry "./"
            if member.isdir():
                return
            raise ProjectError(f"The archive has a member without a name: {member.name!r}")
        self._claim(path)
        target = os.path.join(self.folder, *path.split("/"))
        if member.isdir():
            os.makedirs(target, exist_ok=True)
            return
        if os.path.lexists(target) or path in self.files:
            raise ProjectError(f"The archive has two members called {path!r}")
        self.files.add(path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if member.isreg():
            self._write(member, tar, target)
        elif member.issym():
            _inside(posixpath.join(posixpath.dirname(path), member.linkname), member.name, member.linkname)
            self.links.append((target, member.linkname))
        elif member.islnk():
            self._copy(_inside(member.linkname, member.name), target, member)
        else:
            raise ProjectError(f"The archive's member {member.name!r} is no file, folder or link")

    def _claim(self, path: str) -> None:
        """Refuses names that differ only in case: on some disks one would replace the other."""
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            part = "/".join(parts[:depth])
            if depth < len(parts) and part in self.files:
                raise ProjectError(f"The archive's member {path!r} lies in something that is no folder")
            spelled = self.seen.setdefault(unicodedata.normalize("NFC", part).casefold(), part)
            if spelled != part:
                raise ProjectError(
                    f"The archive's members {spelled!r} and {part!r} differ only in upper and lower case"
                )

    def _write(self, member: tarfile.TarInfo, tar: tarfile.TarFile, target: str) -> None:
        source = tar.extractfile(member)
        if source is None or member.size < 0 or member.issparse():
            raise ProjectError(f"The archive's member {member.name!r} is no plain file")
        with open(target, "xb") as file:
            shutil.copyfileobj(source, file)
        if member.mode & 0o100:
            os.chmod(target, 0o755)

    def _copy(self, source: str, target: str, member: tarfile.TarInfo) -> None:
        """A hard link becomes a copy of a file that came before it."""
        original = os.path.join(self.folder, *source.split("/"))
        if source not in self.files or not os.path.isfile(original):
            raise ProjectError(
                f"The archive's member {member.name!r} is a link to {member.linkname!r}, which is no file in it"
            )
        self.left -= os.path.getsize(original)
        if self.left < 0:
            raise ProjectError("The archive's links stand for more than a package has")
        shutil.copyfile(original, target)

    def link(self) -> None:
        """Make the symbolic links, after everything else."""
        for path, target in self.links:
            os.symlink(target, path)


def _inside(path: str, name: str, link: str | None = None) -> str:
    """The path, made plain. Raises ProjectError where it is absolute or leads above the archive's top."""
    what = f"The archive's member {name!r}" + (f" is a link to {link!r}, which" if link is not None else "")
    depth = 0
    for part in path.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            break
    up = ".." in name.split("/") if link is None else depth < 0
    if path.startswith("/") or up or depth < 0 or "\0" in path or "\\" in path:
        raise ProjectError(f"{what} leads out of the package")
    plain = posixpath.normpath(path)
    if plain.count("/") > MAX_DEPTH:
        raise ProjectError(f"{what} lies deeper than {MAX_DEPTH} folders")
    return "" if plain == "." else plain
