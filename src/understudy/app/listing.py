"""What `list` prints: one line per selected resource (dbt 1.11: ListTask)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

import msgspec

from understudy.core.card import Card
from understudy.core.nodes import Resource
from understudy.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from understudy.state.prior import Prior


class Gone(msgspec.Struct, kw_only=True):
    """What a state has and today's project has not, as far as a list shows it."""

    unique_id: str
    resource_type: str
    package_name: str
    name: str
    fqn: list[str]
    original_file_path: str


DEFAULT_KEYS = (
    "alias", "name", "package_name", "depends_on", "tags", "config", "resource_type", "source_name",
    "original_file_path", "unique_id",
)  # fmt: skip
"""Keys of `--output json` where `--output-keys` does not name them."""
PREFIXED = {"source", "exposure", "metric", "saved_query", "semantic_model", "unit_test"}


def gone(unique_ids: Iterable[str], prior: Callable[[], Prior], types: Set[str]) -> Iterator[Gone]:
    """What is gone, sorted; only resources of the types. Raises StateError where the state is damaged."""
    for unique_id in sorted(unique_ids):
        kind, package, name = unique_id.split(".", 2)
        if kind not in types:
            continue
        known = prior().get(unique_id)
        yield Gone(
            unique_id=unique_id, resource_type=kind, package_name=package, name=name,
            fqn=_get(known, "fqn") or [package, name], original_file_path=_get(known, "original_file_path") or "",
        )  # fmt: skip


def _get(known: Any, key: str) -> Any:
    """A field of a state's entry, which for some kinds is a map."""
    return known.get(key) if isinstance(known, Mapping) else getattr(known, key, None)


def lines(
    resources: Iterable[Card | Gone], output: str, keys: Sequence[str], whole: Callable[[str], Resource | None]
) -> Iterator[str]:
    """One line per resource, in the order given.

    Args:
        whole: the resource of a card; only JSON needs it.
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
    if output == "json":
        yield from (as_json(whole(each.unique_id) or each, keys) for each in resources)
    else:
        yield from map(form, resources)


def selector(resource: Card | Gone) -> str:
    """The text that selects the resource: its dotted fqn, or `method:package.name`."""
    if resource.resource_type == "source" and isinstance(resource, Card):
        return f"source:{resource.package_name}.{resource.source_name}.{resource.name}"
    if resource.resource_type in PREFIXED:
        return f"{resource.resource_type}:{resource.package_name}.{resource.name}"
    return ".".join(resource.fqn)


def name(resource: Card | Gone) -> str:
    """The name by which people search: `orders`, `orders.v2`, `raw.orders`."""
    if resource.resource_type == "source" and isinstance(resource, Card):
        return f"{resource.source_name}.{resource.name}"
    if resource.resource_type == "model" and isinstance(resource, Card) and resource.version is not None:
        return f"{resource.name}.v{resource.version}"
    return resource.name


def path(resource: Card | Gone) -> str:
    """The file that declares the resource, relative to its package."""
    return resource.original_file_path


def as_json(resource: Resource | Card | Gone, keys: Sequence[str] = ()) -> str:
    """The resource as one JSON object, cut down to the wanted keys."""
    import json  # the other forms do without

    data: dict[str, Any] = msgspec.to_builtins(resource)
    if not keys:
        data = {key: value for key, value in data.items() if key in DEFAULT_KEYS}
    return json.dumps(dict(_picked(data, keys)) if keys else data)


def _picked(data: Mapping[str, Any], keys: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for key in keys:
        value: Any = data
        for part in key.split(".") if "." in key else (key,):
            value = value.get(part, _ABSENT) if isinstance(value, Mapping) else _ABSENT
        if value is not _ABSENT and not ("." in key and value is None):
            yield key, value


_ABSENT = object()
FORMS: Mapping[str, Callable[[Card | Gone], str]] = {"selector": selector, "name": name, "path": path, "json": as_json}
