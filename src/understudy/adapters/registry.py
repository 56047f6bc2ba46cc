"""From a target to its engine; drivers are imported when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from understudy.adapters.base import Adapter
from understudy.core.project import Target
from understudy.errors import ProfileError
from understudy.sql.dialect import dialect

EXTRAS = {"postgres": "postgres", "spark": "spark"}
"""The extra of the package that brings an engine's driver."""


def open_adapter(target: Target, project_root: str) -> Adapter:
    """The adapter of a target; nothing is connected yet.

    Relative paths in the profile are taken from `project_root`, as dbt does. Raises ProfileError for an unknown engine,
    for a driver that is not installed, and for fields that the engine does not know.
    """
    dialect(target.type)
    try:
        module = import_module(f"understudy.adapters.{target.type}.connection")
    except ImportError as error:  # also a driver whose own library is missing, as psycopg without libpq
        extra = EXTRAS.get(target.type)
        wanted = f"pip install 'understudy[{extra}]'" if extra else f"pip install {error.name}"
        raise ProfileError(f"The driver of {target.type} cannot be loaded: {error}", hint=wanted) from error
    factory: Callable[[Target, str], Adapter] = module.open_adapter
    return factory(target, project_root)
