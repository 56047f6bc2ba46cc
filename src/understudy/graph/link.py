"""Which node does a reference name? From names, packages and versions alone; where the reference goes is for `defer/`.

`link` fills `depends_on.nodes` and refuses what names nothing or may not be used from where it stands, all of it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from understudy.core.manifest import Manifest
from understudy.core.nodes import Model, SavedQuery, Seed, UnitTest
from understudy.core.project import Settings
from understudy.core.warning import Warning_
from understudy.errors import UnderstudyError, raise_all
from understudy.graph.access import check_access, check_groups
from understudy.graph.names import Names, Target
from understudy.graph.semantics import link_metrics, relate
from understudy.template import literal

Missed = Callable[[str, str], None]
"""Hears the unique_id of a test that is left out, and a name of which there would have to be something for it to come back."""


def ignore(unique_id: str, name: str) -> None:
    """Nobody wants to know."""


def link(manifest: Manifest, settings: Settings, missed: Missed = ignore) -> tuple[Warning_, ...]:
    """Fill `depends_on.nodes` of everything, and the manifest's `inputs`: sources first, then refs, metrics, functions.

    A test whose parent is missing or disabled is moved to `disabled` (dbt 1.11: invalid_target_fail_unless_test).
    Returns the warnings, each with its node. Raises LinkError, or an ErrorList of them: unknown, disabled and ambiguous
    names, unknown groups, private and protected models out of reach.
    """
    linker = _Linker(manifest, settings, missed)
    for unique_id, node in list(manifest.nodes.items()):
        if not isinstance(node, Seed):
            linker.node(unique_id, node)
    for unique_id, exposure in manifest.exposures.items():
        linker.node(unique_id, exposure)
    for unique_id, function in manifest.functions.items():
        linker.node(unique_id, function)
    for unique_id, semantic in manifest.semantic_models.items():
        linker.node(unique_id, semantic)
        relate(semantic, manifest.nodes)
    wrong = link_metrics(manifest, linker.names)
    for unique_id, query in manifest.saved_queries.items():
        linker.node(unique_id, query)
    for unique_id, test in manifest.unit_tests.items():
        manifest.inputs[unique_id] = tuple(linker.input(test, each["input"]) for each in test.given)
    raise_all([*linker.errors, *wrong, *check_groups(manifest)])
    return tuple(linker.warnings)


def link_part(
    manifest: Manifest, settings: Settings, unique_ids: Iterable[str], names: Names, missed: Missed = ignore
) -> tuple[Warning_, ...]:
    """The same for some resources only, while the others are linked and stay as they are. None of them may be of the
    semantic layer, where everything is linked to everything. `names` are those of the manifest.
    """
    linker, wanted = _Linker(manifest, settings, missed, names), sorted(unique_ids)
    for part in (manifest.nodes, manifest.exposures, manifest.functions):
        for unique_id in wanted:
            node: Any = part.get(unique_id)
            if node is not None and not isinstance(node, Seed):
                linker.node(unique_id, node)
    for unique_id in wanted:
        test = manifest.unit_tests.get(unique_id)
        if test is not None:
            manifest.inputs[unique_id] = tuple(linker.input(test, each["input"]) for each in test.given)
    raise_all([*linker.errors, *check_groups(manifest, [each for each in wanted if each in manifest.nodes])])
    return tuple(linker.warnings)


def link_node(manifest: Manifest, settings: Settings, unique_id: str) -> tuple[Warning_, ...]:
    """Fill `depends_on.nodes` of one node that came later. Returns the warnings. Raises LinkError, or an ErrorList."""
    linker = _Linker(manifest, settings)
    linker.node(unique_id, manifest.nodes[unique_id])
    raise_all(linker.errors)
    return tuple(linker.warnings)


class _Linker:
    """The walk over all references, with what it found wrong."""

    def __init__(
        self, manifest: Manifest, settings: Settings, missed: Missed = ignore, names: Names | None = None
    ) -> None:
        self.manifest = manifest
        self.missed = missed
        self.names = names or Names.of(manifest, settings)
        self.restricted = frozenset(package.name for package in settings.packages if package.restrict_access)
        self.errors: list[UnderstudyError] = []
        self.warnings: list[Warning_] = []

    def node(self, unique_id: str, node: Any) -> None:
        """Link one node; note what its references lack."""
        found: dict[str, None] = {}
        lost: list[Target] = []
        for target in self._targets(node):
            if isinstance(target.found, str):
                found[target.found] = None
                self._check(unique_id, node, target)
            else:
                lost.append(target)
        node.depends_on.nodes = list(found)
        if not lost:
            return
        if node.resource_type == "test":
            self._drop(unique_id, node, lost)
        else:
            self.errors += [self.names.error(unique_id, target) for target in lost]

    def input(self, test: UnitTest, text: str) -> str | None:
        """The node or source that an input of a unit test stands for. Parsing has seen that it is one of these calls."""
        if text.strip() == "this":
            return next(iter(test.depends_on.nodes), None)
        calls = literal.scan("{{ " + text + " }}")
        if calls is None:
            return None
        for source_name, table_name in calls.sources:
            return self.names.source(source_name, table_name, test.package_name).found
        ref = calls.refs[0]
        return self.names.ref(ref.package, ref.name, ref.version, test.package_name).found

    def _targets(self, node: Any) -> Iterator[Target]:
        for source_name, table_name in getattr(node, "sources", ()):
            yield self.names.source(source_name, table_name, node.package_name)
        for ref in node.refs:
            yield self.names.ref(ref.package, ref.name, ref.version, node.package_name)
        for metric in _metrics(node):
            yield self.names.metric(*_package_and_name(metric), node.package_name)
        for function in getattr(node, "functions", ()):
            yield self.names.function(*_package_and_name(function), node.package_name)

    def _check(self, unique_id: str, node: Any, target: Target) -> None:
        """Whether the node may use what its reference names."""
        model = self.manifest.nodes.get(target.found or "")
        if not isinstance(model, Model):
            return
        error = check_access(self.manifest, unique_id, node, model, self.restricted)
        if error is not None:
            self.errors.append(error)
        root = self.manifest.project_name
        if model.package_name == root != node.package_name and target.package != root and not self.names.own_first:
            self.warnings.append(
                Warning_(
                    "PackageNodeDependsOnRootProjectNode",
                    f"The node '{node.name}' of package '{node.package_name}' depends on the root project's "
                    f"'{model.unique_id}'; the flag require_ref_searches_node_package_before_root makes a package's "
                    "refs look in the package first",
                    self.manifest.place(unique_id),
                )
            )

    def _drop(self, unique_id: str, test: Any, lost: Sequence[Target]) -> None:
        """Switch a test off whose parent is not there. Nobody is told of a ref to a disabled node: who switches a model
        off means its tests, too.
        """
        for target in lost:
            self.missed(unique_id, target.name if target.version is None else f"{target.name}.v{target.version}")
            if target.disabled and target.kind != "source":
                continue
            name = "InvalidDisabledTargetInTestNode" if target.disabled else "NodeNotFoundOrDisabled"
            message = self.names.message(unique_id, target)
            self.warnings.append(Warning_(name, f"{message}; the test is left out", self.manifest.place(unique_id)))
        del self.manifest.nodes[unique_id]
        test.config = {**test.config, "enabled": False}
        self.manifest.disabled.setdefault(unique_id, []).append(test)


def _metrics(node: Any) -> Sequence[Sequence[str]]:
    if isinstance(node, SavedQuery):
        return [[name] for name in node.query_params["metrics"]]
    return getattr(node, "metrics", ())


def _package_and_name(arguments: Sequence[str]) -> tuple[str | None, str]:
    """`metric()` and `function()` take a name, or a package and a name."""
    return (arguments[0], arguments[1]) if len(arguments) > 1 else (None, arguments[0])
