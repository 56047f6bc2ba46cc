"""PostgreSQL as an engine: what it can do, and its sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.adapters.base import Capabilities
from understudy.adapters.driver import connecting
from understudy.adapters.postgres.profile import Profile, read_profile
from understudy.adapters.postgres.sessions import Sessions
from understudy.core.project import Target
from understudy.sql.dialect import Dialect, dialect

if TYPE_CHECKING:
    from understudy.adapters.postgres.connection import PostgresConnection


class PostgresAdapter:
    """A server and a database on it; each connection is a session of its own."""

    dialect: Dialect = dialect("postgres")

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.capabilities = Capabilities(
            transactions=not profile.autocommit, cross_database=False, grants=True, temporary_tables=True
        )
        self._sessions = Sessions(lambda: connecting("postgres").open_session(profile))

    def prepare(self) -> None:
        """Begin to open the first session."""
        self._sessions.ahead()

    def connect(self) -> PostgresConnection:
        """A session of its own. Raises ConnectionFailed, and ProfileError where there is no driver."""
        session, module = self._sessions.take(), connecting("postgres")
        connection: PostgresConnection = module.PostgresConnection(
            self.profile, self.dialect, session, self._sessions.give_back
        )
        return connection

    def close(self) -> None:
        """End the idle sessions."""
        self._sessions.close()


def open_adapter(target: Target, project_root: str) -> PostgresAdapter:
    """The adapter of a target; see adapters.registry. Raises ProfileError."""
    return PostgresAdapter(read_profile(target.credentials, project_root))
