"""The entry point: `main(argv)` gives the exit code. 0: success; 1: a node failed; 2: nothing could be run."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (`sys.argv` unless given) and return its exit code. Re-entrant; raises nothing."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if len(arguments) == 1 and arguments[0] in ("--version", "-v", "-V"):
            from understudy.cli.version import version_text

            sys.stdout.write(version_text() + "\n")
            return 0
        from understudy.cli.tree import run_line

        with ending_alike():
            code = run_line(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads us, such as `head`, has seen enough
        _silence(sys.stdout)
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted\n")
        return 1


def program() -> int:
    """`main`, after which the process ends: the system takes its memory back, so nobody need look through it for garbage."""
    code = main()
    if "_duckdb" not in sys.modules:  # its binding tells the terminal of every object that is left over
        gc.freeze()  # a tenth of the time of a short command
    return code


@contextlib.contextmanager
def ending_alike() -> Iterator[None]:
    """SIGTERM, which schedulers and containers send, ends a run as Ctrl-C does. Elsewhere than in the main thread it cannot."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _silence(stream: object) -> None:
    """Let the interpreter's last flush go nowhere, instead of complaining about the pipe."""
    fileno = getattr(stream, "fileno", None)
    if fileno is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, fileno())
        os.close(null)
