"""A small project with something of everything, and random edits of it: what a kept parse is held against.

A `Draft` is the project as values: texts, and properties files as trees. An edit changes it in one place, sometimes to
something that cannot be parsed, as people do.
"""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

Tree = dict[str, Any]
Edit = Callable[["Draft", random.Random], None]

HOME = Path(__file__).parent.parent / "property" / "everything"
"""The project as it is in the beginning."""
FILES = {str(path.relative_to(HOME)): path.read_text() for path in sorted(HOME.rglob("*")) if path.is_file()}
TREES: dict[str, Tree] = {path: yaml.safe_load(text) for path, text in FILES.items() if path.endswith(".yml")}
PROJECT = TREES.pop("dbt_project.yml")
PROFILES = TREES.pop("profiles.yml")
TREES.pop("packages/lib/dbt_project.yml")
TEXTS = {path: text.rstrip("\n") for path, text in FILES.items() if not path.endswith(".yml") or "lib/dbt_" in path}


class Draft:
    """The project, and how it is parsed: variables and environment, target, options."""

    def __init__(self) -> None:
        self.project: Tree = copy.deepcopy(PROJECT)
        self.texts: dict[str, str] = dict(TEXTS)
        self.trees: dict[str, Tree] = copy.deepcopy(TREES)
        self.note = ""
        self.vars: dict[str, Any] = {}
        self.env: dict[str, str] = {}
        self.options: dict[str, Any] = {}
        self.touched: set[str] = set()

    def files(self) -> dict[str, str]:
        """All files as texts; JSON is YAML, too."""
        trees = {
            path: json.dumps(tree, indent=1).replace('"<<date>>"', "2024-02-03") for path, tree in self.trees.items()
        }
        whole = f"{json.dumps(self.project, indent=1)}\n{self.note}"
        return {"dbt_project.yml": whole, "profiles.yml": json.dumps(PROFILES), **self.texts, **trees}

    def write(self, root: Path) -> None:
        """Bring the folder up to date; what did not change is left alone."""
        files = self.files()
        for path, text in files.items():
            file = root / path
            if path in self.touched or not file.exists() or file.read_bytes() != text.encode():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(text.encode())
        self.touched.clear()
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), root)
                if path not in files and not path.startswith((".understudy", "target", "logs")):
                    os.unlink(os.path.join(folder, name))

    def models(self) -> list[str]:
        """The paths of the root project's SQL models."""
        return [path for path in self.texts if path.startswith("models/") and path.endswith(".sql")]

    def entries(self) -> list[tuple[str, str, int]]:
        """Every entry of a properties file: path, list, number."""
        return [(p, key, n) for p, tree in self.trees.items() for key, found in tree.items() for n in range(len(found))]


def _stem(path: str) -> str:
    return path.rsplit("/", 1)[-1].rsplit(".", 1)[0]


def body(draft: Draft, rnd: random.Random) -> None:
    """Another text of a model."""
    path = rnd.choice(draft.models())
    more = rnd.choice(
        [
            "\n-- changed",
            "\n\n",
            " {{ var('start') }}",
            " {# jinja #}",
            " {{ cents('z') }}",
            " {{ modules.datetime.date }}",
        ]
    )
    draft.texts[path] += more if rnd.random() < 0.8 else more * 2


def top(draft: Draft, rnd: random.Random) -> None:
    """Empty lines before the text: nothing changes but where errors are."""
    path = rnd.choice([path for path in draft.texts if not path.endswith(".yml")])
    draft.texts[path] = "\n" * rnd.randint(0, 3) + draft.texts[path].lstrip("\n")


def reference(draft: Draft, rnd: random.Random) -> None:
    """A model reads another one more."""
    path = rnd.choice(draft.models())
    other = rnd.choice([_stem(each) for each in draft.models()] + ["users", "base", "nothing", "dim_v1", "switched"])
    draft.texts[path] += f" -- {{{{ ref('{other}') }}}}"


