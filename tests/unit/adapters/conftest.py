"""The engines that need a server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A private PostgreSQL server, one for all tests of the process."""
    with postgres.running() as own:
        yield own
