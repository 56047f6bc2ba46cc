"""Lines for `ls` that ask for each method of selection, with values that a project has. Run by dbt's Python, too."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

FEW = 3
"""As many models are asked for with each operator; of each method, the first value and the last."""
QUIET = ("--quiet", "--output", "json", "--output-keys", "unique_id")
PARTS = ("nodes", "sources", "exposures", "metrics", "semantic_models", "saved_queries", "unit_tests", "functions")
MODES = ("eager", "cautious", "buildable", "empty")
Answer = Callable[[list[str]], str | None]


def lines(manifest: Mapping[str, Any]) -> list[str]:
    """The lines for a project, each once."""
    resources = [each for part in PARTS for each in (manifest.get(part) or {}).values()]
    words = [*_graph(manifest), *(f"{method}:{value}" for method, value in _values(manifest, resources))]
    found = [f"-s {shlex.quote(word)}" for word in words]
    found += [f"-s {shlex.quote(word)} --exclude resource_type:test" for word in words[:FEW]]
    found += [f"-s {shlex.quote(f'{word},resource_type:model')}" for word in words[::FEW]]
    found += [f"-s {shlex.quote(word)} --indirect-selection {mode}" for word in words[:FEW] for mode in MODES]
    found += [
        f"--resource-type {kind}" for kind in sorted({each["resource_type"] for each in resources} - {"operation"})
    ]
    found += [f"--selector {shlex.quote(name)}" for name in manifest.get("selectors") or {}]
    return list(dict.fromkeys(found))


def answers(asked: Iterable[str], answer: Answer) -> dict[str, list[str] | None]:
    """Line -> the unique_ids, sorted; None for an error. `answer` gives what a command prints, or None."""
    found: dict[str, list[str] | None] = {}
    for line in asked:
        printed = answer(["ls", *QUIET, *shlex.split(line)])
        objects = (text for text in printed.splitlines() if text.startswith("{")) if printed is not None else ()
        found[line] = None if printed is None else sorted(json.loads(text)["unique_id"] for text in objects)
    return found


def _graph(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Names of models with each operator of the graph: of those with most parents, and of the first ones."""
    models = sorted(
        (each for each in manifest["nodes"].values() if each["resource_type"] == "model"),
        key=lambda each: (-len(each["depends_on"]["nodes"]), each["unique_id"]),
    )
    for model in [*models[: FEW - 1], *models[-1:]]:
        name = model["name"]
        yield from (name, f"+{name}", f"{name}+", f"@{name}", f"1+{name}+1", f"{name[:3]}*")


def _values(manifest: Mapping[str, Any], resources: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    seen: dict[str, dict[str, None]] = {}
    for each in resources:
        for method, value in _of(each):
            if value:
                seen.setdefault(method, {})[str(value)] = None
    for source in manifest["sources"].values():
        seen.setdefault("source", {})[f"{source['source_name']}.{source['name']}"] = None
    for method, constant in (
        ("test_type", ("generic", "singular", "data", "unit")), ("version", ("latest", "old", "prerelease", "none")),
        ("package", ("this",)), ("wildcard", ()),
    ):  # fmt: skip
        seen.setdefault(method, {}).update(dict.fromkeys(constant))
    for method, values in seen.items():
        for value in dict.fromkeys([*list(values)[:1], *list(values)[-1:]]):
            yield method, value


def _of(each: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """`(method, value)` that select a resource."""
    kind, config = each["resource_type"], each.get("config") or {}
    path = each["original_file_path"]
    yield from (("tag", tag) for tag in each.get("tags") or ())
    yield from (("resource_type", kind), ("package", each["package_name"]), ("access", each.get("access")))
    yield from (("file", path.rsplit("/", 1)[-1]), ("path", path), ("path", path.rsplit("/", 1)[0]))
    yield from (("fqn", ".".join(each["fqn"])), ("group", config.get("group")))
    yield from ((f"config.{key}", config.get(key)) for key in ("materialized", "schema", "severity", "strategy"))
    yield from ((f"config.meta.{key}", value) for key, value in (config.get("meta") or {}).items() if _plain(value))
    if kind in ("source", "exposure", "metric", "semantic_model", "saved_query", "unit_test"):
        yield kind, each["source_name" if kind == "source" else "name"]
    if kind == "test" and each.get("test_metadata"):
        yield "test_name", each["test_metadata"]["name"]


def _plain(value: Any) -> bool:
    return isinstance(value, str | int) and " " not in str(value)