def configure(draft: Draft, rnd: random.Random) -> None:
    """A model configures itself."""
    path = rnd.choice(draft.models())
    config = rnd.choice([
        "enabled=false", "enabled=true", "materialized='ephemeral'", "materialized='table'", "tags=['t', 'u']", "alias='other'",
        "schema='extra'", "group='sales'", "access='private'", "meta={'a': [1, {'b': none}]}", "alias='orders'", "group='nobody'",
        "post_hook='{{ finish(1) }}'", "enabled=(var('limit') > 4)", "tags=env_var('SHOP_ENV', 'x')", "docs={'show': false}",
        "unique_key=('a', 'b')", "materialized=var('how', 'view')",
    ])  # fmt: skip
    draft.texts[path] = f"{{{{ config({config}) }}}}{draft.texts[path]}"


def add_model(draft: Draft, rnd: random.Random) -> None:
    """A new model, with an entry or without."""
    name = rnd.choice(["fresh", "newer", "nowhere", "stg_more", "base", "half", "Orders"])
    draft.texts[f"models/{rnd.choice(['staging', 'marts', 'deep/er'])}/{name}.sql"] = (
        f"select * from {{{{ ref('{rnd.choice(['users', 'orders', 'daily'])}') }}}}"
    )
    if rnd.random() < 0.5:
        add_entry(draft, rnd, name)


def remove(draft: Draft, rnd: random.Random) -> None:
    """A file goes."""
    paths = [path for path in (*draft.texts, *draft.trees) if "dbt_project" not in path]
    path = rnd.choice(paths)
    draft.texts.pop(path, None)
    draft.trees.pop(path, None)


def rename(draft: Draft, rnd: random.Random) -> None:
    """A model gets another name; who reads it is told, or not."""
    path = rnd.choice(draft.models())
    old, new = _stem(path), f"{_stem(path)}_{rnd.choice(['x', 'y'])}"
    draft.texts[path.replace(f"{old}.sql", f"{new}.sql")] = draft.texts.pop(path)
    if rnd.random() < 0.7:
        for each, text in draft.texts.items():
            draft.texts[each] = text.replace(f"ref('{old}')", f"ref('{new}')")
        for each, tree in draft.trees.items():
            draft.trees[each] = json.loads(
                json.dumps(tree)
                .replace(f"ref('{old}')", f"ref('{new}')")
                .replace(f'"name": "{old}"', f'"name": "{new}"')
            )


def move_file(draft: Draft, rnd: random.Random) -> None:
    """A file moves to another folder."""
    path = rnd.choice([path for path in (*draft.texts, *draft.trees) if path.startswith("models/")])
    new = f"models/{rnd.choice(['staging', 'marts', 'moved'])}/{path.rsplit('/', 1)[-1]}"
    for held in (draft.texts, draft.trees):
        if path in held:
            held[new] = held.pop(path)  # type: ignore[index, assignment]


def add_entry(draft: Draft, rnd: random.Random, name: str | None = None) -> None:
    """A new entry for a model."""
    path = rnd.choice(list(draft.trees))
    name = name or rnd.choice([*map(_stem, draft.models()), "gone"])
    entry: Tree = {"name": name, "description": rnd.choice(["Text", "{{ doc('amount') }}", "{{ var('limit') }}"])}
    if rnd.random() < 0.6:
        entry["columns"] = [{"name": "id", "data_tests": [rnd.choice(["unique", "not_null", "small", "even", "lost"])]}]
    draft.trees[path].setdefault("models", []).append(entry)


