"""The methods of a selection, a pure function each: (world, criterion) -> unique_ids. Rules from dbt 1.11:
selector_methods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from understudy.core.card import Card
from understudy.core.config import hook_name
from understudy.core.nodes import Version
from understudy.errors import SelectorError, did_you_mean
from understudy.select.files import with_folders
from understudy.select.grammar import Criterion
from understudy.select.index import UNIT_TEST, Fqn, has_wildcard, look_up, patch_of, pattern
from understudy.select.world import World

Method = Callable[[World, Criterion], Iterable[str]]

RESOURCE_TYPES = (
    "model", "seed", "snapshot", "test", "analysis", "operation", "function", "source", "exposure", "metric",
    "semantic_model", "saved_query", "unit_test", "macro", "doc", "group", "fixture", "rpc", "sql_operation",
)  # fmt: skip
STATUSES = ("success", "error", "skipped", "pass", "fail", "warn", "partial success", "no-op", "runtime error")
TEST_TYPES: Mapping[str, tuple[bool, ...]] = {
    "generic": (True,), "schema": (True,), "singular": (False,), "data": (True, False), "unit": (),
}  # fmt: skip
"""Word -> whether data tests of that type are generic; unit tests are neither."""


def access(world: World, criterion: Criterion) -> Iterator[str]:
    """Models of that access."""
    level = _one_of(criterion, ("private", "protected", "public"))
    return (i for i, card in world.index.of_type("model") if card.access == level)


def config(world: World, criterion: Criterion) -> Iterator[str]:
    """Nodes and sources whose config has that value, or a list with it, under the key.

    A value from the command line is text and equals no number; `true` and `false` are booleans, too.
    """
    value = criterion.value
    word = str(value).lower()
    keys = tuple(hook_name(key) if n == 0 else key for n, key in enumerate(criterion.arguments))
    for i in world.index.resources:
        if i not in world.index.nodes and i not in world.manifest.sources:
            continue
        found: Any = world.manifest.config(i)
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if keys == ("severity",):
            if found is not None and str(found).lower() == word:
                yield i
        elif any(
            value == each or (word == "true" and each is True) or (word == "false" and each is False)
            for each in (found if isinstance(found, list) else (found,))
        ):
            yield i


def file(world: World, criterion: Criterion) -> Iterator[str]:
    """What stands in a file of that name, with its suffix or without."""
    fits = pattern(criterion.value).match
    for path, unique_ids in world.index.by_file.items():
        name = path.rpartition("/")[2]
        if fits(name) or fits(name.rpartition(".")[0] or name):
            yield from unique_ids


def fqn(world: World, criterion: Criterion) -> Iterator[str]:
    """Anything but sources, by its name or the beginning of package.folder.name, with the package or without."""
    value = criterion.value
    if value == "*":
        yield from (i for i in world.index.resources if i not in world.manifest.sources)
        return
    words = tuple(value.split("."))
    first_pattern = next((n for n, word in enumerate(words) if has_wildcard(word) or "]" in word), None)
    if first_pattern is not None:
        rest = pattern(".".join(words[first_pattern:])).match
        whole = pattern(value).match if len(words) == 1 else None
        for i, name in world.index.named.items():
            bare = whole is not None and whole(name.leaf)
            if bare or name.leaf == value or any(
                parts[:first_pattern] == words[:first_pattern]
                and len(parts) >= len(words)
                and rest(".".join(parts[first_pattern:]))
                for parts in (name.parts, name.parts[name.after_package :])
            ):  # fmt: skip
                yield i
        return
    last_two = "_".join(words[-2:])
    seen = set()
    for key in {value, words[0], last_two}:
        for i in world.index.by_name.get(key, ()):
            if i not in seen and _is_name(world.index.named[i], value, words, last_two):
                seen.add(i)
                yield i


def _is_name(name: Fqn, value: str, words: tuple[str, ...], last_two: str) -> bool:
    start = name.after_package
    return (
        value == name.leaf
        or last_two == name.versioned
        or name.parts[: len(words)] == words
        or name.parts[start : start + len(words)] == words
    )


def group(world: World, criterion: Criterion) -> Iterator[str]:
    """Nodes and metrics of a group."""
    return look_up(world.index.by_group, criterion.value)


def name(world: World, criterion: Criterion) -> Iterator[str]:
    """Anything of exactly that name (ours; dbt 1.11 has `fqn`, which also takes the beginning of a longer name)."""
    fits = pattern(criterion.value).match
    return (i for i, card in world.index.resources.items() if fits(card.name))


def package(world: World, criterion: Criterion) -> Iterator[str]:
    """Everything of a package; `this` is the project's own."""
    return look_up(world.index.by_package, world.project_name if criterion.value == "this" else criterion.value)


def path(world: World, criterion: Criterion) -> Iterator[str]:
    """What stands in a file, or below a folder, or is described in exactly such a properties file."""
    paths = world.index.files.glob(criterion.value)
    within = {file for file in world.index.by_file if any(path in paths for path in with_folders(file))}
    for i, card in world.index.resources.items():
        if card.original_file_path in within or patch_of(card) in paths:
            yield i


