"""Which config holds for a node: the trees of `dbt_project.yml`, the properties file and `config()`, in dbt's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from understudy.core.config import DEFAULTS, TREES, Level, finish, merge, settle
from understudy.core.nodes import Config
from understudy.core.project import Package, Settings
from understudy.core.walk import plain

NOTHING: Mapping[str, object] = {}
UNRENDERED = {"functions": "models"}
"""Where dbt 1.11 looks for the unrendered config of a type, if not in its own tree (UnrenderedConfig). It looks for
`semantic_models` and `saved_queries` under these very names, which no file can have: the file spells them with hyphens."""


class Configs:
    """The config trees of all packages, and the configs computed from them."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.root
        self._packages = {package.name: package for package in settings.packages}
        self._trees: dict[tuple[str, str, bool], Level] = {}
        self._bases: dict[tuple[object, ...], tuple[Config, Config]] = {}

    def tree(self, package: str, kind: str, *, rendered: bool = True) -> Level:
        """A package's config tree for a resource type, as values or as the raw text of the file."""
        name = TREES.get(kind, "models")
        key = (package, name if rendered else UNRENDERED.get(name, name), rendered)
        level = self._trees.get(key)
        if level is None:
            source = self._packages[package]
            raw = source.configs.get(key[1]) if rendered else _unrendered(source, key[1])
            level = self._trees[key] = Level.of(raw if rendered else plain(raw))
        return level

    def base(self, kind: str, package: str, fqn: Sequence[str]) -> Config:
        """The config that the projects alone give."""
        return self._base(kind, package, fqn)[1]

    def _base(self, kind: str, package: str, fqn: Sequence[str]) -> tuple[Config, Config]:
        """Defaults and the own project's layers; then with the root project's. Computed once per combination of layers."""
        own = self.tree(package, kind).layers(fqn)
        over = self._over(kind, package, fqn)
        key = (kind, *map(id, own), *map(id, over))
        found = self._bases.get(key)
        if found is None:
            config = DEFAULTS[kind]
            for layer in own:
                config = merge(config, layer, kind)
            full = config
            for layer in over:
                full = merge(full, layer, kind)
            found = self._bases[key] = config, finish(full, kind)
        return found

    def _over(self, kind: str, package: str, fqn: Sequence[str]) -> list[Config]:
        """The root project's layers for a node of an installed package: they win over everything."""
        return [] if package == self._root.name else self.tree(self._root.name, kind).layers(fqn)

    def config(
        self,
        kind: str,
        package: str,
        fqn: Sequence[str],
        calls: Mapping[str, object] = NOTHING,
        patch: Mapping[str, object] = NOTHING,
        previous: Config | None = None,
    ) -> Config:
        """A node's config. `previous` is the one that it had before a properties file spoke.

        Raises ParseError naming the key where a value cannot be.
        """
        own, full = self._base(kind, package, fqn)
        if not calls and not patch:
            return full
        config = merge(merge(own, patch, kind), calls, kind)
        for layer in self._over(kind, package, fqn):
            config = merge(config, layer, kind)
        return settle(full if previous is None else previous, finish(config, kind))

    def unrendered(
        self,
        kind: str,
        package: str,
        fqn: Sequence[str],
        calls: Mapping[str, object] = NOTHING,
        patch: Mapping[str, object] = NOTHING,
    ) -> Config:
        """The same layers as their authors wrote them; a later layer replaces a key."""
        config: Config = {}
        for layer in self.tree(package, kind, rendered=False).layers(fqn):
            config.update(layer)
        config.update(patch)
        config.update(calls)
        if package != self._root.name:
            for layer in self.tree(self._root.name, kind, rendered=False).layers(fqn):
                config.update(layer)
        return config


def _unrendered(package: Package, tree: str) -> Mapping[str, object] | None:
    value = package.unrendered.get(tree)
    return value if isinstance(value, dict) else None
