"""Drivers are imported when the first connection is opened: most commands need none."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from understudy.errors import ProfileError

EXTRAS = {"postgres": "postgres", "spark": "spark"}
"""The extra of the package that brings an engine's driver."""


def connecting(engine: str) -> ModuleType:
    """The module `connection` of an engine, which imports its driver. Raises ProfileError where that cannot be loaded."""
    try:
        return import_module(f"understudy.adapters.{engine}.connection")
    except ImportError as error:  # also a driver whose own library is missing, as psycopg without libpq
        extra = EXTRAS.get(engine)
        wanted = f"pip install 'understudy[{extra}]'" if extra else f"pip install {error.name}"
        raise ProfileError(f"The driver of {engine} cannot be loaded: {error}", hint=wanted) from error
