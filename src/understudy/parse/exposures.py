"""Exposures and groups."""

from __future__ import annotations

import re
from typing import Any

from understudy.core.nodes import Exposure, Group, RefArgs
from understudy.errors import Place, UnderstudyError
from understudy.parse.entries import Found, texts
from understudy.parse.parsing import Parsing, below, duplicate
from understudy.template import literal
from understudy.template.scope import Captured

TYPES = ("dashboard", "notebook", "analysis", "ml", "application")
MATURITIES = ("low", "medium", "high")


def add_exposure(parsing: Parsing, found: Found) -> None:
    """An exposure, with what it depends on. Raises YamlError, JinjaError or DuplicateError."""
    entry, file = found.entry, found.file
    fqn = [file.package, *below(file), found.name]
    patch = found.typed(entry, "config", dict, {})
    config = dict(parsing.configs.config("exposure", file.package, fqn, {}, patch))
    tree = parsing.configs.tree(file.package, "exposure").own
    tags = sorted({*texts(tree.get("tags")), *texts(entry.get("tags")), *texts(config["tags"])})
    meta = {**(tree.get("meta") or {}), **found.typed(entry, "meta", dict, {}), **(config["meta"] or {})}
    exposure = Exposure(
        name=found.name,
        package_name=file.package,
        path=file.relative_path,
        original_file_path=file.path,
        unique_id=f"exposure.{file.package}.{found.name}",
        fqn=fqn,
        type=_choice(found, "type", TYPES),
        owner=_owner(found),
        description=found.typed(entry, "description", str, ""),
        label=found.typed(entry, "label", (str, type(None)), None),
        maturity=_choice(found, "maturity", MATURITIES) if entry.get("maturity") is not None else None,
        meta=meta,
        tags=tags,
        config={**config, "tags": tags, "meta": meta},
        unrendered_config=parsing.configs.unrendered("exposure", file.package, fqn, {}, patch),
        url=found.typed(entry, "url", (str, type(None)), None),
    )
    parsing.cells.touch(exposure.unique_id)
    if not re.match(r"[\w-]+$", found.name):
        message = f"The name of the exposure '{found.name}' should be made of letters, digits and underscores; its label may hold more"
        parsing.warn("ExposureNameDeprecation", message, Place(file.path, node=exposure.unique_id))
    _depend(parsing, found, exposure)
    if not exposure.config["enabled"]:
        parsing.manifest.disabled.setdefault(exposure.unique_id, []).append(exposure)
        return
    other = parsing.manifest.exposures.get(exposure.unique_id)
    if other is not None:
        raise duplicate("exposure", found.name, other.original_file_path, file.path, exposure.unique_id)
    parsing.manifest.exposures[exposure.unique_id] = exposure


def _choice(found: Found, key: str, known: tuple[str, ...]) -> str:
    value = found.entry.get(key)
    if value not in known:
        hint = f"It is one of {', '.join(known)}"
        raise found.error(f"The {key} of the exposure '{found.name}' cannot be {value!r}", key, hint=hint)
    return str(value)


def _owner(found: Found) -> dict[str, Any]:
    owner = found.typed(found.entry, "owner", dict, {})
    if owner.get("name") is None and owner.get("email") is None and found.key == "exposures":
        raise found.error(f"The owner of '{found.name}' must have a name or an email", "owner")
    return {"email": owner.get("email"), "name": owner.get("name"), **owner}


def _depend(parsing: Parsing, found: Found, exposure: Exposure) -> None:
    """`depends_on` holds calls without braces."""
    for call in found.typed(found.entry, "depends_on", list, []):
        if not isinstance(call, str):
            raise found.error(f"An item of depends_on must be text such as ref('model'), not {call!r}", "depends_on")
        template = "{{ " + call + " }}"
        captured = literal.scan(template)
        if captured is None:
            captured = _rendered(parsing, found, template)
        exposure.refs = [*exposure.refs, *captured.refs]
        exposure.sources = [*exposure.sources, *captured.sources]
        exposure.metrics = [*exposure.metrics, *captured.metrics]


def _rendered(parsing: Parsing, found: Found, template: str) -> Captured:
    captured = Captured()

    def ref(*args: Any, **kwargs: Any) -> str:
        version = kwargs.get("version", kwargs.get("v"))
        captured.refs.append(RefArgs(str(args[-1]), str(args[0]) if len(args) > 1 else None, version))
        return ""

    def source(*args: Any) -> str:
        captured.sources.append(list(args))
        return ""

    def metric(*args: Any) -> str:
        captured.metrics.append(list(args))
        return ""

    extra = {"ref": ref, "source": source, "metric": metric}
    try:
        parsing.renderer.value(template, package=found.file.package, extra=extra)
    except UnderstudyError as error:
        error.place = found.place("depends_on")
        raise
    return captured


def add_group(parsing: Parsing, found: Found) -> None:
    """A group. Raises YamlError, or DuplicateError for a second of the name."""
    file = found.file
    unique_id = f"group.{file.package}.{found.name}"
    parsing.cells.touch(unique_id)
    other = parsing.manifest.groups.get(unique_id)
    if other is not None:
        raise duplicate("group", found.name, other.original_file_path, file.path, unique_id)
    patch = found.typed(found.entry, "config", dict, {})
    config = parsing.configs.config("group", file.package, [file.package, *below(file), found.name], {}, patch)
    parsing.manifest.groups[unique_id] = Group(
        name=found.name,
        package_name=file.package,
        path=file.relative_path,
        original_file_path=file.path,
        unique_id=unique_id,
        owner=_owner(found),
        description=found.typed(found.entry, "description", (str, type(None)), None),
        config=config,
    )
