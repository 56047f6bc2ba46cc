"""What is asked for: the entries of `packages.yml`, `dependencies.yml` and `package-lock.yml` as values."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha1
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from understudy.core.warning import Warning_
from understudy.errors import Place, ProjectError, did_you_mean
from understudy.parse import yaml
from understudy.project.packages.notice import SECRET
from understudy.project.rendering import Render, renderer

PACKAGES = "packages.yml"
DEPENDENCIES = "dependencies.yml"
Kind = Literal["local", "tarball", "git", "package", "private"]

DEFAULTS: Mapping[Kind, Mapping[str, Any]] = {
    "local": {"name": None},
    "tarball": {"name": None},
    "git": {"revision": None, "warn-unpinned": None, "subdirectory": None, "name": None},
    "private": {"provider": None, "revision": None, "warn-unpinned": None, "subdirectory": None, "name": None},
    "package": {"version": None, "install_prerelease": False, "name": None},
}
"""The kinds of entries, each with its further keys; what dbt hashes for a key that is not there."""


class Want(msgspec.Struct, frozen=True):
    """One package that is asked for, by one or several others."""

    kind: Kind
    at: str
    """The folder, URL or hub name, rendered: it may hold secrets."""
    written: str
    """The same as it stands in the file."""
    asked: tuple[tuple[str, str], ...] = ()
    """Who asked for what: one of the hub's conditions, git's revision, or nothing in particular ('')."""
    subdirectory: str | None = None
    name: str | None = None
    prerelease: bool = False
    warn_unpinned: bool = True
    file: str | None = None
    number: int = 0
    """Where it stands: the file, and which entry it is."""

    @property
    def place(self) -> Place | None:
        """Its file and line, for errors: the file is read again."""
        return None if self.file is None else Place(self.file, _line(self.file, self.number))

    @property
    def key(self) -> str:
        """What makes two entries one package: with or without `.git` is the same repository (dbt 1.11: all_names)."""
        if self.kind != "git":
            return self.at
        return f"{self.at.removesuffix('.git')}/{self.subdirectory or ''}"

    @property
    def label(self) -> str:
        """What dbt calls the package while its project's name is not known."""
        if self.kind == "tarball":
            return self.name or self.at
        return f"{self.at}/{self.subdirectory}" if self.subdirectory else self.at

    @property
    def who(self) -> str:
        """Who asks, in words."""
        return " and ".join(dict.fromkeys(who for who, _ in self.asked))

    @property
    def versions(self) -> tuple[str, ...]:
        """The hub's conditions, or git's revisions."""
        return tuple(dict.fromkeys(version for _, version in self.asked if version))

    def conditions(self) -> list[str]:
        """Who asks for what, a line each."""
        by_who: dict[str, list[str]] = {}
        for who, version in dict.fromkeys(self.asked):
            by_who.setdefault(who, []).append(version or "any version")
        return [f"  {who} asks for {', '.join(versions)}" for who, versions in by_who.items()]

    def and_also(self, other: Want) -> Want:
        """Both wishes as one (dbt 1.11: incorporate). Raises ProjectError where they are of different kinds."""
        if self.kind != other.kind:
            who = f"{self.who} as {self.kind}, {other.who} as {other.kind}"
            raise ProjectError(f"{self.label} is asked for in two ways: by {who}", place=other.place or self.place)
        return replace(
            self,
            asked=self.asked + other.asked,
            warn_unpinned=self.warn_unpinned and other.warn_unpinned,
        )


class Wishes(msgspec.Struct, frozen=True):
    """The packages that one project asks for. `digest` is the lock's `sha1_hash`."""

    file: str
    wants: tuple[Want, ...]
    digest: str


def package_renderer(environment: Mapping[str, str], vars: Mapping[str, Any]) -> Render:
    """Renders packages' settings: `env_var` and `var`, secrets included.

    Jinja sees a stand-in in place of a secret, so that no filter makes something else of it (dbt 1.11: SecretRenderer).
    """

    def env(name: str) -> str | None:
        value = environment.get(name)
        return f"$$${name}$$$" if value is not None and name.startswith(SECRET) else value

    render = renderer(env, vars)

    def put_back(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: put_back(item) for key, item in value.items()}
        if isinstance(value, list):
            return [put_back(item) for item in value]
        if isinstance(value, str):
            return re.sub(rf"\$\$\$({SECRET}\w*)\$\$\$", lambda match: environment.get(match[1], match[0]), value)
        return value

    return lambda value: put_back(render(value))


def read_wishes(
    root: str,
    render: Render,
    who: str,
    *,
    warn: Callable[[Warning_], None] | None = None,
    is_root: bool = False,
    texts: Mapping[str, str] | None = None,
) -> Wishes:
    """The packages that a project asks for (dbt 1.11: package_and_project_data_from_root).

    Jinja in the root project's `dependencies.yml` is not rendered. `texts` (file -> text) stand for files on the disk.
    Raises ProjectError with the file and line of an entry that cannot be understood, YamlError.
    """
    packages = _read(root, PACKAGES, warn, texts or {})
    dependencies = _read(root, DEPENDENCIES, warn, texts or {})
    place = Place(os.path.join(root, PACKAGES))
    if "packages" in packages and "packages" in dependencies:
        raise ProjectError(
            f"'packages' stands in both {PACKAGES} and {DEPENDENCIES}", place=place, hint="Keep one of them"
        )
    if "projects" in packages:
        raise ProjectError(
            f"'projects' cannot stand in {PACKAGES}", place=place, hint=f"It belongs into {DEPENDENCIES}"
        )
    file = DEPENDENCIES if "packages" in dependencies else PACKAGES
    raw = dependencies.get("packages") if file == DEPENDENCIES else packages.get("packages")
    path = os.path.join(root, file)
    if file == PACKAGES and (unknown := [key for key in packages if key != "packages"]):
        hint = did_you_mean(str(unknown[0]), ["packages"])
        raise ProjectError(f"Unknown key {unknown[0]!r} in {PACKAGES}", place=Place(path), hint=hint)
    entries = raw if is_root and file == DEPENDENCIES else render(raw)
    wants, forms = entries_of(entries, raw, path, who)
    return Wishes(file, wants, digest(forms))


