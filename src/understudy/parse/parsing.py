"""What the steps of stage 2 share: the manifest that grows, the look-ups by name, the warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

import msgspec

from understudy.core.card import Card
from understudy.core.manifest import Manifest, Uses
from understudy.core.nodes import REFABLE, Function, GenericTest, Model, Node, Seed, Version
from understudy.core.project import Settings
from understudy.core.source_file import SourceFile
from understudy.core.warning import Warning_
from understudy.errors import DuplicateError, Place, UnderstudyError
from understudy.parse.cells import Cells
from understudy.parse.configs import Configs
from understudy.parse.naming import Naming
from understudy.parse.scan import Scanned
from understudy.sql.dialect import Dialect
from understudy.template.renderer import Renderer
from understudy.template.scope import BuiltinMacro, Captured
from understudy.template.session import OWN_CALLS

ByName = dict[str, dict[str, str]]
"""name -> package -> unique_id."""
NOTHING = Captured()


class Parsing(msgspec.Struct, dict=True):
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
    scans: Mapping[tuple[str, str], Scanned] = msgspec.field(default_factory=dict)
    """Properties files by package and path."""
    refable: ByName = msgspec.field(default_factory=dict)
    analyses: ByName = msgspec.field(default_factory=dict)
    tests: ByName = msgspec.field(default_factory=dict)
    functions: ByName = msgspec.field(default_factory=dict)
    fixtures: dict[tuple[str, str], SourceFile] = msgspec.field(default_factory=dict)
    """Files of rows for unit tests by package and name."""
    disabled: dict[str, list[Node]] = msgspec.field(default_factory=dict)
    calls: dict[int, Captured] = msgspec.field(default_factory=dict)
    """What each node's file asked for, by the node's identity (two disabled nodes may share a unique_id)."""
    literal_tests: dict[tuple[str, str], str | None] = msgspec.field(default_factory=dict)
    """The macro of each test, by its name and the package, that is read without rendering; None for the others."""
    named: set[str] = msgspec.field(default_factory=set)
    """Every name under which a node was known at any time."""
    standing: Mapping[str, Node] = msgspec.field(default_factory=dict)
    """Nodes that are not made anew, and stay as they are."""
    _literal: dict[str, bool] = msgspec.field(default_factory=dict)

    @cached_property
    def naming(self) -> Naming:
        """Where nodes go."""
        return Naming(self.settings, self.renderer, self.dialect, self.cells)

    def literal(self, package: str) -> bool:
        """Whether `ref`, `source` and `config` mean in a package what they always mean, so that a scan may stand."""
        found = self._literal.get(package)
        if found is None:
            found = self._literal[package] = not self.renderer.macros.defines(OWN_CALLS, package)
        return found

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
        self.named.add(node.name)
        self.know(node)

    def know(self, node: Node | Card) -> None:
        """Make a node known by its name (of a versioned model: its latest version)."""
        names = self._lookup(node)
        if names is None:
            return
        version = node.version if isinstance(node, Model | Card) and node.resource_type == "model" else None
        if version is not None:
            names.setdefault(f"{node.name}.v{version}", {})[node.package_name] = node.unique_id
            if version != node.latest_version:  # type: ignore[union-attr]  # a model has both
                return
        names.setdefault(node.name, {})[node.package_name] = node.unique_id

    def forget(self, node: Node) -> None:
        """A node goes, or gets another name: it is no longer among those that are switched on."""
        self.manifest.nodes.pop(node.unique_id, None)
        self.manifest.functions.pop(node.unique_id, None)
        names = self._lookup(node)
        if names is not None:
            names.get(node.name, {}).pop(node.package_name, None)

    def _lookup(self, node: Node | Card) -> ByName | None:
        """The look-up in which a node is found. Nobody names a generic test."""
        kind = node.resource_type
        if kind in REFABLE:
            return self.refable
        if isinstance(node, GenericTest) or (isinstance(node, Card) and node.test is not None):
            return None
        return {"analysis": self.analyses, "function": self.functions, "test": self.tests}.get(kind)

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

    def would_be(self, node: Node | Card) -> str:
        """The relation that an ephemeral model would be."""
        whole = self.standing[node.unique_id] if isinstance(node, Card) else node
        return self.naming.relation_name(whole, whole.alias)

    def place(self, node: Node | Card) -> Place:
        """Where a node stands, for errors and warnings."""
        return Place(node.original_file_path, self.manifest.lines.get(node.unique_id), node.unique_id)


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
