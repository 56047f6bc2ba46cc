"""Spark as an engine: what it can do, and its one session."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from understudy.adapters.base import Capabilities
from understudy.adapters.driver import connecting
from understudy.adapters.spark.profile import Profile, read_profile
from understudy.core.project import Target
from understudy.sql.dialect import Dialect, dialect

if TYPE_CHECKING:
    from understudy.adapters.spark.connection import SparkConnection


class SparkAdapter:
    """One session of Spark, in this process or on a Spark Connect server, which all connections share.

    Sessions of their own would each keep the list of a table's files, and look for files that another one has replaced.
    """

    dialect: Dialect = dialect("spark")
    capabilities = Capabilities(transactions=False, python=True)

    def __init__(self, profile: Profile, project_root: str) -> None:
        self.profile = profile
        self.project_root = project_root
        self._lock = threading.Lock()
        self._session: Any = None
        self._started_here = False

    def prepare(self) -> None:
        """Nothing: a session makes a metastore and folders, or takes the one that is there."""

    def connect(self) -> SparkConnection:
        """Another user of the session. Raises ConnectionFailed, DatabaseLocked, ProfileError."""
        with self._lock:
            module = connecting("spark")
            if self._session is None:
                self._session, self._started_here = module.open_spark(self.profile, self.project_root)
            connection: SparkConnection = module.SparkConnection(self._session, self.profile, self.dialect)
            return connection

    def close(self) -> None:
        """Stop the Spark, or leave the server, that was started here; one that was running before goes on."""
        with self._lock:
            if self._session is not None and self._started_here:
                self._session.stop()
            self._session = None


def open_adapter(target: Target, project_root: str) -> SparkAdapter:
    """The adapter of a target; see adapters.registry. Raises ProfileError."""
    return SparkAdapter(read_profile(target.credentials, project_root), project_root)