def entries_of(entries: Any, raw: Any, path: str, who: str) -> tuple[tuple[Want, ...], list[str]]:
    """The wishes of a `packages` list, rendered (`entries`) and as written (`raw`), and each entry's form for the digest.

    Raises ProjectError with the place of an entry that cannot be understood.
    """
    if entries is None:
        return (), []
    if not isinstance(entries, list):
        raise ProjectError(f"'packages' must be a list, not {entries!r}", place=Place(path))
    wants, forms = [], []
    for number, (entry, written) in enumerate(zip(entries, raw, strict=True)):
        try:
            kind = _kind(entry)
            _check(kind, entry)
        except ProjectError as error:
            error.place = Place(path, _line(path, number))
            raise
        form = {**DEFAULTS[kind], **entry, "unrendered": written}
        if form["name"] is None:
            del form["name"]
        forms.append(json.dumps(form, sort_keys=True, default=str))
        wants.append(replace(_want(kind, entry, written, who), file=path, number=number))
    return tuple(wants), forms


def digest(forms: Sequence[str]) -> str:
    """The lock's `sha1_hash` (dbt 1.11: _create_sha1_hash)."""
    return sha1("\n".join(sorted(forms)).encode(), usedforsecurity=False).hexdigest()


def _read(root: str, name: str, warn: Callable[[Warning_], None] | None, texts: Mapping[str, str]) -> dict[str, Any]:
    path = os.path.join(root, name)
    text = texts.get(name)
    if text is None and os.path.isfile(path):
        with open(path, encoding="utf-8") as file:
            text = file.read()
    value, warnings = yaml.load_checked(text or "", path)
    if warn is not None:
        for warning in warnings:
            warn(warning)
    if value is not None and not isinstance(value, dict):
        raise ProjectError(f"{name} must be a map with the key 'packages'", place=Place(path))
    return value or {}


def _line(path: str, number: int) -> int | None:
    if not os.path.isfile(path):  # a hub's description
        return None
    with open(path, encoding="utf-8") as file:
        return yaml.line_of(file.read(), ["packages", number])


def _kind(entry: Any) -> Kind:
    if not isinstance(entry, dict):
        raise ProjectError(
            f"{entry!r} is no package: each entry is a map", hint="For example: - package: dbt-labs/dbt_utils"
        )
    kinds = [kind for kind in DEFAULTS if kind in entry]
    if len(kinds) != 1:
        hint = next((hint for key in entry if (hint := did_you_mean(str(key), DEFAULTS))), None)
        raise ProjectError(f"An entry has one of the keys {', '.join(DEFAULTS)}, not {kinds or list(entry)}", hint=hint)
    return kinds[0]


def _check(kind: Kind, entry: Mapping[str, Any]) -> None:
    """Raises ProjectError for an unknown key or a value of the wrong type."""
    known = (kind, *DEFAULTS[kind])
    for key, value in entry.items():
        if key not in known:
            raise ProjectError(f"Unknown key {key!r} for a {kind} package", hint=did_you_mean(str(key), known))
        if not _fits(key, value):
            raise ProjectError(f"{value!r} cannot be the {key!r} of a {kind} package")
    if not entry[kind]:
        raise ProjectError(f"A {kind} package has an empty value")
    if kind == "package":
        if "/" not in entry["package"]:
            hint = "A package of the hub has a namespace: dbt-labs/dbt_utils"
            raise ProjectError(f"{entry['package']!r} is no name of a package of the hub", hint=hint)
        if not entry.get("version"):
            hint = 'A package of the hub needs a version: ">=1.0.0", or a list of conditions'
            raise ProjectError(f"{entry['package']!r} has no 'version'", hint=hint)
    if kind == "tarball" and not entry.get("name"):
        raise ProjectError("A tarball package needs a 'name'")
    if kind == "private":
        raise ProjectError(
            f"The private package {entry['private']!r} cannot be found: there is no integration with its provider",
            hint="Name the repository by 'git' instead of 'private'",
        )


def _fits(key: str, value: Any) -> bool:
    if key in ("warn-unpinned", "install_prerelease"):
        return value is None or isinstance(value, bool)
    if key == "version" and isinstance(value, list):
        return all(_fits("revision", each) and each is not None for each in value)
    if key in ("revision", "version"):
        return value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))
    return isinstance(value, str) or (key in ("name", "subdirectory", "provider") and value is None)


def _want(kind: Kind, entry: Mapping[str, Any], written: Any, who: str) -> Want:
    asked = entry.get("version") if kind == "package" else entry.get("revision")
    versions = [str(each) for each in (asked if isinstance(asked, list) else [] if asked is None else [asked])]
    return Want(
        kind=kind,
        at=entry[kind],
        written=written[kind] if isinstance(written, dict) and isinstance(written.get(kind), str) else entry[kind],
        asked=tuple((who, version) for version in versions or [""]),
        subdirectory=entry.get("subdirectory") or None,
        name=entry.get("name"),
        prerelease=bool(entry.get("install_prerelease")),
        warn_unpinned=entry.get("warn-unpinned") is not False,
    )
