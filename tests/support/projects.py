"""Small projects in memory: settings and source files from texts, and the manifest that they give. No disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from understudy.core.project import Package, Settings, Target
from understudy.core.source_file import FileKind, SourceFile
from understudy.parse.project import Parsed, parse_project
from understudy.sql.dialect import dialect
from understudy.stdlib.registry import BUILTINS, builtin_macros

FOLDERS: Mapping[str, FileKind] = {
    "models": "model", "seeds": "seed", "snapshots": "snapshot", "analyses": "analysis", "macros": "macro", "tests": "test",
    "functions": "function",
}  # fmt: skip


def package(name: str = "shop", **fields: Any) -> Package:
    """A package; config trees stand in `configs`, and are the unrendered ones, too, where nothing else is said."""
    fields.setdefault("unrendered", fields.get("configs", {}))
    return Package(name=name, root=f"/{name}", **fields)


def settings(
    *packages: Package, flags: Mapping[str, Any] | None = None, env: Mapping[str, str] | None = None
) -> Settings:
    """Settings with the first package as root, and a DuckDB target `dev`."""
    every = packages or (package(),)
    target = Target("shop", "dev", "duckdb", "db", "dev", 1, {"path": "db.duckdb"})
    return Settings(every[0], every, target, {}, flags or {}, dict(env or {}).get)


def source_file(path: str, text: str, package_name: str = "shop") -> SourceFile:
    """A file whose kind its folder and extension tell."""
    folder = path.split("/")[0]
    kind = FOLDERS[folder]
    if path.endswith((".yml", ".yaml")):
        kind = "properties"
    elif path.endswith(".md"):
        kind = "docs"
    elif path.startswith("tests/generic/"):
        kind, folder = "generic_test", "tests/generic"
    elif path.startswith("tests/fixtures/"):
        kind, folder = "fixture", "tests/fixtures"
    stripped = text.strip()
    checksum = hashlib.sha256(stripped.encode()).hexdigest()
    return SourceFile(package_name, kind, folder, path, "" if kind == "seed" else stripped, checksum)


def parse(files: Mapping[str, str], given: Settings | None = None, **others: Mapping[str, str]) -> Parsed:
    """Parse the root project's files, and those of other packages by name."""
    chosen = given or settings()
    found = [source_file(path, text, chosen.root.name) for path, text in sorted(files.items())]
    for name, theirs in others.items():
        found += [source_file(path, text, name) for path, text in sorted(theirs.items())]
    return parse_project(
        chosen,
        found,
        builtins=BUILTINS,
        builtin_macros=builtin_macros(),
        dialect=dialect(chosen.target.type),
        read_seed=lambda seed: files[seed.original_file_path],
    )
