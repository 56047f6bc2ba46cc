"""The live block of a terminal: a progress bar, what runs now and for how long; finished nodes scroll above it.

A thread of its own draws it a few times a second, and imports rich only when a run lasts long enough to be watched.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

import msgspec

from understudy.app.events import Event, NodeFinished, NodeStarted, RunFinished, Selected, Stage, level
from understudy.cli.wording import Wording
from understudy.cli.words import count, duration, harmless, shorten

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live as RichLive

PATIENCE = 0.3
"""Seconds before the block is shown: a run that is over by then was no wait."""
PERIOD = 0.1
SHOWN = 8
"""As many running nodes are named."""
BAR = 28


class Progress(msgspec.Struct):
    """What the block shows."""

    stage: str = ""
    total: int = 0
    done: int = 0
    failed: int = 0
    started: float = 0.0


class Live:
    """A sink for a terminal."""

    def __init__(self, stream: TextIO, write: Callable[[str], None], wording: Wording, *, colors: bool) -> None:
        self._stream, self._write, self._wording, self._colors = stream, write, wording, colors
        self._lock = threading.RLock()
        self._pending: list[str] = []
        self._running: dict[str, tuple[NodeStarted, float]] = {}
        self._progress = Progress(started=time.monotonic())
        self._block: RichLive | None = None
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def tell(self, event: Event) -> None:
        """Take note of the event, and write its lines above the block."""
        with self._lock:
            self._note(event)
            if (text := self._wording.text(event)) or (isinstance(event, Selected) and self._wording.head):
                self._pending.append(text)
                if self._block is None:
                    self._flush()
        if isinstance(event, RunFinished):
            self._stop()

    def aside(self, write: Callable[[], None]) -> None:
        """Take the block away and write; the next picture brings it back."""
        with self._lock:
            self._wipe()
            self._flush()
            write()

    def close(self) -> None:
        """Take the block away for good, and say what is left to say."""
        self._stop()
        if text := self._wording.rest():
            self._write(text + "\n")

    def _note(self, event: Event) -> None:
        progress = self._progress
        match event:
            case Stage(text=text):
                progress.stage = text
                self._start()
            case Selected(total=total):
                progress.total, progress.stage = total, ""
            case NodeStarted():
                self._running[event.unique_id] = (event, time.monotonic())
                progress.total = progress.total or event.total
                progress.stage = ""
                self._start()
            case NodeFinished():
                self._running.pop(event.unique_id, None)
                progress.done += 1
                progress.failed += level(event) == "error"

    def _start(self) -> None:
        if self._thread is None and not self._over.is_set():
            self._thread = threading.Thread(target=self._draw, name="live", daemon=True)
            self._thread.start()

    def _stop(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.aside(lambda: None)

    def _draw(self) -> None:
        if self._over.wait(PATIENCE):
            return
        from rich.console import Console
        from rich.live import Live as RichLive

        console = Console(
            file=cast(IO[str], self._paper()),
            force_terminal=True,
            no_color=not self._colors,
            highlight=False,
            legacy_windows=False,
        )
        while not self._over.wait(PERIOD):
            with self._lock:
                if self._pending:
                    self._wipe()
                    self._flush()
                if self._block is None:
                    self._block = RichLive(
                        console=console,
                        transient=True,
                        auto_refresh=False,
                        redirect_stdout=False,
                        redirect_stderr=False,
                    )
                    self._block.start()
                self._block.update(self._picture(console.width), refresh=True)

    def _paper(self) -> SimpleNamespace:
        """The stream as rich sees it: what it writes goes the way of all text, so that secrets are taken out."""
        encoding = self._stream.encoding or "utf-8"
        return SimpleNamespace(write=self._write, flush=self._stream.flush, isatty=lambda: True, encoding=encoding)

    def _wipe(self) -> None:
        """Take the block off the screen. Our lines are written without rich: they keep their codes, and secrets go."""
        if self._block is not None:
            self._block.stop()
            self._block = None

    def _flush(self) -> None:
        """Write the lines that wait. The block must not stand."""
        if self._pending:
            self._write("\n".join(self._pending) + "\n")
            self._pending.clear()

    def _picture(self, width: int) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        progress, now = self._progress, time.monotonic()
        elapsed = duration(now - progress.started)
        if not progress.total:
            return Text(f"  {progress.stage or 'Working'} · {elapsed}", style="dim", no_wrap=True, overflow="ellipsis")
        line = Table.grid(padding=(0, 1))
        text = f" {progress.done} of {count(progress.total, 'node')} · {elapsed}"
        style = "red" if progress.failed else "green"
        bar: Any = ProgressBar(
            total=progress.total,
            completed=progress.done,
            width=min(BAR, max(width - 40, 5)),
            complete_style=style,
            finished_style=style,
        )
        bad = Text(f"· {progress.failed} failed", style="red") if progress.failed else Text()
        line.add_row(Text(" "), bar, Text(text, no_wrap=True), bad)
        return Group(Text(), line, *(Text(each, style="dim", no_wrap=True) for each in self._now(width, now)))

    def _now(self, width: int, now: float) -> Iterator[str]:
        """A line for each node that runs, the longest-running first."""
        running = sorted(self._running.values(), key=lambda each: each[1])
        for event, since in running[:SHOWN]:
            seconds = duration(now - since)
            name = shorten(harmless(event.name), max(width - 26 - len(seconds), 10))
            yield f"  ... {event.kind:<12} {name}  {seconds}"
        if len(running) > SHOWN:
            yield f"  ... and {len(running) - SHOWN} more"
