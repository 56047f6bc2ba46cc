"""What `list` prints: one line per selected resource (dbt 1.11: ListTask)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from understudy.core.nodes import Model, Resource, Source
from understudy.errors import UsageError, did_you_mean

DEFAULT_KEYS = (
    "alias", "name", "package_name", "depends_on", "tags", "config", "resource_type", "source_name",
    "original_file_path", "unique_id",
)  # fmt: skip
"""Keys of `--output json` where `--output-keys` does not name them."""
PREFIXED = {"source", "exposure", "metric", "saved_query", "semantic_model", "unit_test"}


def lines(resources: Iterable[Resource], output: str, keys: Sequence[str] = ()) -> Iterator[str]:
    """One line per resource, in the order given.

    Args:
        output: `selector`, `name`, `path` or `json`.
        keys: for json: the keys to show; dots reach into maps (`config.materialized`).
    Raises:
        UsageError: the output form is unknown.
    """
    form = FORMS.get(output)
    if form is None:
        raise UsageError(
            f"Unknown --output {output!r}", hint=did_you_mean(output, FORMS) or f"Known: {', '.join(FORMS)}"
        )
    for resource in resources:
        yield form(resource, keys)


def selector(resource: Resource, keys: Sequence[str] = ()) -> str:
    """The text that selects the resource: its dotted fqn, or `method:package.name`."""
    if isinstance(resource, Source):
        return f"source:{resource.package_name}.{resource.source_name}.{resource.name}"
    if resource.resource_type in PREFIXED:
        return f"{resource.resource_type}:{resource.package_name}.{resource.name}"
    return ".".join(resource.fqn)


def name(resource: Resource, keys: Sequence[str] = ()) -> str:
    """The name by which people search: `orders`, `orders.v2`, `raw.orders`."""
    if isinstance(resource, Source):
        return f"{resource.source_name}.{resource.name}"
    if isinstance(resource, Model) and resource.version is not None:
        return f"{resource.name}.v{resource.version}"
    return resource.name


def path(resource: Resource, keys: Sequence[str] = ()) -> str:
    """The file that declares the resource, relative to its package."""
    return resource.original_file_path


def as_json(resource: Resource, keys: Sequence[str] = ()) -> str:
    """The resource as one JSON object, cut down to the wanted keys."""
    data: dict[str, Any] = msgspec.to_builtins(resource)
    if not keys:
        return json.dumps({key: value for key, value in data.items() if key in DEFAULT_KEYS})
    return json.dumps(dict(_picked(data, keys)))


def _picked(data: Mapping[str, Any], keys: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for key in keys:
        value: Any = data
        for part in key.split(".") if "." in key else (key,):
            value = value.get(part, _ABSENT) if isinstance(value, Mapping) else _ABSENT
        if value is not _ABSENT and not ("." in key and value is None):
            yield key, value


_ABSENT = object()
FORMS: Mapping[str, Callable[[Resource, Sequence[str]], str]] = {
    "selector": selector,
    "name": name,
    "path": path,
    "json": as_json,
}