def change_entry(draft: Draft, rnd: random.Random) -> None:
    """An entry says something else."""
    if not draft.entries():
        return
    path, key, n = rnd.choice(draft.entries())
    entry = draft.trees[path][key][n]
    match rnd.randrange(8):
        case 0:
            entry["description"] = rnd.choice(
                ["Else", "{{ doc('other') }}", "{{ doc('none') }}", "{{ env_var('SHOP_ENV', '-') }}"]
            )
        case 1:
            entry.setdefault("config", {})["tags"] = [rnd.choice(["a", "b", "{{ var('limit') }}"])]
        case 2:
            entry.setdefault("config", {})["enabled"] = rnd.choice([True, False, "{{ var('limit') > 5 }}"])
        case 3:
            entry.setdefault("config", {})["meta"] = {"when": "<<date>>", "n": rnd.randint(1, 3)}
        case 4:
            entry["columns"] = [
                {
                    "name": rnd.choice(["id", "x"]),
                    "data_tests": ["not_null", {"unique": {"config": {"where": "1 = 1"}}}],
                }
            ]
        case 5 if "model" in entry:
            entry["model"] = rnd.choice(["daily", "dim", "orders", "off"])
        case 6 if key == "models":
            entry["access"] = rnd.choice(["private", "protected", "public"])
        case _:
            entry["name"] = rnd.choice(["orders", "daily", "raw", "board2", entry["name"]])


def drop_entry(draft: Draft, rnd: random.Random) -> None:
    """An entry goes, or moves to another file."""
    if not draft.entries():
        return
    path, key, n = rnd.choice(draft.entries())
    entry = draft.trees[path][key].pop(n)
    if rnd.random() < 0.5:
        draft.trees[rnd.choice(list(draft.trees))].setdefault(key, []).append(entry)


def reorder(draft: Draft, rnd: random.Random) -> None:
    """The entries of a file stand in another order."""
    tree = draft.trees[rnd.choice(list(draft.trees))]
    for found in tree.values():
        rnd.shuffle(found)


def macro(draft: Draft, rnd: random.Random) -> None:
    """A macro says something else, comes, or goes."""
    path = rnd.choice([path for path in draft.texts if "macros/" in path or "generic/" in path])
    match rnd.randrange(5):
        case 0:
            draft.texts[path] = draft.texts[path].replace("%}", "%} ", 1)
        case 1:
            draft.texts[path] += "\n{# a remark #}"
        case 2:
            draft.texts[path] += (
                f"\n{{% macro {rnd.choice(['extra', 'cents', 'ref', 'generate_alias_name'])}(a, b=none) %}}{{{{ a }}}}{{% endmacro %}}"
            )
        case 3:
            draft.texts[path] = draft.texts[path].replace("{{ x }}", "{{ x }}{{ env_var('SHOP_ENV', '') }}")
        case _:
            draft.texts[path] = draft.texts[path].replace("round(", "trunc(").replace("sum(", "max(")


def docs(draft: Draft, rnd: random.Random) -> None:
    """A docs block."""
    path = "models/docs.md"
    old = draft.texts.get(path, "")
    draft.texts[path] = rnd.choice([
        old.replace("An amount", "A sum"), old + "\n{% docs extra %}Extra{% enddocs %}", old.replace("other", "another"),
        old + "\n{% docs amount %}Twice{% enddocs %}", old + "\nProse around.",
    ])  # fmt: skip


def data(draft: Draft, rnd: random.Random) -> None:
    """A seed or a fixture has other rows."""
    path = rnd.choice([path for path in draft.texts if path.endswith(".csv")] or ["seeds/users.csv"])
    draft.texts[path] = draft.texts.get(path, "id,name") + f"\n{rnd.randint(3, 9)},x"


def settings_file(draft: Draft, rnd: random.Random) -> None:
    """Something in dbt_project.yml."""
    match rnd.randrange(7):
        case 0:
            draft.project["vars"]["limit"] = rnd.randint(1, 9)
        case 1:
            draft.project["vars"].pop(rnd.choice(["start", "limit", "shop", "how"]), None)
        case 2:
            draft.project["models"]["shop"]["staging"]["+tags"] = [rnd.choice(["stg", "raw"])]
        case 3:
            draft.note = f"# {rnd.randint(1, 99)}"
        case 4:
            draft.project["on-run-start"] = [f"select {rnd.randint(1, 3)}"]
        case 5:
            draft.project["vars"]["how"] = rnd.choice(["table", "view"])
        case _:
            draft.project["models"]["shop"]["unused"] = {"+tags": ["never"]}


