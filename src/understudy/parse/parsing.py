"""What the steps of stage 2 share: the manifest that grows, the look-ups by name, the warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from understudy.core.manifest import Manifest, Uses
from understudy.core.nodes import REFABLE, Analysis, Function, Model, Node, Seed, SingularTest, Source, Version
from understudy.core.project import Settings
from understudy.core.source_file import SourceFile
from understudy.core.warning import Warning_
from understudy.errors import DuplicateError, Place, UnderstudyError
from understudy.parse.cells import Cells
from understudy.parse.configs import Configs
from understudy.parse.scan import Scanned
from understudy.sql.dialect import Dialect
from understudy.template.renderer import Renderer
from understudy.template.scope import BuiltinMacro, Captured
from understudy.template.session import OWN_CALLS

ByName = dict[str, dict[str, str]]
"""name -> package -> unique_id."""
NOTHING = Captured()


@dataclass(slots=True)
class Parsing:
    """The state of one parse."""

    settings: Settings
    manifest: Manifest
    renderer: Renderer
    dialect: Dialect
    builtins: Mapping[str, BuiltinMacro]
    configs: Configs
    cells: Cells
    """Which parts stand and fall together."""
    read_seed: Callable[[Seed], str]
    """The text of a seed's file, which is not read with the others."""
    scans: Mapping[tuple[str, str], Scanned] = field(default_factory=dict)
    """Properties files by package and path."""
    refable: ByName = field(default_factory=dict)
    analyses: ByName = field(default_factory=dict)
    tests: ByName = field(default_factory=dict)
    functions: ByName = field(default_factory=dict)
    fixtures: dict[tuple[str, str], SourceFile] = field(default_factory=dict)
    """Files of rows for unit tests by package and name."""
    disabled: dict[str, list[Node]] = field(default_factory=dict)
    calls: dict[int, Captured] = field(default_factory=dict)
    """What each node's file asked for, by the node's identity (two disabled nodes may share a unique_id)."""
    _literal: dict[str, bool] = field(default_factory=dict)
    _generated: dict[tuple[str, str | None], str | None] = field(default_factory=dict)
    _own_names: frozenset[str] | None = None

    def literal(self, package: str) -> bool:
        """Whether `ref`, `source` and `config` mean in a package what they always mean, so that a scan may stand."""
        found = self._literal.get(package)
        if found is None:
            found = self._literal[package] = not self.renderer.macros.defines(OWN_CALLS, package)
        return found

    def generated(self, kind: Literal["schema", "database"], custom: str | None, node: Node) -> str | None:
        """A node's schema or database. Unless somebody overrides the macro, it depends on the custom name alone."""
        if self._own_names is None:
            names = {
                macro.name.split("__")[-1] for macro in self.manifest.macros.values() if macro.package_name != "dbt"
            }
            self._own_names = frozenset(names)
        if f"generate_{kind}_name" in self._own_names:
            return self.named(kind, custom, node)
        key = kind, custom
        if key not in self._generated:
            self._generated[key] = self.named(kind, custom, node)
        return self._generated[key]

    def named(self, kind: Literal["schema", "alias", "database"], custom: str | None, node: Node) -> str | None:
        """What a `generate_*_name` macro makes. What it depends on concerns all nodes, for it is asked once for many."""
        at_work = self.cells.current
        self.cells.resume()
        try:
            return self.renderer.generate_name(kind, custom, node)
        finally:
            self.cells.resume(at_work)

    def warn(self, name: str, message: str, place: Place | None = None) -> None:
        """Note a warning under dbt's name for it."""
        self.cells.current.warnings.append(Warning_(name, message, place))

    def add(self, node: Node) -> None:
        """Put a node where its `enabled` says. Raises DuplicateError when the name is taken, with both files."""
        self.cells.touch(node.unique_id)
        if node.config["enabled"]:
            self.put(node)
        else:
            self.manifest.disabled.setdefault(node.unique_id, []).append(node)
            self.disabled.setdefault(node.name, []).append(node)

    def put(self, node: Node) -> None:
        """A node that is switched on: into the manifest, and known by its name.

        Raises DuplicateError when another node has the unique_id.
        """
        other = self.manifest.nodes.get(node.unique_id) or self.manifest.functions.get(node.unique_id)
        if other is not None:
            raise duplicate(
                node.resource_type, node.name, other.original_file_path, node.original_file_path, node.unique_id
            )
        if isinstance(node, Function):
            self.manifest.functions[node.unique_id] = node
        else:
            self.manifest.nodes[node.unique_id] = node
        self._index(node)

    def _index(self, node: Node) -> None:
        """Make a node known by its name (of a versioned model: its latest version)."""
        names = self._lookup(node)
        if names is None:
            return
        if isinstance(node, Model) and node.version is not None:
            names.setdefault(f"{node.name}.v{node.version}", {})[node.package_name] = node.unique_id
            if node.version != node.latest_version:
                return
        names.setdefault(node.name, {})[node.package_name] = node.unique_id

    def forget(self, node: Node) -> None:
        """A node goes, or gets another name: it is no longer among those that are switched on."""
        self.manifest.nodes.pop(node.unique_id, None)
        self.manifest.functions.pop(node.unique_id, None)
        names = self._lookup(node)
        if names is not None:
            names.get(node.name, {}).pop(node.package_name, None)

    def _lookup(self, node: Node) -> ByName | None:
        """The look-up in which a node is found."""
        if node.resource_type in REFABLE:
            return self.refable
        if isinstance(node, Analysis):
            return self.analyses
        if isinstance(node, Function):
            return self.functions
        return self.tests if isinstance(node, SingularTest) else None

    def find(self, name: str, package: str | None, version: Version | None = None) -> str | None:
        """A model's, seed's or snapshot's unique_id. Raises DuplicateError when several packages have it."""
        return one(self.refable, name if version is None else f"{name}.v{version}", package)

    def find_disabled(self, name: str, package: str | None, kind: str | None = None) -> list[Node]:
        """The disabled nodes of a name."""
        return [
            node
            for node in self.disabled.get(name, [])
            if (package is None or node.package_name == package) and (kind is None or node.resource_type == kind)
        ]

    def used(self, unique_id: str, captured: Captured) -> None:
        """Note the variables that a node's text looked up."""
        if captured.vars or captured.env_vars:
            uses = self.manifest.uses.setdefault(unique_id, Uses())
            uses.vars.update(captured.vars)
            uses.env_vars.update(captured.env_vars)

    def quoting(self, node: Node | Source) -> dict[str, Any]:
        """How the parts of a relation's name are quoted: the root project's word, and the resource's over it."""
        own = node.quoting if isinstance(node, Source) else node.config.get("quoting") or {}
        return {**self.settings.root.quoting, **{part: value for part, value in own.items() if value is not None}}

    def relation_name(self, node: Node | Source, identifier: str) -> str:
        """The relation's name as SQL text."""
        return self.dialect.relation(node.database, node.schema, identifier, self.quoting(node)).render()


