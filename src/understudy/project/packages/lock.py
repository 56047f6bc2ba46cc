"""`package-lock.yml`, byte for byte as dbt 1.11 writes it, so that either tool goes on with the other's."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from understudy.errors import Place, ProjectError
from understudy.parse import yaml
from understudy.parse.yaml_dump import dump
from understudy.project.packages.sources import Pinned
from understudy.project.packages.specs import Want, entries_of
from understudy.project.rendering import Render

FILE = "package-lock.yml"


def lock_text(packages: Iterable[Pinned], digest: str) -> str:
    """The lock of some packages. `digest` tells for which wishes it was made."""
    return dump({"packages": [{**each.entry, "name": each.name} for each in packages], "sha1_hash": digest})


def locked_digest(root: str) -> str | None:
    """For which wishes the lock was made; None where there is no lock. Raises YamlError."""
    value = _read(root)
    return str(value.get("sha1_hash") or "") if value is not None else None


def locked_wants(root: str, render: Render) -> tuple[Want, ...]:
    """The wishes that the lock stands for, each for one version. Raises ProjectError, YamlError."""
    raw = (_read(root) or {}).get("packages")
    return entries_of(render(raw), raw, os.path.join(root, FILE), FILE)[0]


def _read(root: str) -> dict[str, Any] | None:
    path = os.path.join(root, FILE)
    if not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8") as file:
        value = yaml.load(file.read(), path)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ProjectError(f"{FILE} must be a map", place=Place(path), hint="Remove it, and run 'deps' again")
    return value
