"""Jinja in settings files: each text on its own, and Jinja itself only where some text needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from understudy.core.walk import KeyPath, has_jinja, walk

Render = Callable[[Any], Any]
"""Renders every text of a value; what is no text stays as it is."""


def renderer(
    env: Callable[[str], str | None], vars: Mapping[str, Any], target: Mapping[str, Any] | None = None
) -> Render:
    """Renders values with `env_var`, `var` and, for `dbt_project.yml`, `target` (template.settings). Raises JinjaError."""

    def text(value: str) -> Any:
        if not has_jinja(value):
            return value.removesuffix("\n")  # as Jinja does
        from understudy.template.settings import render_settings

        return render_settings(value, env=env, vars=vars, target=target)

    return lambda value: walk(value, text)


HOOKS = frozenset({"pre-hook", "post-hook", "pre_hook", "post_hook"})
HOOKED = frozenset({"seeds", "models", "snapshots", "tests", "data_tests"})


def rendered_late(path: KeyPath) -> bool:
    """What of `dbt_project.yml` is rendered only when it is used (dbt 1.11: should_render_keypath)."""
    if not path:
        return False
    if path[0] in ("on-run-start", "on-run-end", "query-comment", "vars"):
        return True
    return path[0] in HOOKED and any(str(key).lstrip("+ ") in HOOKS for key in path)
