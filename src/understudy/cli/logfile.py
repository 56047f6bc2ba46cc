"""The log file `logs/understudy.log`, and stamped lines (`--log-format debug`): the words of the screen, with the time."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

from understudy.app.events import Checked, Event, Printed, Started, Table, level
from understudy.app.options import Options
from understudy.cli.scrub import Scrubber
from understudy.cli.wording import Wording, paint_ansi, result_text

if TYPE_CHECKING:
    from understudy.cli.jsonlog import JsonLines

NAME = "understudy.log"
KEPT = 5
"""How many full files are put aside (dbt 1.11: 5)."""


class Stamped:
    """Lines with time, level and thread before them."""

    def __init__(self, write: Callable[[str], None], wording: Wording) -> None:
        self._write, self._wording = write, wording

    def tell(self, event: Event) -> None:
        """Write the event's lines."""
        self.say(self._wording.text(event), level(event))

    def say(self, text: str, word: str) -> None:
        """Write lines under one stamp."""
        if text.strip():
            stamp = (
                f"{datetime.now().time().isoformat('microseconds')} [{word:<5}] [{threading.current_thread().name}]: "
            )
            self._write(f"{stamp}{text.strip(chr(10))}\n")

    def aside(self, write: Callable[[], None]) -> None:
        """Nothing stands in the way."""
        write()

    def close(self) -> None:
        """Write what was to be said at the end."""
        self.say(self._wording.rest(), "error")


class LogFile:
    """Everything that is told, but not the results, at the end of the log file. Where it cannot be written, nobody is bothered."""

    def __init__(self, options: Options, folder: str, scrub: Scrubber) -> None:
        self._path = os.path.join(folder, NAME)
        self._limit = options.log_file_max_bytes
        self._scrub = scrub
        self._file: TextIO | None = None
        self._broken = False
        self._inner = self._lines(options)

    def _lines(self, options: Options) -> JsonLines | Stamped:
        if options.log_format_file == "json":
            from understudy.cli.jsonlog import JsonLines

            return JsonLines(self._write, options.log_level_file, self._scrub)
        wording = Wording(threshold=options.log_level_file, debug=True)
        if options.use_colors_file:
            wording.paint = paint_ansi
        return Stamped(self._write, wording)

    def tell(self, event: Event) -> None:
        """Write the event's lines."""
        if isinstance(event, Started) and isinstance(self._inner, Stamped):
            self._write(f"\n===== {datetime.now():%Y-%m-%d %H:%M:%S} | {event.invocation_id} =====\n")
        if isinstance(self._inner, Stamped) and isinstance(event, Printed | Table | Checked):
            plain = event.text if isinstance(event, Printed) else result_text(event, lambda text, style: text)
            self._inner.say(plain, "info")
            return
        self._inner.tell(event)

    def aside(self, write: Callable[[], None]) -> None:
        """Nothing stands in the way."""
        write()

    def close(self) -> None:
        """Write what was to be said at the end."""
        self._inner.close()
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()

    def _write(self, text: str) -> None:
        if self._broken:
            return
        try:
            if self._file is None:
                self._file = self._open()
            self._file.write(self._scrub(text))
            self._file.flush()
        except OSError:
            self._broken = True  # a full disk or a read-only folder must not stop the run

    def _open(self) -> TextIO:
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        if self._limit and os.path.exists(self._path) and os.path.getsize(self._path) >= self._limit:
            names = [self._path, *(f"{self._path}.{number}" for number in range(1, KEPT + 1))]
            for older, newer in reversed(list(zip(names[1:], names, strict=False))):
                if os.path.exists(newer):
                    os.replace(newer, older)
        return open(self._path, "a", encoding="utf-8", errors="backslashreplace")