def resource_type(world: World, criterion: Criterion) -> Iterator[str]:
    """Everything of a type."""
    return (i for i, _ in world.index.of_type(_one_of(criterion, RESOURCE_TYPES)))


def result(world: World, criterion: Criterion) -> Iterator[str]:
    """What ended with that status in the state's run."""
    status = _one_of(criterion, STATUSES)
    statuses = world.statuses()
    return (i for i in world.index.resources if statuses.get(i) == status)


def source(world: World, criterion: Criterion) -> Iterator[str]:
    """Sources: source, source.table or package.source.table."""
    words = criterion.value.split(".")
    if len(words) > 3:
        raise SelectorError(
            f"'source:{criterion.value}' has more than three parts",
            hint="Write source:name, source:name.table or source:package.name.table.",
        )
    wanted = {1: ["*", *words, "*"], 2: ["*", *words], 3: words}[len(words)]
    in_package, in_source, table = (pattern(word).match for word in wanted)
    for i, card in world.index.of_type("source"):
        if in_package(card.package_name) and in_source(card.source_name or "") and table(card.name):
            yield i


def source_status(world: World, criterion: Criterion) -> Iterator[str]:
    """Sources that have been loaded since the state."""
    _one_of(criterion, ("fresher",))
    fresher = world.fresher()
    return (i for i in world.index.resources if i in fresher)


def state(world: World, criterion: Criterion) -> Iterator[str]:
    """What is new, old, modified ... against the state (`state.diff`)."""
    matches = world.comparison().matches
    return (i for i in world.index.resources if matches(criterion.value, i))


def tag(world: World, criterion: Criterion) -> Iterator[str]:
    """What has a tag."""
    return look_up(world.index.by_tag, criterion.value)


def test_name(world: World, criterion: Criterion) -> Iterator[str]:
    """Generic tests of that kind (`unique`), and unit tests of that name."""
    fits = pattern(criterion.value).match
    for i, card in world.index.of_type("test"):
        if card.test is not None and fits(card.test):
            yield i
    for i, card in world.index.of_type(UNIT_TEST):
        if fits(card.name):
            yield i


def test_type(world: World, criterion: Criterion) -> Iterator[str]:
    """Tests that are generic (schema), singular, either (data), or unit tests."""
    generic = TEST_TYPES[_one_of(criterion, tuple(TEST_TYPES))]
    if not generic:
        return (i for i, _ in world.index.of_type(UNIT_TEST))
    return (i for i, card in world.index.of_type("test") if (card.test is not None) in generic)


def version(world: World, criterion: Criterion) -> Iterator[str]:
    """Models by how their version stands to the latest one; `none`: without versions."""
    wanted = _one_of(criterion, ("latest", "prerelease", "old", "none"))
    return (i for i, card in world.index.of_type("model") if _version_kind(card) == wanted)


def _version_kind(model: Card) -> str | None:
    if model.version is None:
        return "none"
    if model.version == model.latest_version:
        return "latest"
    if model.latest_version is None:
        return None
    if _less(model.version, model.latest_version):
        return "old"
    return "prerelease" if _less(model.latest_version, model.version) else None


def _less(one: Version, other: Version) -> bool:
    """Versions count as numbers where they are (dbt 1.11: UnparsedVersion)."""
    try:
        return float(one) < float(other)
    except ValueError:
        return str(one) < str(other)


def _named(kind: str) -> Method:
    """The method of a resource type that is selected by name or package.name."""

    def search(world: World, criterion: Criterion) -> Iterator[str]:
        words = criterion.value.split(".")
        if len(words) > 2:
            hint = f"Write {kind}:name or {kind}:package.name."
            raise SelectorError(f"'{kind}:{criterion.value}' has more than two parts", hint=hint)
        in_package, fits = (pattern(word).match for word in (["*", *words] if len(words) == 1 else words))
        for i, card in world.index.of_type(kind):
            if in_package(card.package_name) and fits(card.name):
                yield i

    return search


def _one_of(criterion: Criterion, valid: tuple[str, ...]) -> str:
    """The value, which must be one of these. Raises SelectorError."""
    value: str = criterion.value
    if value not in valid:
        hint = f"It is one of: {', '.join(valid)}."
        near = did_you_mean(value, valid)
        raise SelectorError(f"'{value}' is no {criterion.method}", hint=f"{near} {hint}" if near else hint)
    return value


METHODS: Mapping[str, Method] = {
    "access": access,
    "config": config,
    "exposure": _named("exposure"),
    "file": file,
    "fqn": fqn,
    "group": group,
    "metric": _named("metric"),
    "name": name,
    "package": package,
    "path": path,
    "resource_type": resource_type,
    "result": result,
    "saved_query": _named("saved_query"),
    "semantic_model": _named("semantic_model"),
    "source": source,
    "source_status": source_status,
    "state": state,
    "tag": tag,
    "test_name": test_name,
    "test_type": test_type,
    "unit_test": _named("unit_test"),
    "version": version,
}
