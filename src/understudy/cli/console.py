"""Where events go: the screen (plain lines, a live block, or JSON), the log file, and stdout for results."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Protocol, TextIO

from understudy.app.events import Checked, Event, Explained, Output, Planned, Printed, Secrets, Table
from understudy.app.options import PROJECT_FLAGS, Options
from understudy.cli.scrub import Scrubber
from understudy.cli.wording import Wording, paint_ansi, result_text

HEADLESS = ("list", "clean", "debug")
"""Commands whose output is what people want to see, and nothing around it."""


class Sink(Protocol):
    """Something that is told events."""

    def tell(self, event: Event) -> None:
        """One event."""

    def aside(self, write: Callable[[], None]) -> None:
        """Do `write`, which writes to the terminal past this sink."""

    def close(self) -> None:
        """Nothing more will come."""


class Console:
    """Takes events from any thread, and gives each to the screen and to the log file. Results go to stdout."""

    def __init__(
        self,
        options: Options,
        environ: Mapping[str, str],
        log_folder: str | None = None,
        *,
        scrub: Scrubber | None = None,
    ) -> None:
        self._lock = threading.RLock()
        self._scrub = scrub or Scrubber(environ)
        self._options = options
        self._out = writer(sys.stdout, self._scrub, flush=sys.stdout.isatty())
        self._out_paint = painter(options, sys.stdout, environ)
        self._sinks: list[Sink] = [_screen(options, sys.stderr, environ, self._scrub)]
        self._sinks += log_sinks(options, log_folder, self._scrub)

    def __call__(self, event: Event) -> None:
        """Tell one event."""
        with self._lock:
            match event:
                case Secrets(values=values):
                    self._scrub.add(values)
                    return
                case Output(text=text):
                    self._result(text)
                    return  # on stdout alone: `list` has as many as there are nodes
                case Printed(text=text) if self._options.print_:
                    self._result(text)
                case Planned() | Explained(aside=False):
                    from understudy.cli.plan_text import plan_text

                    self._result(plan_text(event, self._out_paint, self._width()))
                    return
                case Table() | Checked():
                    self._result(result_text(event, self._out_paint))
            for sink in self._sinks:
                sink.tell(event)

    def _width(self) -> int:
        """How wide a result may be: the terminal, or what suits a log."""
        wish = self._options.printer_width
        return wish or (terminal_size().columns if sys.stdout.isatty() else 120)

    def _result(self, text: str) -> None:
        self._sinks[0].aside(lambda: self._out(text + "\n"))

    def close(self) -> None:
        """Say what is left to say, and give the terminal back."""
        with self._lock:
            sinks, self._sinks = self._sinks, []
        sys.stdout.flush()
        for sink in sinks:
            sink.close()


class Plain:
    """Plain lines, as they come."""

    def __init__(self, write: Callable[[str], None], wording: Wording) -> None:
        self._write, self._wording = write, wording

    def tell(self, event: Event) -> None:
        """Write the event's lines."""
        if text := self._wording.text(event):
            self._write(text + "\n")

    def aside(self, write: Callable[[], None]) -> None:
        """Nothing stands in the way."""
        write()

    def close(self) -> None:
        """Write what was to be said at the end."""
        if text := self._wording.rest():
            self._write(text + "\n")


def terminal_size() -> os.terminal_size:
    """How large the terminal is; asked for by few, and `shutil` brings half of the archives' modules."""
    from shutil import get_terminal_size

    return get_terminal_size()


def _screen(options: Options, stream: TextIO, environ: Mapping[str, str], scrub: Scrubber) -> Sink:
    """The sink for stderr that suits the options and the terminal."""
    write = writer(stream, scrub)
    if options.log_format == "json":
        from understudy.cli.jsonlog import JsonLines

        return JsonLines(write, threshold(options), scrub)
    interactive = is_terminal(stream, environ)
    wording = Wording(
        threshold=threshold(options),
        debug=options.debug,
        all_deprecations=options.show_all_deprecations,
        width=options.printer_width or (terminal_size().columns if interactive else None),
        head=options.command not in HEADLESS,
    )
    painted = painter(options, stream, environ)
    wording.paint = painted
    if options.log_format == "debug":
        from understudy.cli.logfile import Stamped

        return Stamped(write, wording)
    if interactive and not options.debug and wording.shows("info"):
        from understudy.cli.live import Live

        return Live(stream, write, wording, colors=painted is paint_ansi)
    return Plain(write, wording)


def threshold(options: Options) -> str:
    """The least severe level to print: `-d` and `-q` beat `--log-level`."""
    return "debug" if options.debug else "error" if options.quiet else options.log_level


def is_terminal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether a person looks at the stream, on something that can move its cursor."""
    return stream.isatty() and environ.get("TERM", "") not in ("", "dumb")


def painter(options: Options, stream: TextIO, environ: Mapping[str, str]) -> Callable[[str, str], str]:
    """Colours or none: an explicit option, then NO_COLOR, then FORCE_COLOR, then whether it is a terminal.

    `use_colors: true` in dbt_project.yml is no wish for control codes in files.
    """
    wish, origin = options.use_colors, options.origin("use_colors")
    if wish is False or (wish and origin.startswith("--")):
        on = wish
    elif environ.get("NO_COLOR"):
        on = False
    elif environ.get("FORCE_COLOR") or (wish and origin != PROJECT_FLAGS):
        on = True
    else:
        on = is_terminal(stream, environ)
    return paint_ansi if on else lambda text, style: text


def writer(stream: TextIO, scrub: Scrubber, *, flush: bool = True) -> Callable[[str], None]:
    """Writes text without secrets; a letter that the stream cannot encode is spelt out."""

    def write(text: str) -> None:
        text = scrub(text)
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        if flush:
            stream.flush()

    return write


def log_sinks(options: Options, folder: str | None, scrub: Scrubber) -> list[Sink]:
    """The log file, where one is wanted."""
    if folder is None or options.log_level_file == "none":
        return []
    from understudy.cli.logfile import LogFile

    return [LogFile(options, folder, scrub)]
