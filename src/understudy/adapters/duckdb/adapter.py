"""DuckDB as an engine: what it can do, and its one instance in this process."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from understudy.adapters.base import Capabilities
from understudy.adapters.driver import connecting
from understudy.adapters.duckdb.profile import Profile, read_profile
from understudy.core.project import Target
from understudy.sql.dialect import Dialect, dialect

if TYPE_CHECKING:
    from understudy.adapters.duckdb.connection import DuckDBConnection, Instance


class DuckDBAdapter:
    """One instance of DuckDB for the whole process; each connection is a cursor of it."""

    dialect: Dialect = dialect("duckdb")

    def __init__(
        self, profile: Profile, project_root: str, siblings: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        self.profile = profile
        self.project_root = project_root
        self.capabilities = Capabilities(
            transactions=not profile.disable_transactions,
            concurrent_batches=True,
            lasting_views=profile.is_motherduck,  # another file is there only while somebody has attached it
            python=True,
        )
        self._siblings = {name.lower(): paths for name, paths in (siblings or {}).items()}
        self._lock = threading.Lock()
        self._instance: Instance | None = None

    def prepare(self) -> None:
        """Nothing: a file that is opened is locked, or made. (To import the driver in a thread was measured; it gains nothing.)"""

    def connect(self) -> DuckDBConnection:
        """A new cursor; the first one opens the file. Raises ProfileError, ConnectionFailed, DatabaseLocked."""
        with self._lock:
            if self._instance is None:
                module = connecting("duckdb")
                self._instance = module.Instance(self.profile, self.dialect, self.project_root, self._siblings)
            instance = self._instance
        return instance.connect()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._instance is not None:
                self._instance.close()
                self._instance = None


def open_adapter(target: Target, project_root: str) -> DuckDBAdapter:
    """The adapter of a target; see adapters.registry."""
    return DuckDBAdapter(read_profile(target.credentials, project_root), project_root, target.siblings)
