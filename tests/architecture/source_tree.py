"""The source of understudy as syntax trees, for the tests of this folder. No module is imported by it."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
PACKAGE = SRC / "understudy"

# The rooms that take text and values and give text and values: no driver, clock, disk, terminal or environment.
PURE_ZONE = (
    "understudy.errors",
    "understudy.core",
    "understudy.sql",
    "understudy.template",
    "understudy.stdlib",
    "understudy.parse",
    "understudy.graph",
    "understudy.state",
    "understudy.select",
    "understudy.defer",
    "understudy.compile",
    "understudy.execute.plan",
    "understudy.execute.outline",
    "understudy.execute.materialize",
    "understudy.execute.build",
    "understudy.execute.external",
    "understudy.execute.functions",
    "understudy.execute.parts",
    "understudy.execute.judge",
    "understudy.execute.snapshots",
    "understudy.execute.microbatch",
)


@dataclass(frozen=True)
class Module:
    """One file of the package: its dotted name, its path from the root, its text and its tree."""

    name: str
    path: str
    text: str
    tree: ast.Module

    def is_in(self, *packages: str) -> bool:
        return any(self.name == package or self.name.startswith(package + ".") for package in packages)


@cache
def modules() -> tuple[Module, ...]:
    """Every module of src/understudy, in the order of their paths."""
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(SRC).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = file.read_text(encoding="utf-8")
        found.append(Module(name, file.relative_to(ROOT).as_posix(), text, ast.parse(text, filename=str(file))))
    return tuple(found)


def imports(module: Module) -> Iterator[tuple[str, int]]:
    """(absolute name, line) of everything that a module imports, inside functions too; not under TYPE_CHECKING."""
    hidden = {
        id(node)
        for block in ast.walk(module.tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(module.tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def contract(name: str, key: str) -> list[str]:
    """The list under `key` in a contract of .importlinter."""
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    return config[f"importlinter:contract:{name}"][key].split()
