"""Sessions that nobody uses at the moment, among them one that is opened ahead of its time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    Session = psycopg.Connection[Any]


class Sessions:
    """The idle sessions of one server. To open one takes several journeys to the server, so what is still as new is kept."""

    def __init__(self, open_: Callable[[], Session]) -> None:
        """`open_` opens a session, or raises; it may be called in another thread."""
        self._open = open_
        self._lock = threading.Lock()
        self._idle: list[Session] = []
        self._coming: threading.Event | None = None
        self._error: BaseException | None = None
        self._closed = False

    def ahead(self) -> None:
        """Begin to open the first session. What goes wrong is raised by the first `take`, and never if there is none."""
        with self._lock:
            if self._coming is not None:
                return
            self._coming = threading.Event()
        threading.Thread(target=self._open_ahead, args=(self._coming,), name="connecting", daemon=True).start()

    def take(self) -> Session:
        """A session; a new one where none is idle. Raises what opening raises."""
        if self._coming is not None:
            self._coming.wait()
        with self._lock:
            error, self._error = self._error, None
            if self._idle:
                return self._idle.pop()
        if error is not None:
            raise error
        return self._open()

    def give_back(self, session: Session) -> None:
        """Keep a session for the next one who asks; it must be as new."""
        with self._lock:
            if not self._closed:
                self._idle.append(session)
                return
        session.close()

    def close(self) -> None:
        """End the idle sessions; one that is being opened, and whatever is given back later, ends at once."""
        with self._lock:
            self._closed, idle = True, self._idle
            self._idle = []
        for session in idle:
            session.close()

    def _open_ahead(self, done: threading.Event) -> None:
        try:
            self.give_back(self._open())
        except BaseException as error:  # noqa: BLE001 - whoever needs the session is told
            self._error = error
        finally:
            done.set()
