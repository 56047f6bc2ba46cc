"""`understudy.yml`: the project's environments in their order, where the state of each is, and whether deferral is on.

defer: true                  # let the environments behind the target's stand in, unless --no-defer
compare: git:main            # what state: compares with; else the nearest environment that has a state
environments:                # from the one where people work to production
  - name: dev
  - name: staging
    state: artifacts/staging
  - name: production
    target: prod             # the target of profiles.yml that builds it, where it is called otherwise
    state: artifacts/prod
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from understudy.errors import Place, ProjectError, did_you_mean
from understudy.parse import yaml

FILE = "understudy.yml"
KEYS = ("defer", "compare", "environments")
ENVIRONMENT_KEYS = ("name", "target", "state", "id")


class Environment(msgspec.Struct, frozen=True):
    """One environment. `target` builds it; `state` is a path (or None: nobody defers to it); `id` is dbt Cloud's."""

    name: str
    target: str
    state: str | None = None
    id: str | None = None


class Environments(msgspec.Struct, frozen=True):
    """What the file says. Without a file: nothing."""

    defer: bool = False
    compare: str | None = None
    environments: tuple[Environment, ...] = ()

    def knows(self, name: str) -> bool:
        """Whether an environment has that name or id."""
        return any(name in (each.name, each.id) for each in self.environments)

    def behind(self, target: str, begin: str | None = None) -> tuple[Environment, ...]:
        """The environments that can stand in for the target's: those behind it that have a state, the nearest first.

        `begin`: the name or id of the one to begin with (dbt Cloud's `defer-env-id`), if it is among them.
        """
        here = next((n for n, each in enumerate(self.environments) if each.target == target), -1)
        found = [each for each in self.environments[here + 1 :] if each.state is not None]
        first = next((n for n, each in enumerate(found) if begin is not None and begin in (each.name, each.id)), 0)
        return tuple(found[first:])


def read_environments(root: str) -> Environments:
    """The project's `understudy.yml`, or nothing where there is none. Raises ProjectError, YamlError."""
    path = os.path.join(root, FILE)
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return Environments()
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{FILE} cannot be read: {error}", place=Place(FILE)) from error
    return _read(yaml.load(text, FILE))


def _read(raw: Any) -> Environments:
    values = _map({} if raw is None else raw, KEYS, FILE)
    defer, entries = values.get("defer", False), values.get("environments") or []
    if not isinstance(defer, bool):
        raise _wrong(f"'defer' must be true or false, not {defer!r}")
    if not isinstance(entries, list):
        raise _wrong("'environments' must be a list, from the one where people work to production")
    environments = tuple(_environment(entry) for entry in entries)
    for key in ("name", "target"):
        seen: set[str] = set()
        for each in environments:
            value = getattr(each, key)
            if value in seen:
                raise _wrong(f"two environments have the {key} '{value}'")
            seen.add(value)
    return Environments(defer, _text(values, "compare"), environments)


def _environment(raw: Any) -> Environment:
    values = _map(raw, ENVIRONMENT_KEYS, "an environment")
    name = _text(values, "name")
    if name is None:
        raise _wrong("an environment has no 'name'")
    return Environment(name, _text(values, "target") or name, _text(values, "state"), _text(values, "id"))


def _map(raw: Any, known: tuple[str, ...], what: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise _wrong(f"{what} must be a map, not {raw!r}")
    for key in raw:
        if key not in known:
            hint = did_you_mean(str(key), known) or f"Known: {', '.join(known)}"
            raise _wrong(f"{what} has no key '{key}'", hint)
    return raw


def _text(values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip()):
        raise _wrong(f"'{key}' must be text, not {value!r}")
    return None if value is None else str(value)


def _wrong(text: str, hint: str | None = None) -> ProjectError:
    return ProjectError(f"{FILE}: {text}", place=Place(FILE), hint=hint)
