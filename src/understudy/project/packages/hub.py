"""The hub: an index of packages, and of each package its versions, as JSON (the format of hub.getdbt.com)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from understudy.core.project import DBT_VERSION
from understudy.core.warning import Warning_
from understudy.errors import ProjectError, did_you_mean
from understudy.project.packages import semver
from understudy.project.packages.http import Http
from understudy.project.packages.specs import Want

URL = "https://hub.getdbt.com/"
_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)


class Release(msgspec.Struct, frozen=True):
    """One version of a package, as the hub describes it. `packages` are entries as in `packages.yml`."""

    name: str
    version: str
    latest: str
    download: str
    packages: list[Any]


class Hub(msgspec.Struct, frozen=True):
    """A hub at a URL (`DBT_PACKAGE_HUB_URL`). What it answers is kept for the run."""

    url: str
    http: Http
    warn: Callable[[Warning_], None]
    version_check: bool = True
    """Leave out versions that need another dbt than the one that we answer for."""
    kept: dict[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)

    def release(self, want: Want) -> Release:
        """The newest version that meets all conditions (dbt 1.11: RegistryUnpinnedPackage.resolved).

        Raises ProjectError: no such package, no such version (with who asked for what), no answer.
        """
        conditions = []
        for text in want.versions:
            try:
                conditions.append(semver.parse(text))
            except ProjectError as error:
                error.place = want.place
                raise
        versions = self.versions(want)
        early = want.prerelease or any(spec.pre is not None for spec in conditions)
        fit = [
            each
            for each in semver.in_order(versions)
            if (early or each.pre is None) and (not self.version_check or _runs(versions[each.text]))
        ]
        chosen = semver.newest(fit, conditions)
        if chosen is None:
            raise self._none(want, [each.text for each in fit], len(fit) < len(semver.in_order(versions)))
        return _release(want.at, versions[chosen.text], chosen.text, fit[-1].text)

    def versions(self, want: Want) -> Mapping[str, Any]:
        """What the hub knows about a package: version -> its description. Raises ProjectError."""
        name = want.at
        if not _NAME.fullmatch(name):
            raise ProjectError(f"{name!r} is no name of a package of the hub", place=want.place)
        if name not in self.kept:
            answer = self._json(f"api/v1/{name}.json", dict)
            if answer is None:
                hint = did_you_mean(
                    name, [each for each in self._json("api/v1/index.json", list) or [] if isinstance(each, str)]
                )
                message = f"The hub {self.url} has no package {name!r}, which {want.who} asks for"
                raise ProjectError(message, place=want.place, hint=hint)
            versions = answer.get("versions")
            if not isinstance(versions, dict):
                raise ProjectError(f"The hub's answer about {name!r} has no versions")
            self._moved(name, answer)
            self.kept[name] = versions
        return self.kept[name]

    def _moved(self, name: str, answer: Mapping[str, Any]) -> None:
        if answer.get("redirectnamespace") or answer.get("redirectname"):
            old_namespace, _, old_name = name.partition("/")
            new = f"{answer.get('redirectnamespace') or old_namespace}/{answer.get('redirectname') or old_name}"
            message = f"The package '{name}' is now called '{new}': change packages.yml before it goes away"
            self.warn(Warning_("PackageRedirectDeprecation", message))

    def _json(self, path: str, shape: type) -> Any:
        url = f"{self.url.rstrip('/')}/{path}"
        body = self.http.get(url)
        if body is None:
            return None
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise ProjectError(f"The answer of {url} is no JSON", hint="Is DBT_PACKAGE_HUB_URL a hub?") from None
        if not isinstance(value, shape):
            raise ProjectError(f"The answer of {url} has the wrong shape", hint="Is DBT_PACKAGE_HUB_URL a hub?")
        return value

    def _none(self, want: Want, fit: list[str], some_left_out: bool) -> ProjectError:
        lines = [f"No version of {want.at} meets all conditions", *want.conditions()]
        lines.append(
            f"  versions that can be installed: {'..., ' if len(fit) > 12 else ''}{', '.join(fit[-12:]) or 'none'}"
        )
        hint = "Left out are versions for another dbt (--no-version-check) and pre-releases (install_prerelease: true)"
        return ProjectError("\n".join(lines), place=want.place, hint=hint if some_left_out else None)


def _runs(description: Any) -> bool:
    """Whether a version may run with the dbt that we answer for (dbt 1.11: is_compatible_version)."""
    required = description.get("require_dbt_version") if isinstance(description, dict) else None
    if not required:
        return True
    try:
        specs = [semver.parse(str(each)) for each in (required if isinstance(required, list) else [required])]
    except ProjectError:
        return False
    return all(spec.admits(semver.parse(DBT_VERSION)) for spec in specs)


def _release(package: str, description: Any, version: str, latest: str) -> Release:
    """Raises ProjectError where the hub's description lacks something."""
    try:
        name, download, packages = description["name"], description["downloads"]["tarball"], description.get("packages")
    except (KeyError, TypeError):
        raise ProjectError(f"The hub's description of {package} {version} lacks a name or a download") from None
    if not isinstance(name, str) or not isinstance(download, str) or not isinstance(packages, list | None):
        raise ProjectError(f"The hub's description of {package} {version} has the wrong shape")
    return Release(name, version, latest, download, packages or [])
