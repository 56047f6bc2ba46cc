"""Who may use what: groups, private and protected models, and models on their way out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any

from understudy.core.card import Card
from understudy.core.manifest import Manifest
from understudy.core.nodes import Model
from understudy.core.warning import Warning_
from understudy.errors import LinkError, ParseError, did_you_mean


def check_access(
    manifest: Manifest, unique_id: str, node: Any, model: Model, restricted: AbstractSet[str]
) -> LinkError | None:
    """The error of a node that refers to a model that it may not use, or None.

    A private model is for nodes of its own group; where its package restricts access (`restricted`), for those in its
    package only. A protected model of such a package is for its package (dbt 1.11: is_invalid_private_ref,
    is_invalid_protected_ref).
    """
    abroad = model.package_name != node.package_name and model.package_name in restricted
    group = getattr(node, "group", None)
    if model.access == "private" and (not group or group != model.group or abroad):
        reach, hint = f"group '{model.group}'", "Put both into one group, or widen the model's access."
    elif model.access == "protected" and abroad:
        reach, hint = (
            f"package '{model.package_name}'",
            "The model would have to be public: the package restricts access.",
        )
    else:
        return None
    return LinkError(
        f"'{unique_id}' refers to '{model.unique_id}', which is {model.access} to the {reach}",
        place=manifest.place(unique_id),
        hint=hint,
    )


def check_groups(manifest: Manifest, unique_ids: Iterable[str] | None = None) -> Iterator[LinkError]:
    """Nodes (all, or these) whose group nobody declared, and public models that leave no relation to use."""
    known = sorted(group.name for group in manifest.groups.values())
    for unique_id in manifest.nodes if unique_ids is None else unique_ids:
        node = manifest.nodes[unique_id]
        if node.group and node.group not in known:
            yield LinkError(
                f"'{unique_id}' is in the group '{node.group}', which is not declared",
                place=manifest.place(unique_id),
                hint=did_you_mean(node.group, known) or f"The groups are: {', '.join(known) or 'none'}.",
            )
        if isinstance(node, Model) and node.access == "public" and node.is_ephemeral:
            yield LinkError(
                f"'{unique_id}' is public, but ephemeral: others would have nothing to read",
                place=manifest.place(unique_id),
                hint="Materialize it as a view or table, or make it protected.",
            )


def deprecations(manifest: Manifest, now: str) -> Iterator[Warning_]:
    """Models past their deprecation date, and those that refer to a model with one (dbt 1.11:
    check_for_model_deprecations). The manifest is linked; what this says changes with the time, so it is never kept.
    `now` is ISO 8601; without it nothing is said. Raises ParseError for a date that is none.
    """
    if not now:
        return
    children: dict[str, list[str]] = {}
    models = {unique_id: card for unique_id, card in manifest.cards.items() if card.resource_type == "model"}
    dated = {unique_id: card for unique_id, card in models.items() if card.deprecation_date}
    for unique_id, card in models.items() if dated else ():
        for parent in card.parents:
            children.setdefault(parent, []).append(unique_id)
    for unique_id, model in dated.items():
        past = _deprecated_from(manifest, model) < _instant(now)
        yield from _deprecation(manifest, model, past, sorted(children.get(unique_id, ())))


def _deprecation(manifest: Manifest, model: Card, past: bool, children: list[str]) -> Iterator[Warning_]:
    name = model.name if model.version is None else f"{model.name}.v{model.version}"
    if past:
        message = f"The model {name} is past its deprecation date of {model.deprecation_date}: disable or remove it"
        yield Warning_("DeprecatedModel", message, manifest.place(model.unique_id))
    for child in children:
        message = (
            f"'{child}' refers to {name}, which {'was' if past else 'will be'} deprecated on {model.deprecation_date}"
        )
        if model.version is not None and model.version != model.latest_version:
            message += f"; the latest version is v{model.latest_version}"
        yield Warning_(
            "DeprecatedReference" if past else "UpcomingReferenceDeprecation", message, manifest.place(child)
        )


def _deprecated_from(manifest: Manifest, model: Card) -> datetime:
    try:
        return _instant(str(model.deprecation_date))
    except ValueError as error:
        raise ParseError(
            f"The deprecation_date '{model.deprecation_date}' is no date",
            place=manifest.place(model.unique_id),
            hint="Write it as ISO 8601, such as 2026-12-31.",
        ) from error


def _instant(text: str) -> datetime:
    """A point in time from ISO 8601; without a zone it is UTC."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
