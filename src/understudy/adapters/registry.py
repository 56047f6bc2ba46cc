"""From a target to its engine."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from understudy.adapters.base import Adapter
from understudy.core.project import Target
from understudy.sql.dialect import dialect


def open_adapter(target: Target, project_root: str) -> Adapter:
    """The adapter of a target; nothing is connected yet, and no driver imported.

    Relative paths in the profile are taken from `project_root`, as dbt does. Raises ProfileError for an unknown engine and
    for fields that the engine does not know; `connect` for a driver that is not installed.
    """
    dialect(target.type)
    factory: Callable[[Target, str], Adapter] = import_module(f"understudy.adapters.{target.type}.adapter").open_adapter
    return factory(target, project_root)
