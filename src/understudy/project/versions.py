"""`require-dbt-version`: whether a project may run with the dbt that we answer for."""

from __future__ import annotations

import re
from typing import Any

from understudy.core.project import DBT_VERSION
from understudy.errors import Place, ProjectError

_SPEC = re.compile(r"(?P<op>>=|<=|=|>|<)?\s*(?P<version>\d+\.\d+\.\d+)(?P<pre>(?:-|a|b|rc)[\w.-]+)?(?:\+[\w.-]+)?")

Number = tuple[int, ...]


def check_version(required: Any, name: str, path: str) -> None:
    """Raises ProjectError where the requirement is no version specification, or excludes ours."""
    specs = required.split(",") if isinstance(required, str) else required
    if not isinstance(specs, list):
        raise ProjectError(f"require-dbt-version must be text or a list, not {required!r}", place=Place(path))
    ours = _number(DBT_VERSION, None)
    for spec in specs:
        match = _SPEC.fullmatch(str(spec).strip())
        if match is None:
            hint = 'Write for example [">=1.0.0", "<2.0.0"]'
            raise ProjectError(f"{spec!r} in require-dbt-version is no version", place=Place(path), hint=hint)
        theirs = _number(match["version"], match["pre"])
        if not _holds(ours, match["op"] or "=", theirs):
            raise ProjectError(
                f"'{name}' requires dbt {', '.join(str(each).strip() for each in specs)}, but this is {DBT_VERSION}",
                place=Place(path),
                hint="Change require-dbt-version, or run with --no-version-check",
            )


def _number(version: str, pre: str | None) -> Number:
    return (*(int(part) for part in version.split(".")), 0 if pre else 1)


def _holds(ours: Number, op: str, theirs: Number) -> bool:
    return {
        "=": ours == theirs,
        ">=": ours >= theirs,
        "<=": ours <= theirs,
        ">": ours > theirs,
        "<": ours < theirs,
    }[op]
