"""Where parses are kept: `.understudy/cache` in the project, a file for each combination of what fixes a parse as a whole."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

import understudy
from understudy.artifacts import atomic
from understudy.cache import pack
from understudy.core.project import Package, Settings, target_dict
from understudy.errors import ArtifactError

HOME = ".understudy"
FOLDER = os.path.join(HOME, "cache")
KEEP = 6
"""So many parses are kept, those that were used last: of other targets, profiles, or versions of dbt_project.yml."""
FRESH = 60
"""A file that was used is marked as such at most once in so many seconds."""
PARSE_FLAGS = (
    "store_failures", "validate_macro_args", "require_generic_test_arguments_property",
    "require_resource_names_without_spaces", "require_unique_project_resource_names",
    "require_ref_searches_node_package_before_root",
)  # fmt: skip
"""The flags that parsing and linking look at by themselves; what templates see of flags are inputs."""

_encode = msgspec.msgpack.Encoder(enc_hook=str).encode


def slot(settings: Settings) -> str:
    """The path of the file that keeps the parse of these settings.

    Variables and the environment are not among what chooses it: who uses them is parsed again when they change.
    """
    fixed: list[Any] = [
        build(),
        target_dict(settings.target),
        [settings.flags.get(name) for name in PARSE_FLAGS],
        settings.root.dispatch,
        [_fixed(package) for package in settings.packages],
    ]
    name = hashlib.blake2b(_encode(fixed), digest_size=12).hexdigest()
    return os.path.join(settings.root.root, FOLDER, f"parse-{name}")


def _fixed(package: Package) -> list[Any]:
    """What of a package's project file counts; its digest is a hook's."""
    unrendered = {key: value for key, value in package.unrendered.items() if key != "vars"}
    hooks = [package.on_run_start, package.on_run_end]
    return [
        package.name, package.root, package.version, package.paths, package.configs, unrendered, package.quoting,
        package.flags, package.restrict_access, hooks, package.checksum if any(hooks) else "",
    ]  # fmt: skip


def build() -> list[Any]:
    """Which code this is: the version, and in a work tree the state of every file."""
    home = os.path.dirname(understudy.__file__)
    if os.path.basename(os.path.dirname(home)) in ("site-packages", "dist-packages"):
        return [understudy.__version__, os.stat(understudy.__file__).st_mtime_ns]
    return [understudy.__version__, *_states(home)]


def _states(folder: str) -> list[Any]:
    found: list[Any] = []
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        if entry.is_dir():
            found += [] if entry.name == "__pycache__" else _states(entry.path)
        elif entry.name.endswith(".py"):
            status = entry.stat()
            found += [entry.name, status.st_size, status.st_mtime_ns]
    return found


def load(path: str) -> dict[str, memoryview] | None:
    """The sections of a file of the cache; None: there is none, or it is not whole."""
    sections = pack.read(path)
    if sections is not None:
        with suppress(OSError):
            if time.time() - os.stat(path).st_mtime > FRESH:
                os.utime(path)
    return sections


def save(path: str, sections: Mapping[str, pack.Pieces]) -> None:
    """Keep a file. A folder that may not be written to keeps nothing, and nobody minds."""
    folder = os.path.dirname(path)
    with suppress(ArtifactError, OSError):
        ignore = os.path.join(os.path.dirname(folder), ".gitignore")
        if not os.path.exists(ignore):
            atomic.write(ignore, b"*\n")
        pack.write(path, sections)
        prune(folder, os.path.basename(path).partition("-")[0])


def prune(folder: str, kind: str) -> None:
    """Remove the files of a kind that were used least, and what was left half written."""
    found = []
    for entry in os.scandir(folder):
        with suppress(OSError):
            if entry.name.startswith(f"{kind}-"):
                found.append((entry.stat().st_mtime, entry.path))
            elif entry.name.endswith(".tmp") and time.time() - entry.stat().st_mtime > 3600:
                os.unlink(entry.path)
    for _, path in sorted(found, reverse=True)[KEEP:]:
        with suppress(OSError):
            os.unlink(path)
