"""The arguments of generic tests: texts in them are templates that give values (dbt 1.11: add_rendered_test_kwargs)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from understudy.core.nodes import GenericTest
from understudy.core.walk import has_jinja
from understudy.template import literal
from understudy.template.scope import Captured

KWARGS = "_dbt_generic_test_kwargs"
FUNCTION = re.compile(r"\s*(env_var|ref|var|source|doc)\s*\(.+\)\s*")
MODEL = re.compile(r"\{\{ get_where_subquery\((.*)\) \}\}", re.DOTALL)
RAW_CODE = re.compile(r"\{\{ [\w.]+\(\*\*_dbt_generic_test_kwargs\) \}\}")
SIMPLE = frozenset({"macro.dbt.test_unique", "macro.dbt.test_not_null"})
"""Tests whose arguments dbt does not render while it parses; so their only macro is the test itself."""


def render_kwargs(kwargs: Mapping[str, Any], native: Callable[[str], Any]) -> dict[str, Any]:
    """The arguments with their templates rendered; `column_name` stays text, and `ref('x')` needs no braces."""
    return {key: value if key == "column_name" else _rendered(value, native) for key, value in kwargs.items()}


def _rendered(value: Any, native: Callable[[str], Any]) -> Any:
    if isinstance(value, dict):
        return {key: _rendered(item, native) for key, item in value.items()}
    if isinstance(value, list):
        return [_rendered(item, native) for item in value]
    if not isinstance(value, str):
        return value
    if FUNCTION.fullmatch(value):
        return native(f"{{{{ {value} }}}}")
    return native(value) if has_jinja(value) else literal.normal_lines(value)


def scan_simple(test: GenericTest, text: str, macro: str) -> Captured | None:
    """What a `unique` or `not_null` test asks for, without rendering; None where it needs rendering after all."""
    code = RAW_CODE.match(text)
    model = MODEL.fullmatch(str(test.test_metadata.kwargs.get("model", "")))
    if code is None or model is None:
        return None
    captured = literal.scan(text[code.end() :])
    reference = literal.scan(f"{{{{ {model.group(1)} }}}}")
    if captured is None or reference is None:
        return None
    captured.refs, captured.sources, captured.macros = reference.refs, reference.sources, [macro]
    return captured
