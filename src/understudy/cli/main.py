"""The entry point: `main(argv)` gives the exit code. 0: success; 1: a node failed; 2: nothing could be run."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence

SELDOM = (50_000, 1_000, 100)
"""When garbage is looked for. What a parse makes stays until the end, so looking at it again and again is in vain: a fifth
of the time of a parse. What templates leave behind in circles is still found: it is young when it is garbage, so older
generations are looked at once in a long while only.
"""


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


def program() -> None:
    """`main` as a process of its own, which ends here: memory is handed back to the system as it is, and not looked through before."""
    gc.set_threshold(*SELDOM)
    code = main()
    if threading.active_count() > 1:  # somebody else's, whose end Python waits for
        sys.exit(code)
    # What is below is Python's own end, but for the search for garbage, which takes a sixth of a slim build.
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


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
