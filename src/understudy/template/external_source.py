"""Sources that are files: `external_location` of a source's config or meta (dbt-duckdb 1.11: create_from_source)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from understudy.core.nodes import Source
from understudy.errors import ExecutionError, Place

FIELDS: Mapping[str, re.Pattern[str]] = {
    "newstyle": re.compile(r"\{\{|\}\}|\{(?P<name>\w+)\}|[{}]"),
    "oldstyle": re.compile(r"%%|%\((?P<name>\w+)\)s|%"),
    "template": re.compile(r"\$\$|\$(?:(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})|\$"),
}
"""How a field is written, by `formatter`: plain names only, for Python's own formats reach into objects."""


def external_source(source: Source) -> str | None:
    """The SQL that stands for the source; None: a table of the engine.

    A call (`read_parquet(...)`) and quoted text stand as they are, anything else is a file's name. Raises ExecutionError.
    """
    known = {**source.meta, **source.config}
    location = known.get("external_location")
    if not location:
        return None
    names = {part: getattr(source, part) for part in ("name", "identifier", "schema", "database", "tags")}
    place = Place(source.original_file_path, node=source.unique_id)
    formatter = str(known.get("formatter") or "newstyle")
    if formatter not in FIELDS:
        raise ExecutionError(f"There is no formatter '{formatter}'", place=place, hint=f"Use: {', '.join(FIELDS)}.")
    text = FIELDS[formatter].sub(_filler({**names, **known}, str(location), place), str(location))
    return text if "(" in text or text.startswith("'") else f"'{text}'"


def _filler(values: Mapping[str, Any], location: str, place: Place) -> Callable[[re.Match[str]], str]:
    def fill(match: re.Match[str]) -> str:
        found = match.groupdict()
        name = found["name"] or found.get("braced")
        if name is None and len(match[0]) == 2:
            return match[0][0]
        if name is None or name not in values:
            hint = f"Its fields are: {', '.join(sorted(values))}."
            raise ExecutionError(
                f"The external_location {location!r} has no field at {match[0]!r}", place=place, hint=hint
            )
        return str(values[name])

    return fill
