"""The shapes of entries in properties files, as data, and one check for all of them.

A shape is a tuple of types; a list with the shape of its items; or a map from known keys to their shapes (other keys are
free). `TAGS` is one text or a list of texts. Absent keys are no matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Shape = Any
NULL = type(None)
TEXT: Shape = (str,)
NAME: Shape = (str, NULL)
FLAG: Shape = (bool, NULL)
MAP: Shape = (dict,)
LIST: Shape = (list,)
TAGS: Shape = "tags"

CONFIG: Shape = {"tags": TAGS, "meta": MAP, "docs": MAP}
COLUMN: Shape = {
    "name": TEXT, "description": TEXT, "meta": MAP, "data_type": NAME, "constraints": LIST, "quote": FLAG, "tags": TAGS,
    "config": {"tags": TAGS}, "tests": LIST, "data_tests": LIST,
}  # fmt: skip
DESCRIBED: Shape = {"description": TEXT, "meta": MAP, "docs": MAP, "config": CONFIG}
NODE: Shape = {**DESCRIBED, "columns": [COLUMN], "tests": LIST, "data_tests": LIST, "constraints": LIST}
INCLUDED: Shape = {**COLUMN, "include": (str, list), "exclude": [TEXT]}
VERSION: Shape = {
    "v": (str, int, float), "description": TEXT, "defined_in": NAME, "config": CONFIG, "constraints": LIST, "tests": LIST,
    "data_tests": LIST, "columns": [INCLUDED],
}  # fmt: skip
FRESHNESS_HOLDER: Shape = {"config": CONFIG, "meta": MAP, "tags": TAGS, "description": TEXT, "quoting": MAP}
TABLE: Shape = {
    **FRESHNESS_HOLDER, "name": TEXT, "identifier": NAME, "columns": [COLUMN], "tests": LIST, "data_tests": LIST,
    "external": (dict, NULL),
}  # fmt: skip

SHAPES: Mapping[str, Shape] = {
    "models": {**NODE, "versions": [VERSION], "latest_version": (str, int, float, NULL), "time_spine": (dict, NULL)},
    "seeds": NODE,
    "snapshots": NODE,
    "analyses": NODE,
    "data_tests": DESCRIBED,
    "macros": {**DESCRIBED, "arguments": [{"name": TEXT, "type": NAME, "description": TEXT}]},
    "sources": {
        **FRESHNESS_HOLDER, "database": NAME, "schema": NAME, "loader": TEXT, "overrides": NAME, "tables": [TABLE],
    },
    "exposures": {**DESCRIBED, "tags": TAGS, "owner": MAP, "depends_on": LIST, "type": TEXT},
    "functions": {**NODE, "arguments": LIST},
    "unit_tests": {"model": TEXT, "given": LIST, "expect": MAP, "config": CONFIG, "description": TEXT},
    "metrics": {**DESCRIBED, "label": TEXT, "type": TEXT, "type_params": MAP, "tags": TAGS},
    "semantic_models": {**DESCRIBED, "description": NAME, "model": TEXT, "defaults": (dict, NULL)},
    "saved_queries": {**DESCRIBED, "description": NAME, "query_params": MAP, "tags": TAGS},
    "groups": {"owner": MAP, "description": NAME, "config": CONFIG},
}  # fmt: skip

WORDS = {str: "text", int: "a number", float: "a number", bool: "true or false", dict: "a map", list: "a list"}


def misshapen(value: Any, shape: Shape, path: tuple[str | int, ...] = ()) -> tuple[tuple[str | int, ...], str] | None:
    """The path of the first part of a value that has not its shape, and what it should be; None when all is well."""
    if shape == TAGS:
        fits = isinstance(value, str) or (isinstance(value, list) and all(isinstance(tag, str) for tag in value))
        return None if fits else (path, "text, or a list of texts")
    if isinstance(shape, tuple):
        if isinstance(value, shape) and not (isinstance(value, bool) and bool not in shape):
            return None
        return path, " or ".join(dict.fromkeys(WORDS[each] for each in shape if each is not NULL))
    if isinstance(shape, list):
        if not isinstance(value, list):
            return path, WORDS[list]
        parts = ((item, shape[0], (*path, n)) for n, item in enumerate(value))
    else:
        if not isinstance(value, dict):
            return path, WORDS[dict]
        parts = ((value[key], inner, (*path, key)) for key, inner in shape.items() if key in value)
    return next((found for item, inner, where in parts if (found := misshapen(item, inner, where))), None)
