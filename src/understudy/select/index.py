"""What can be selected, by type, tag, name ...: one pass each over the manifest, made when first used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import translate
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import msgspec

from understudy.core.card import Card
from understudy.core.manifest import Manifest
from understudy.select.files import FileTree

UNIT_TEST = "unit_test"


class Index(msgspec.Struct, frozen=True, dict=True):
    """The resources of a manifest that are switched on, by unique_id, and ways to find them."""

    manifest: Manifest
    project_name: str

    @cached_property
    def resources(self) -> dict[str, Card]:
        """Everything that can be selected."""
        return {unique_id: card for unique_id, card in self.manifest.cards.items() if card.enabled}

    def of_type(self, *types: str) -> Iterator[tuple[str, Card]]:
        """The resources of these types."""
        for resource_type in types:
            for unique_id in self.by_type.get(resource_type, ()):
                yield unique_id, self.resources[unique_id]

    @cached_property
    def by_type(self) -> dict[str, list[str]]:
        """resource_type -> unique_ids."""
        return _index((card.resource_type, i) for i, card in self.resources.items())

    @cached_property
    def nodes(self) -> dict[str, Card]:
        """What stands under `nodes` in the manifest."""
        return {unique_id: card for unique_id, card in self.resources.items() if unique_id in self.manifest.nodes}

    @cached_property
    def by_tag(self) -> dict[str, list[str]]:
        """tag -> unique_ids."""
        return _index((tag, i) for i, card in self.resources.items() for tag in card.tags)

    @cached_property
    def by_package(self) -> dict[str, list[str]]:
        """package -> unique_ids."""
        return _index((card.package_name, i) for i, card in self.resources.items())

    @cached_property
    def by_group(self) -> dict[str, list[str]]:
        """group -> unique_ids of nodes and metrics."""
        able = ((card.config_group, i) for i, card in self.resources.items() if card.config_group)
        return _index((group, i) for group, i in able if i in self.nodes or i in self.manifest.metrics)

    @cached_property
    def by_file(self) -> dict[str, list[str]]:
        """original_file_path -> unique_ids."""
        return _index((card.original_file_path, i) for i, card in self.resources.items())

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """A name, or the beginning of one -> unique_ids that `fqn` must look at: the last part (of a version: the model's
        name, and name_version), and the first part with and without the package.
        """
        return _index((key, i) for i, name in self.named.items() for key in name.words())

    @cached_property
    def named(self) -> dict[str, Fqn]:
        """The names of everything but sources."""
        return {i: Fqn.of(card) for i, card in self.resources.items() if i not in self.manifest.sources}

    @cached_property
    def tests(self) -> frozenset[str]:
        """What comes along with the nodes that it looks at."""
        return frozenset(i for i, _ in self.of_type("test", UNIT_TEST))

    @cached_property
    def files(self) -> FileTree:
        """The files of the root project, as far as something of the manifest stands in them.

        dbt looks for a path on the disk, below the project's root; a file without any resource can match nothing.
        """
        manifest = self.manifest
        paths = {card.original_file_path for card in self.resources.values() if card.package_name == self.project_name}
        patched: list[Any] = [*self.resources.values()]
        others: list[Any] = [each for many in manifest.disabled.values() for each in many]
        for part in (
            manifest.macros,
            manifest.docs,
        ):  # the engine's own macros, of which there are many, are in no file
            others += [part[unique_id] for unique_id in part if not unique_id.startswith("macro.dbt.")]
        paths |= {get(each, "original_file_path") for each in others if get(each, "package_name") == self.project_name}
        paths |= {path for each in (*patched, *others) if (path := patch_of(each, self.project_name))}
        return FileTree(paths)


class Fqn(NamedTuple):
    """The name of a node in parts, and what can stand for it (dbt 1.11: is_selected_node)."""

    parts: tuple[str, ...]
    """package, folders, name, and the version's `v1` where there is one; a dot within a part divides it."""
    leaf: str
    versioned: str | None
    """`name_v1`."""
    after_package: int
    """Where the parts below the package begin."""

    @classmethod
    def of(cls, card: Card) -> Fqn:
        """The name of a resource."""
        fqn = card.fqn
        joined = ".".join(fqn)
        parts = tuple(fqn) if joined.count(".") < len(fqn) else tuple(joined.split("."))
        after_package = 1 + fqn[0].count(".")
        if card.version is not None and card.resource_type == "model":
            return cls(parts, fqn[-2], "_".join(fqn[-2:]), after_package)
        return cls(parts, fqn[-1], None, after_package)

    def words(self) -> set[str]:
        """Under which words of a selector the node is to be looked at."""
        words = {self.leaf, self.parts[0], self.parts[min(self.after_package, len(self.parts) - 1)]}
        return words if self.versioned is None else words | {self.versioned}


def get(resource: Any, key: str) -> Any:
    """A field of a resource; what is disabled may be a plain map."""
    return getattr(resource, key, None) if type(resource) is not dict else resource.get(key)


def patch_of(resource: Any, package: str | None = None) -> str | None:
    """The path of the properties file that describes a resource; of another package than `package`: None."""
    owner, _, path = (get(resource, "patch_path") or "").partition("://")
    return path or None if package is None or owner == package else None


def _index(pairs: Iterable[tuple[Any, str]]) -> dict[Any, list[str]]:
    index: dict[Any, list[str]] = {}
    for key, unique_id in pairs:
        index.setdefault(key, []).append(unique_id)
    return index


def has_wildcard(text: str) -> bool:
    """Whether a value is a pattern rather than a name."""
    return any(character in text for character in "*?[")


@lru_cache(maxsize=512)
def pattern(text: str) -> re.Pattern[str]:
    """A value with `*`, `?` and `[...]` as a regular expression for `match`; letters count with their case."""
    return re.compile(translate(text))


def look_up(index: Mapping[str, list[str]], value: str) -> Iterator[str]:
    """The unique_ids under a key, or under all keys that fit a pattern."""
    if not has_wildcard(value):
        yield from index.get(value, ())
        return
    fits = pattern(value).match
    for key, unique_ids in index.items():
        if fits(key):
            yield from unique_ids
