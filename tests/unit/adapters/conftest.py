"""The engines that need a server."""

from __future__ import annotations

from typing import Any

import pytest
from support import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Any:
    """A private PostgreSQL server, one for all tests of the process."""
    return postgres.server()
