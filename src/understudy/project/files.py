"""The only walker of the disk: which files a project has, and their texts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from understudy.core.nodes import Seed
from understudy.core.project import Package, Settings
from understudy.core.source_file import FileKind, SourceFile
from understudy.errors import ParseError, Place

PROPERTIES = (".yml", ".yaml")


Stamp = tuple[int, int, int, int]
"""What the disk says of a file without its being read: size, times of the last change of text and of state (ns), inode."""


FileKey = tuple[str, str, str]
"""Package, kind and path."""


class Listed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A file of a package as the disk lists it. The fields are those of SourceFile."""

    package: str
    kind: FileKind
    search_path: str
    path: str
    stamp: Stamp

    @property
    def key(self) -> FileKey:
        """What tells it from all other files."""
        return self.package, self.kind, self.path


def list_files(settings: Settings) -> list[Listed]:
    """All files of all packages, the root project's first, each folder's in order of name; none of them is read.

    A file under the search paths of several kinds appears once per kind that takes its extension (dbt 1.11: read_files).
    """
    return [file for package in settings.packages for file in _list_package(package)]


def read_files(settings: Settings, listed: Iterable[Listed] | None = None) -> list[SourceFile]:
    """The files with their texts; of those listed, each is read once. Raises ParseError: no UTF-8, or not to be read."""
    roots = {package.name: package.root for package in settings.packages}
    contents: dict[tuple[str, str], tuple[str, str, int]] = {}
    return [read_file(roots, file, contents) for file in (list_files(settings) if listed is None else listed)]


def read_file(
    roots: Mapping[str, str], file: Listed, contents: dict[tuple[str, str], tuple[str, str, int]] | None = None
) -> SourceFile:
    """A file with its text. `roots`: package -> folder; `contents`: what was read already. Raises ParseError."""
    known = {} if contents is None else contents
    key = file.package, file.path
    if key not in known:
        known[key] = _read(roots[file.package], file.path, file.kind)
    text, checksum, first = known[key]
    modified = file.stamp[1] / 1e9
    return SourceFile(file.package, file.kind, file.search_path, file.path, text, checksum, modified, first)


def read_seed(seed: Seed) -> str:
    """The text of a seed's file. Raises ParseError where it is no UTF-8 or cannot be read."""
    return _text(seed.root_path or "", seed.original_file_path)


def _rules(package: Package) -> list[tuple[FileKind, tuple[str, ...], tuple[str, ...]]]:
    """Kind, folders and extensions, in the order in which dbt reads them."""
    paths = package.paths
    everywhere = tuple(
        dict.fromkeys(path for kind, each in paths.items() if kind not in ("docs", "asset") for path in each)
    )
    return [
        ("macro", paths.get("macro", ()), (".sql",)),
        ("model", paths.get("model", ()), (".sql", ".py")),
        ("snapshot", paths.get("snapshot", ()), (".sql",)),
        ("analysis", paths.get("analysis", ()), (".sql",)),
        ("test", paths.get("test", ()), (".sql",)),
        ("generic_test", tuple(f"{path}/generic" for path in paths.get("test", ())), (".sql",)),
        ("seed", paths.get("seed", ()), (".csv",)),
        ("docs", paths.get("docs", ()), (".md",)),
        ("properties", everywhere, PROPERTIES),
        ("fixture", tuple(f"{path}/fixtures" for path in paths.get("test", ())), (".csv", ".sql")),
        ("function", paths.get("function", ()), (".sql", ".py")),
    ]


def _list_package(package: Package) -> Iterator[Listed]:
    ignored = _ignored(package.root)
    seen: set[tuple[str, str]] = set()
    listings: dict[str, list[tuple[str, Stamp]]] = {}
    for kind, folders, extensions in _rules(package):
        for folder in folders:
            if folder not in listings:
                listings[folder] = list(_walk(package.root, folder, ignored))
            for path, stamp in listings[folder]:
                if not path.lower().endswith(extensions) or (kind, path) in seen:
                    continue
                below = path[len(folder) :].lstrip("/") if folder not in (".", "") else path
                if kind == "test" and below.split("/")[0] in ("generic", "fixtures"):
                    continue
                seen.add((kind, path))
                yield Listed(package.name, kind, "" if folder == "." else folder, path, stamp)


def _walk(root: str, folder: str, ignored: Callable[[str], bool]) -> Iterator[tuple[str, Stamp]]:
    """Path below the root and stamp of each file; editors' and hidden files left out."""
    top = os.path.join(root, folder)
    pending = [(top, "" if folder == "." else folder)]
    while pending:
        directory, prefix = pending.pop()
        try:
            with os.scandir(directory) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        folders = []
        for entry in found:
            path = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append((entry.path, path))
            elif entry.name[0] not in ".#~" and entry.is_file() and not ignored(path):
                status = entry.stat()
                yield path, (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        pending += reversed(folders)


def _ignored(root: str) -> Callable[[str], bool]:
    """What `.dbtignore` says, in the language of `.gitignore`."""
    path = os.path.join(root, ".dbtignore")
    if not os.path.isfile(path):
        return lambda path: False
    from pathspec import GitIgnoreSpec

    with open(path, encoding="utf-8") as file:
        return GitIgnoreSpec.from_lines(file).match_file


def _read(root: str, path: str, kind: FileKind) -> tuple[str, str, int]:
    """The stripped text, its sha256, and the line at which it begins; of a seed no text."""
    raw = _text(root, path)
    text = raw.strip()
    first = raw.count("\n", 0, len(raw) - len(raw.lstrip())) + 1
    checksum = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return ("" if kind == "seed" else text), checksum, first


def _text(root: str, path: str) -> str:
    """The bytes as they are: line endings count, as they do for dbt."""
    try:
        with open(os.path.join(root, path), "rb", buffering=0) as file:
            return file.read().decode("utf-8")
    except UnicodeDecodeError as error:
        hint = "Save it as UTF-8"
        raise ParseError(f"The file is no UTF-8 (byte {error.start})", place=Place(path), hint=hint) from error
    except OSError as error:
        raise ParseError(f"The file cannot be read: {error.strerror}", place=Place(path)) from error
