"""Names of a manifest: from what people write (`ref('a', v=2)`, `source('s', 't')`) to unique_ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from understudy.core.manifest import Manifest
from understudy.core.nodes import REFABLE, Version
from understudy.core.project import Settings
from understudy.errors import LinkError, did_you_mean

ByPackage = dict[str, str]
"""Package -> unique_id, for one name."""


class Target(msgspec.Struct, frozen=True):
    """One reference, and what it names: `found` is a unique_id or None, `disabled` the node that is switched off, or
    None. `others` are the candidates where several packages have the name and nothing decides between them.
    """

    kind: str
    name: str
    package: str | None = None
    version: Version | None = None
    found: str | None = None
    disabled: Any = None
    others: tuple[str, ...] = ()


class Names:
    """Looks names up as dbt 1.11 does (resolve_ref, resolve_source): a package that is given is the only one to be asked;
    without one the root project, then the node's own package, then any other in which the name is unique.

    `own_first` is the flag require_ref_searches_node_package_before_root: the node's own package is asked first.
    """

    def __init__(self, manifest: Manifest, *, own_first: bool = False) -> None:
        self.manifest = manifest
        self.own_first = own_first
        self.tables: dict[str, dict[str, ByPackage]] = {"node": {}, "source": {}, "metric": {}, "function": {}}
        for unique_id, each in manifest.known():
            kind = each.resource_type
            if kind in REFABLE:
                for name in _spellings(each):
                    self.tables["node"].setdefault(name, {})[each.package_name] = unique_id
            elif kind == "source":
                name = f"{each.source_name}.{each.name}"
                self.tables["source"].setdefault(name, {})[each.package_name] = unique_id
            elif kind in self.tables:
                self.tables[kind].setdefault(each.name, {})[each.package_name] = unique_id
        self._disabled: dict[tuple[str, str], list[Any]] | None = None

    @classmethod
    def of(cls, manifest: Manifest, settings: Settings) -> Names:
        """The names of a manifest, searched as the project's flags say."""
        return cls(manifest, own_first=bool(settings.flags.get("require_ref_searches_node_package_before_root")))

    def find_ref(self, package: str | None, name: str, version: Version | None, from_package: str) -> str | None:
        """The unique_id of `ref(package, name, v=version)` in a node of `from_package`.

        Without a version it is the latest one. None: there is none, or it is disabled, or nothing decides between packages.
        """
        return self.ref(package, name, version, from_package).found

    def find_source(self, source_name: str, table_name: str, from_package: str) -> str | None:
        """The unique_id of `source(source_name, table_name)`, or None."""
        return self.source(source_name, table_name, from_package).found

    def find_function(self, package: str | None, name: str, from_package: str) -> str | None:
        """The unique_id of `function(package, name)`, or None."""
        return self.function(package, name, from_package).found

    def ref(self, package: str | None, name: str, version: Version | None, from_package: str) -> Target:
        """As `find_ref`, with what an error needs to know."""
        key = name if version is None else f"{name}.v{version}"
        return self._find("node", key, name, package, version, from_package)

    def source(self, source_name: str, table_name: str, from_package: str) -> Target:
        """As `find_source`, with what an error needs to know."""
        name = f"{source_name}.{table_name}"
        return self._find("source", name, name, None, None, from_package)

    def metric(self, package: str | None, name: str, from_package: str) -> Target:
        """The metric of that name."""
        return self._find("metric", name, name, package, None, from_package)

    def function(self, package: str | None, name: str, from_package: str) -> Target:
        """As `find_function`, with what an error needs to know."""
        return self._find("function", name, name, package, None, from_package)

    def _find(
        self, kind: str, key: str, name: str, package: str | None, version: Version | None, from_package: str
    ) -> Target:
        candidates = self.tables[kind].get(key, {})
        for asked in self._packages(package, from_package):
            if asked in candidates:
                return Target(kind, name, package, version, candidates[asked])
        disabled = self._find_disabled(kind, key, package, from_package)
        if package is None and len(candidates) == 1:
            return Target(kind, name, package, version, next(iter(candidates.values())))
        others = tuple(candidates.values()) if package is None else ()
        return Target(kind, name, package, version, None, disabled, others)

    def _packages(self, package: str | None, from_package: str) -> Iterable[str]:
        if package is not None:
            return (package,)
        root = self.manifest.project_name
        return (from_package, root) if self.own_first else (root, from_package)

    def _find_disabled(self, kind: str, key: str, package: str | None, from_package: str) -> Any:
        """What is switched off under that name, in the packages that were asked, then (without a package) in any."""
        if self._disabled is None:
            self._disabled = {}
            for resource in (each for several in self.manifest.disabled.values() for each in several):
                for spelling in _disabled_spellings(resource):
                    self._disabled.setdefault(spelling, []).append(resource)
        found = self._disabled.get((kind, key), [])
        for asked in self._packages(package, from_package):
            for resource in found:
                if resource.package_name == asked:
                    return resource
        return found[0] if found and package is None else None

    def message(self, unique_id: str, target: Target) -> str:
        """What is wrong with a reference, as a sentence."""
        words = f"'{unique_id}' depends on a {target.kind} named '{target.name}'"
        if target.version is not None:
            words += f" with version '{target.version}'"
        if target.package is not None:
            words += f" in package '{target.package}'"
        if target.others:
            return f"{words}, which is in several packages: {', '.join(target.others)}"
        return f"{words}, which is disabled" if target.disabled is not None else f"{words}, which was not found"

    def error(self, unique_id: str, target: Target) -> LinkError:
        """The error for a reference that names nothing, with its line where that can be seen, and the next step."""
        place = self.manifest.place(unique_id)
        line = _line_of(target, getattr(self.manifest.get(unique_id), "raw_code", ""))
        if line is not None:
            place = place._replace(line=(place.line or 1) + line)
        return LinkError(self.message(unique_id, target), place=place, hint=self._hint(target))

    def _hint(self, target: Target) -> str | None:
        if target.others:
            return "Name the package in the reference, as its first argument."
        if target.disabled is not None:
            return f"Enable it ({target.disabled.original_file_path}), or take the reference out."
        table = self.tables[target.kind]
        packages = {package for names in table.values() for package in names}
        if target.package is not None and target.package not in packages:
            return did_you_mean(target.package, packages) or f"Nothing of package '{target.package}' is in the project."
        if target.name in table and target.version is None:
            return f"There is one in: {', '.join(sorted(table[target.name]))}."
        versions = [name for name in table if name.startswith(f"{target.name}.v")]
        if versions:
            return f"Its versions are: {', '.join(versions)}."
        return "It has no versions." if target.name in table else did_you_mean(target.name, table)


