"""What can be selected, by type, tag, name ...: one pass each over the manifest, made when first used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from understudy.core.config import listed
from understudy.core.manifest import Manifest
from understudy.graph.dag import members
from understudy.select.files import FileTree

UNIT_TEST = "unit_test"


@dataclass(frozen=True)
class Index:
    """The resources of a manifest that are switched on, by unique_id, and ways to find them."""

    manifest: Manifest
    project_name: str

    @cached_property
    def resources(self) -> dict[str, Any]:
        """Everything that can be selected."""
        nodes = self.manifest.nodes.items()
        found: dict[str, Any] = {i: node for i, node in nodes if node.config.get("enabled") is not False}
        found.update((i, member) for i, member in members(self.manifest, nodes=False) if _enabled(member))
        return found

    def of_type(self, *types: str) -> Iterator[tuple[str, Any]]:
        """The resources of these types."""
        for resource_type in types:
            for unique_id in self.by_type.get(resource_type, ()):
                yield unique_id, self.resources[unique_id]

    @cached_property
    def by_type(self) -> dict[str, list[str]]:
        """resource_type -> unique_ids."""
        return _index((get(resource, "resource_type"), i) for i, resource in self.resources.items())

    @cached_property
    def nodes(self) -> dict[str, Any]:
        """What stands under `nodes` in the manifest."""
        return {unique_id: node for unique_id, node in self.resources.items() if unique_id in self.manifest.nodes}

    @cached_property
    def by_tag(self) -> dict[str, list[str]]:
        """tag -> unique_ids."""
        return _index((tag, i) for i, resource in self.resources.items() for tag in _tags(resource))

    @cached_property
    def by_package(self) -> dict[str, list[str]]:
        """package -> unique_ids."""
        return _index((get(resource, "package_name"), i) for i, resource in self.resources.items())

    @cached_property
    def by_group(self) -> dict[str, list[str]]:
        """group -> unique_ids of nodes and metrics."""
        grouped = ((get(each, "config") or {}).get("group") for each in self.resources.values())
        able = ((group, i) for group, i in zip(grouped, self.resources, strict=True) if group)
        return _index((group, i) for group, i in able if i in self.nodes or i in self.manifest.metrics)

    @cached_property
    def by_file(self) -> dict[str, list[str]]:
        """original_file_path -> unique_ids."""
        return _index((get(resource, "original_file_path"), i) for i, resource in self.resources.items())

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """A name, or the beginning of one -> unique_ids that `fqn` must look at: the last part (of a version: the model's
        name, and name_version), and the first part with and without the package.
        """
        return _index((key, i) for i, resource in self.named.items() for key in resource.words())

    @cached_property
    def named(self) -> dict[str, Fqn]:
        """The names of everything but sources."""
        return {i: Fqn.of(resource) for i, resource in self.resources.items() if i not in self.manifest.sources}

    @cached_property
    def tests(self) -> frozenset[str]:
        """What comes along with the nodes that it looks at."""
        return frozenset(i for i, _ in self.of_type("test", UNIT_TEST))

    @cached_property
    def files(self) -> FileTree:
        """The files of the root project, as far as something of the manifest stands in them.

        dbt looks for a path on the disk, below the project's root; a file without any resource can match nothing.
        """
        resources: list[Any] = [*self.resources.values(), *self.manifest.macros.values(), *self.manifest.docs.values()]
        resources += [each for several in self.manifest.disabled.values() for each in several]
        own = [resource for resource in resources if get(resource, "package_name") == self.project_name]
        paths = {get(resource, "original_file_path") for resource in own}
        patched = {patch_of(resource, self.project_name) for resource in resources}
        return FileTree(path for path in paths | patched if path)


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
    def of(cls, resource: Any) -> Fqn:
        """The name of a resource."""
        fqn: list[str] = get(resource, "fqn") or [get(resource, "package_name"), get(resource, "name")]
        joined = ".".join(fqn)
        parts = tuple(fqn) if joined.count(".") < len(fqn) else tuple(joined.split("."))
        after_package = 1 + fqn[0].count(".")
        if get(resource, "version") is not None and get(resource, "resource_type") == "model":
            return cls(parts, fqn[-2], "_".join(fqn[-2:]), after_package)
        return cls(parts, fqn[-1], None, after_package)

    def words(self) -> set[str]:
        """Under which words of a selector the node is to be looked at."""
        words = {self.leaf, self.parts[0], self.parts[min(self.after_package, len(self.parts) - 1)]}
        return words if self.versioned is None else words | {self.versioned}


def get(resource: Any, key: str) -> Any:
    """A field of a resource; kinds that are kept as parsed may be plain maps."""
    return getattr(resource, key, None) if type(resource) is not dict else resource.get(key)


def patch_of(resource: Any, package: str | None = None) -> str | None:
    """The path of the properties file that describes a resource; of another package than `package`: None."""
    owner, _, path = (get(resource, "patch_path") or "").partition("://")
    return path or None if package is None or owner == package else None


def _enabled(resource: Any) -> bool:
    config = get(resource, "config") or {}
    return get(resource, "resource_type") == "exposure" or config.get("enabled") is not False


def _tags(resource: Any) -> Iterable[str]:
    """The tags of a resource; unit tests have them in their config alone."""
    tags = get(resource, "tags")
    return tags if tags is not None else listed((get(resource, "config") or {}).get("tags") or [])


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
