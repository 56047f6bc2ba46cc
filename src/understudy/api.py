"""understudy for programs: commands as on the command line, with their results, in the manner of dbt's `dbtRunner`.

    from understudy import Understudy

    result = Understudy().invoke(["build", "--select", "orders+"])

Nothing is global: several invocations may run at once in several threads. The process is never ended, its folder and its
signals are left alone, and nothing is printed unless that is asked for.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from understudy.app.events import (
    Checked,
    ErrorRaised,
    Event,
    Explained,
    Logged,
    NodeFinished,
    NodeStarted,
    Output,
    Planned,
    Printed,
    ReferenceDecided,
    RunFinished,
    Secrets,
    Selected,
    Stage,
    Started,
    Table,
    WarningRaised,
)
from understudy.app.invocation import Outcome
from understudy.app.option_table import options_of
from understudy.app.options import Options
from understudy.cli.console import Console, Sink, log_sinks
from understudy.cli.failures import own_failure
from understudy.cli.run import perform, prepare
from understudy.cli.scrub import Scrubber
from understudy.cli.tree import read_line
from understudy.errors import Cancelled, UnderstudyError, UsageError, did_you_mean
from understudy.execute.results import NodeOutcome, RunResults

__all__ = [
    "Checked", "ErrorRaised", "Event", "Explained", "Logged", "NodeFinished", "NodeOutcome", "NodeStarted", "Output",
    "Planned", "Printed", "ReferenceDecided", "Result", "RunFinished", "RunResults", "Selected", "Stage", "Started", "Table",
    "Understudy", "WarningRaised",
]  # fmt: skip

Callback = Callable[[Event], None]


class Result(msgspec.Struct, frozen=True):
    """What came of an invocation.

    Attributes:
        success: whether the command's exit code is 0.
        results: what the command found or did, see `Understudy.invoke`; None where nothing could be run.
        exception: why nothing could be run. Nodes that fail are no exception: `results` tells of them.
        exit_code: 0 success; 1 a node failed; 2 a usage error, or nothing could be run.
    """

    success: bool
    results: Any = None
    exception: BaseException | None = None
    exit_code: int = 0

    @property
    def result(self) -> Any:
        """dbt's name of `results`."""
        return self.results


class Understudy:
    """Runs commands.

    Args:
        callbacks: told of every event (`understudy.api.NodeFinished` ...) as it comes, one at a time.
        cwd: the folder that relative paths are taken from, and in which the project is looked for; the process' own by
            default.
        environ: the environment; the process' own by default.
        console: whether to print what the command line would print.
    """

    def __init__(
        self,
        callbacks: Iterable[Callback] = (),
        *,
        cwd: str | os.PathLike[str] | None = None,
        environ: Mapping[str, str] | None = None,
        console: bool = False,
    ) -> None:
        self.callbacks = list(callbacks)
        self.cwd = cwd
        self.environ = environ
        self.console = console

    def invoke(self, args: Sequence[str], **options: Any) -> Result:
        """Run one command, given as on the command line; raises nothing.

        Args:
            args: its words, without `understudy`.
            options: more of its options by name, as values: `select=["orders+"], vars={"day": 1}, full_refresh=True`.
        Returns:
            `results` is, by command: a RunResults (build, run, seed, snapshot, test, compile, run-operation), the list of
            lines (list), the manifest (parse), the previews with `columns` and `rows` (show), the catalog (docs generate),
            what sources.json holds (source freshness), a bool (debug), the outline (plan), the explanation (explain), those
            of the command that is taken up (retry), None (others).
        """
        environ = dict(os.environ if self.environ is None else self.environ)
        cwd = os.path.abspath(os.getcwd() if self.cwd is None else self.cwd)
        told = _Told(self.callbacks, Scrubber(environ))
        try:
            outcome = self._run(args, options, environ, cwd, told)
        except UnderstudyError as error:
            told(ErrorRaised(error))
            return Result(False, None, told.clean(error), error.exit_code)
        except KeyboardInterrupt:
            return Result(False, None, Cancelled("Interrupted"), Cancelled.exit_code)
        except Exception as error:  # noqa: BLE001 - the boundary, as that of the command line
            wrapped = own_failure(error)
            told(ErrorRaised(wrapped))
            return Result(False, None, told.clean(wrapped), wrapped.exit_code)
        finally:
            told.close()
        exception = told.error if outcome.exit_code == UnderstudyError.exit_code else None
        return Result(outcome.exit_code == 0, told.clean(outcome.results), exception, outcome.exit_code)

    def _run(
        self, args: Sequence[str], options: Mapping[str, Any], environ: Mapping[str, str], cwd: str, told: _Told
    ) -> Outcome:
        line = read_line([os.fspath(word) for word in args], helpful=False)
        if isinstance(line, int):  # the help was printed
            return Outcome(line)
        resolved, log_folder = prepare(line.command, {**line.given, **_named(line.command, options)}, environ, cwd)
        told.open(resolved, environ, log_folder, console=self.console)
        return perform(resolved, told, environ, cwd)


def _named(command: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options by their name, which may be dbt's (`print`, `resource_type`) or that of `Options`. Raises UsageError."""
    rows = {name: row.name for row in options_of(command) for name in _names(row.name, row.flag)}
    for name in options:
        if name not in rows:
            raise UsageError(f"'{command}' has no option '{name}'", hint=did_you_mean(name, rows))
    return {rows[name]: _words(value) for name, value in options.items() if value is not None}


def _names(name: str, flag: str) -> tuple[str, ...]:
    return name, name.rstrip("_"), flag.lstrip("-").replace("-", "_")


def _words(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | set | frozenset) else value


class _Told:
    """Takes events from any thread and hands them on, without secrets."""

    def __init__(self, callbacks: Iterable[Callback], scrub: Scrubber) -> None:
        self._callbacks, self._scrub = list(callbacks), scrub
        self._lock = threading.RLock()
        self._console: Console | None = None
        self._sinks: list[Sink] = []
        self.error: UnderstudyError | None = None

    def open(self, options: Options, environ: Mapping[str, str], log_folder: str | None, *, console: bool) -> None:
        """Once the options are known: the log file, and the console where it is wanted."""
        if console:
            self._console = Console(options, environ, log_folder, scrub=self._scrub)
        else:
            self._sinks = log_sinks(options, log_folder, self._scrub)

    def __call__(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, Secrets):
                self._scrub.add(event.values)
                return
            event = self._scrub.clean(event)
            if isinstance(event, ErrorRaised):
                self.error = event.error
            if self._console is not None:
                self._console(event)
            for sink in self._sinks:
                sink.tell(event)
            for callback in list(self._callbacks):
                self._call(callback, event)

    def _call(self, callback: Callback, event: Event) -> None:
        """What a callback raises must not end a run in the middle; it is not called again."""
        try:
            callback(event)
        except Exception as error:  # noqa: BLE001 - somebody else's code
            self._callbacks.remove(callback)
            warnings.warn(f"A callback failed and is not called again: {error!r}", RuntimeWarning, stacklevel=2)

    def clean(self, value: Any) -> Any:
        """A result without secrets."""
        if isinstance(value, RunResults):
            results = tuple(replace(each, result=self._scrub.clean(each.result)) for each in value.results)
            return replace(value, results=results)
        return self._scrub.clean(value) if isinstance(value, BaseException | list | tuple) else value

    def close(self) -> None:
        """Nothing more will come."""
        if self._console is not None:
            self._console.close()
        for sink in self._sinks:
            sink.close()