def run_settings(draft: Draft, rnd: random.Random) -> None:
    """How it is parsed: variables, environment, target, options."""
    match rnd.randrange(6):
        case 0:
            draft.vars = rnd.choice(
                [{}, {"limit": 4}, {"limit": 6, "lib_on": True}, {"start": "2022-01-01"}, {"lib_on": True}]
            )
        case 1:
            draft.env = rnd.choice([{}, {"SHOP_ENV": "ci"}, {"SHOP_ENV": "prod"}])
        case 2:
            draft.options["target"] = rnd.choice([None, "dev", "prod"])
        case 3:
            draft.options["full_refresh"] = rnd.random() < 0.5
        case 4:
            draft.options["store_failures"] = rnd.random() < 0.5
        case _:
            draft.options["threads"] = rnd.choice([None, 3])


def package(draft: Draft, rnd: random.Random) -> None:
    """An installed package changes, comes, or goes."""
    match rnd.randrange(4):
        case 0:
            draft.texts["packages/lib/models/base.sql"] = f"select {rnd.randint(1, 9)} as id"
        case 1:
            draft.texts["packages/second/dbt_project.yml"] = "name: second\nversion: '1'"
            draft.texts["packages/second/models/orders.sql"] = "select 1 as id"
        case 2:
            for path in [path for path in draft.texts if path.startswith("packages/second/")]:
                del draft.texts[path]
        case _:
            base = {"name": "base", "description": f"{rnd.randint(1, 9)}"}
            tables = [{"name": "one"}]
            draft.trees["packages/lib/models/_lib.yml"] = {
                "models": [base],
                "sources": [{"name": "ext", "tables": tables}],
            }


def override(draft: Draft, rnd: random.Random) -> None:
    """The root project overrides a package's source, or makes a snapshot or a macro's entry of it."""
    found = draft.trees.setdefault("models/_override.yml", {})
    found["sources"] = [
        {
            "name": "ext",
            "overrides": "lib",
            "description": f"{rnd.randint(1, 9)}",
            "tables": [{"name": rnd.choice(["one", "three"])}],
        }
    ]


def touch(draft: Draft, rnd: random.Random) -> None:
    """Files are written again as they are."""
    draft.touched |= (
        set(rnd.sample([*draft.texts, *draft.trees], 3)) if len(draft.texts) + len(draft.trees) > 3 else set()
    )


def nothing(draft: Draft, rnd: random.Random) -> None:
    """Nothing at all."""


def undo(draft: Draft, rnd: random.Random) -> None:
    """Everything is as it was in the beginning."""
    fresh = Draft()
    draft.project, draft.texts, draft.trees, draft.note = fresh.project, fresh.texts, fresh.trees, ""


def undo_one(draft: Draft, rnd: random.Random) -> None:
    """One file is as it was in the beginning."""
    path = rnd.choice([*TEXTS, *TREES])
    if path in TEXTS:
        draft.texts[path] = TEXTS[path]
    else:
        draft.trees[path] = copy.deepcopy(TREES[path])


EDITS: tuple[tuple[int, Edit], ...] = (
    (6, body), (1, top), (3, reference), (4, configure), (3, add_model), (2, remove), (2, rename), (1, move_file), (3, add_entry),
    (6, change_entry), (3, drop_entry), (1, reorder), (4, macro), (2, docs), (2, data), (3, settings_file), (4, run_settings),
    (2, package), (1, override), (2, touch), (1, nothing), (1, undo), (4, undo_one),
)  # fmt: skip


def edit(draft: Draft, rnd: random.Random) -> str:
    """One random edit; its name."""
    change = rnd.choices([each for _, each in EDITS], [weight for weight, _ in EDITS])[0]
    change(draft, rnd)
    return change.__name__