def _line_of(target: Target, code: str) -> int | None:
    """How many lines into the code the reference is written; None where it is made in another way."""
    call = {"node": "ref"}.get(target.kind, target.kind)
    quoted = r"[^)]*?".join(rf"['\"]{re.escape(part)}['\"]" for part in _parts(target))
    found = re.search(rf"\b{call}\s*\([^)]*?{quoted}", code)
    return None if found is None else code.count("\n", 0, found.end())


def _parts(target: Target) -> list[str]:
    return target.name.split(".", 1) if target.kind == "source" else [target.name]


def _spellings(node: Any) -> Iterator[str]:
    """The names that `ref` knows a node by: `a.v2` for a version, `a` for the latest one, or one without versions."""
    version = getattr(node, "version", None)
    if version is None:
        yield node.name
        return
    yield f"{node.name}.v{version}"
    if version == node.latest_version:
        yield node.name


def _disabled_spellings(resource: Any) -> Iterator[tuple[str, str]]:
    """The kind and the names under which a disabled resource is missed. Without a version it is never asked for one."""
    if resource.resource_type in REFABLE:
        version = getattr(resource, "version", None)
        yield "node", resource.name if version is None else f"{resource.name}.v{version}"
    elif resource.resource_type == "source":
        yield "source", f"{resource.source_name}.{resource.name}"
    elif resource.resource_type in ("metric", "function"):
        yield resource.resource_type, resource.name