def one(names: ByName, name: str, package: str | None) -> str | None:
    """The unique_id of a name in a package, or in any. Raises DuplicateError when several packages have it."""
    by_package = names.get(name)
    if not by_package:
        return None
    if package is not None:
        return by_package.get(package)
    if len(by_package) > 1:
        known = ", ".join(by_package.values())
        raise DuplicateError(f"'{name}' is the name of several nodes: {known}", hint="Name the package, too")
    return next(iter(by_package.values()))


def duplicate(kind: str, name: str, first: str, second: str, unique_id: str) -> DuplicateError:
    """The error that two resources have one name."""
    where = f"{first} and {second}" if first != second else f"{first}, twice"
    return DuplicateError(
        f"Two {kind}s are called '{name}': {where}",
        place=Place(second, node=unique_id),
        hint="Rename or remove one of them",
    )


@contextmanager
def placed(file: SourceFile) -> Iterator[None]:
    """Errors that do not know where they happened get the file's path."""
    try:
        yield
    except UnderstudyError as error:
        if error.place is None:
            error.place = Place(file.path)
        raise


def below(file: SourceFile) -> list[str]:
    """The folders of a file below its search path."""
    return file.relative_path.split("/")[:-1]


def patch_path(file: SourceFile) -> str:
    """How the manifest names a properties file."""
    return f"{file.package}://{file.path}"
