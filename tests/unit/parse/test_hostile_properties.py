"""Properties of any shape: a value in the wrong place is an error of ours, never a traceback."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import yaml
from support.projects import package, parse, settings

from understudy.errors import UnderstudyError

PROJECT = Path(__file__).parents[2] / "golden" / "parse_corners" / "project"
JUNK: list[Any] = [
    None,
    5,
    -1.5,
    True,
    "x",
    "{{ nope }}",
    [],
    {},
    [None],
    [5],
    ["x"],
    {"a": None},
    {"name": 5},
    [[]],
    [{}],
]


def files() -> dict[str, str]:
    folders = ("models", "seeds", "snapshots", "analyses", "macros", "tests")
    paths = (path for folder in folders for path in sorted((PROJECT / folder).rglob("*")) if path.is_file())
    return {path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += spots(item, (*path, key))
    return found


def put(tree: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        tree = tree[key]
    tree[path[-1]] = value


def survives(seed: int, rounds: int) -> None:
    chance = random.Random(seed)
    texts = files()
    name = "models/other/_y.yaml"
    tree = yaml.safe_load(texts[name])
    given = settings(package("odd", vars={"flag_on": True, "label": "top", "odd": {"scoped": "inside"}}))
    for _ in range(rounds):
        changed = copy.deepcopy(tree)
        path = chance.choice(spots(changed))
        value = chance.choice(JUNK)
        put(changed, path, value)
        text = yaml.dump(changed, Dumper=Plain, sort_keys=False, allow_unicode=True)
        try:
            parse({**texts, name: text}, given)
        except UnderstudyError:
            pass
        except Exception as error:
            raise AssertionError(f"{path} = {value!r} gives {error!r}") from error


class Plain(yaml.SafeDumper):
    """Writes no aliases, so that each spot is a place of its own."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def test_junk_in_any_place_is_read_or_refused() -> None:
    survives(seed=1, rounds=60)
