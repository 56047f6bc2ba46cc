"""Events as text. The terminal, plain output and the log file all say the same words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator

import msgspec

from understudy.app.events import (
    Checked,
    ErrorRaised,
    Event,
    Explained,
    Level,
    Logged,
    NodeFinished,
    NodeStarted,
    ReferenceDecided,
    RunFinished,
    Selected,
    Stage,
    Started,
    StateInUse,
    Table,
    WarningRaised,
    level,
)
from understudy.cli.words import ago, count, duration, enumerate_words, harmless, shorten
from understudy.errors import ErrorList, UnderstudyError

RANKS = {"debug": 0, "info": 1, "warn": 2, "error": 3, "none": 4}
WORDS = {
    "success": "OK", "pass": "PASS", "warn": "WARN", "fail": "FAIL", "error": "ERROR", "skipped": "SKIP", "no-op": "NO-OP",
    "partial success": "PART",
}  # fmt: skip
STYLES = {"good": "32", "warn": "33", "bad": "1;31", "dim": "2", "bold": "1"}
STATUS_STYLE = {
    "OK": "good",
    "PASS": "good",
    "WARN": "warn",
    "FAIL": "bad",
    "ERROR": "bad",
    "SKIP": "dim",
    "NO-OP": "dim",
    "PART": "bad",
}
SAME_WARNINGS = 5
"""As many warnings of one name are printed, and one deprecated spelling of a kind; the rest is counted."""
SAME_ERRORS = 20
NAME_WIDTH = (24, 60)


def _paint_nothing(text: str, style: str) -> str:
    return text


def paint_ansi(text: str, style: str) -> str:
    """Text in one of STYLES, by the codes that terminals know."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if text else text


class Wording(msgspec.Struct):
    """What is said of each event. It remembers what is told together at the end: failures, and warnings by name.

    Attributes:
        threshold: the least severe level that is told.
        debug: whether errors bring their traceback, and all warnings are told.
        all_deprecations: whether more than the first warning of each deprecated spelling is told.
        width: how wide a line may be; None: as wide as it needs.
        head: whether the two lines that say who runs what are told.
    """

    threshold: str = "info"
    debug: bool = False
    all_deprecations: bool = False
    width: int | None = None
    head: bool = True
    paint: Callable[[str, str], str] = _paint_nothing
    _kind: int = 8
    _name: int = 36
    _failures: list[NodeFinished] = msgspec.field(default_factory=list)
    _warnings: Counter[str] = msgspec.field(default_factory=Counter)
    _told: set[str] = msgspec.field(default_factory=set)

    def shows(self, event_level: Level) -> bool:
        """Whether events of that level are told."""
        return RANKS[event_level] >= RANKS[self.threshold]

    def text(self, event: Event) -> str:
        """The lines for an event, without the last line's end; empty: nothing is to be said."""
        return "\n".join(self._lines(event))

    def rest(self) -> str:
        """What has not been said when the command ends early: the failures so far."""
        return "\n".join(self._details()) if self.shows("error") else ""

    def _lines(self, event: Event) -> Iterator[str]:
        match event:
            case NodeFinished():
                yield from self._finished(event)
            case RunFinished():
                yield from self._sum(event)
            case Selected():
                self._columns(event)
                if self.shows("info") and self.head:
                    yield from (self._selected(event), "")
            case WarningRaised():
                yield from self._warning(event)
            case _ if not self.shows(level(event)):
                return
            case Started():
                if self.head:
                    yield self._head(event)
            case ErrorRaised(error=error):
                yield from self._error(error)
            case Explained():
                from understudy.cli.plan_text import plan_text

                yield plan_text(event, self.paint, self.width or 120) + "\n"
            case Stage(text=text):
                yield self.paint(text, "dim")
            case NodeStarted(kind=kind, name=name):
                yield self.paint(f"  START {kind:<{self._kind}}{harmless(name)}", "dim")
            case ReferenceDecided(name=name, relation=relation, reason=reason):
                yield self.paint(f"ref {name} -> {harmless(relation)} ({reason})", "dim")
            case Logged(text=text, level=given):
                words = harmless(text)
                yield (
                    self.paint(words, {"error": "bad", "warn": "warn", "debug": "dim"}[given])
                    if given != "info"
                    else words
                )
            case _:
                return

    # The head

    def _head(self, event: Started) -> str:
        parts = [f"{self.paint('understudy', 'bold')} {event.version}", f"target {event.target} ({event.engine})"]
        parts += [f"state {describe_state(state)}" for state in event.states]
        return " · ".join(parts)

    def _selected(self, event: Selected) -> str:
        part = event.models != event.of_models
        counts = [f"{event.models} of {count(event.of_models, 'model')}" if part else count(event.models, "model")]
        if not event.models and any(number for _, number in event.others):
            counts = []
        counts += [count(number, kind) for kind, number in event.others if number]
        criteria = f" ({harmless(event.criteria)})" if event.criteria else ""
        text = f"Selected {enumerate_words(counts)}{criteria}"
        if event.deferred:
            text += f" · {count(event.deferred, 'reference')} deferred to {harmless(', '.join(event.deferred_to))}"
        if event.cloned:
            text += f" · {event.cloned} cloned from {harmless(', '.join(event.cloned_from))}"
        return text

    def _columns(self, event: Selected) -> None:
        """Measure the columns, so that all lines of this run stand under each other."""
        self._kind = max((len(kind) for kind in event.kinds), default=5) + 3
        least, most = NAME_WIDTH
        if self.width is not None:  # 2 + 6 before the kind; 16 for rows and 10 for seconds behind the name
            most = max(12, self.width - 34 - self._kind)
        self._name = min(max(event.longest, least), most)

    # Nodes

    def _finished(self, event: NodeFinished) -> Iterator[str]:
        if event.status in ("fail", "error", "partial success", "warn"):
            self._failures.append(event)
        if not self.shows("info"):
            return
        word = WORDS[event.status]
        name = harmless(event.name)
        name = shorten(name, self._name) if self.width is not None else name
        left = f"  {self.paint(word, STATUS_STYLE[word])}{' ' * (6 - len(word))}{event.kind:<{self._kind - 2}}  "
        if event.status == "skipped" or (event.status == "no-op" and event.message):
            note = harmless(event.message).removeprefix("No-op: ").split("\n")[0]
            note = shorten(note, 24 if self.width is not None else 200)
            yield f"{left}{name:<{self._name}}  {self.paint(note, 'dim')}".rstrip()
            return
        rows = (
            ""
            if event.rows is None or event.status == "pass"
            else f"{event.rows:,} {'row' if event.rows == 1 else 'rows'}"
        )
        seconds = f"{duration(event.seconds):>8}"
        yield f"{left}{name:<{self._name}}  {rows:>14}  {self.paint(seconds, 'dim')}"

    def _details(self) -> Iterator[str]:
        """Each failure and each test that warned: where, what, and the SQL to look at."""
        failures, self._failures = self._failures, []
        failures = [each for each in failures if self.shows(level(each))]
        if failures:
            yield ""
        for event in sorted(failures, key=lambda each: each.status == "warn", reverse=True):
            word = WORDS[event.status]
            place = f"{event.path}:{event.line}" if event.path and event.line else event.path or ""
            where = f" ({harmless(place)})" if place else ""
            yield f"{self.paint(word, STATUS_STYLE[word])}  {self.paint(harmless(event.unique_id), 'bold')}{where}"
            yield from (f"  {line}" for line in harmless(event.message).strip().split("\n"))
            if event.hint:
                yield f"  {harmless(event.hint)}"
            if event.failures_relation:
                yield f"  failing rows: {harmless(event.failures_relation)}"
            if event.compiled_path:
                yield f"  compiled SQL: {harmless(event.compiled_path)}"
            yield ""

    # The end

    def _sum(self, event: RunFinished) -> Iterator[str]:
        details = list(self._details())
        yield from details
        if not self.shows("info"):
            return
        if not details and self.head:
            yield ""
        yield from self._more_warnings()
        bad = event.failed or event.errors
        word = "Interrupted" if event.interrupted else "Failed" if bad else "Done"
        style = "bad" if bad or event.interrupted else "warn" if event.warned else "good"
        counts = [
            f"{number} {what}"
            for number, what in (
                (event.built, "built"),
                (event.cloned, "cloned"),
                (event.left, "left alone"),
                (event.passed, "passed"),
                (event.warned, "warned"),
                (event.failed, "failed"),
                (event.errors, "error" if event.errors == 1 else "errors"),
                (event.skipped, "skipped"),
            )
            if number
        ]
        after = "after" if event.interrupted else "in"
        text = f"{self.paint(word, style)} {after} {duration(event.seconds)}: {', '.join(counts) or 'nothing to do'}."
        if event.stood_in:
            took = event.stood_in_seconds
            last = f" (last built there in {duration(took)})" if took is not None else ""
            text += f" {event.stand_in} stood in for {count(event.stood_in, 'model')}{last}."
        yield text

    # Warnings and errors

    def _warning(self, event: WarningRaised) -> Iterator[str]:
        warning = event.warning
        message = f"{harmless(warning.message)} ({warning.name})"
        where = str(warning.place) if warning.place else ""
        if not self.shows("warn") or (key := f"{message}\0{where}") in self._told:
            return
        self._told.add(key)
        self._warnings[warning.name] += 1
        if self._warnings[warning.name] > self._shown_of(warning.name):
            return
        yield f"{self.paint('Warning:', 'warn')} {message}"
        if where:
            yield f"  at {harmless(where)}"

    def _shown_of(self, name: str) -> float:
        """How many warnings of one name are told."""
        deprecated = name.endswith("Deprecation")
        if self.debug or (deprecated and self.all_deprecations):
            return math.inf
        return 1 if deprecated else SAME_WARNINGS

    def _more_warnings(self) -> Iterator[str]:
        over = {name: number - self._shown_of(name) for name, number in self._warnings.items()}
        more = {name: int(number) for name, number in over.items() if number > 0}
        if more:
            names = ", ".join(f"{name} ({number})" for name, number in more.items())
            yield f"{self.paint('Warning:', 'warn')} more of the kind: {names}; --debug shows all"

    def _error(self, error: UnderstudyError) -> Iterator[str]:
        errors = error.errors if isinstance(error, ErrorList) else (error,)
        shown = errors if self.debug else errors[:SAME_ERRORS]
        if self.debug:
            import traceback

            yield self.paint(harmless("".join(traceback.format_exception(error)).rstrip()), "dim")
        for each in shown:
            title, _, text = harmless(str(each)).partition(":")
            yield f"{self.paint(f'{title}:', 'bad')}{text}"
        if len(shown) < len(errors):
            yield f"... and {count(len(errors) - len(shown), 'error')} more; --debug shows all"


def describe_state(state: StateInUse) -> str:
    """`prod-artifacts: production, built 2 h ago, 14 nodes`."""
    facts = [harmless(state.environment)] if state.environment else []
    if state.age is not None:
        facts.append(f"built {ago(state.age)}")
    if state.nodes is not None:
        facts.append(count(state.nodes, "node"))
    if state.unbuilt:
        facts.append(f"{state.unbuilt} not built as they are now")
    return f"{harmless(state.label)}: {', '.join(facts)}" if facts else harmless(state.label)


def result_text(event: Table | Checked, paint: Callable[[str, str], str]) -> str:
    """A result of more than plain text, for stdout."""
    if isinstance(event, Table):
        return table_text(event)
    mark = {True: paint("OK", "good"), False: paint("FAIL", "bad"), None: "  "}[event.ok]
    pad = " " * (4 - len({True: "OK", False: "FAIL", None: "  "}[event.ok]))
    return f"{mark}{pad} {event.subject:<20} {harmless(event.finding)}".rstrip()


def table_text(table: Table) -> str:
    """Rows under their column names, numbers to the right."""
    cells = [
        [harmless("" if value is None else str(value)).replace("\n", "\\n") for value in row] for row in table.rows
    ]
    widths = [max(len(text) for text in column) for column in zip(table.columns, *cells, strict=True)]
    numeric = [all(isinstance(row[i], int | float) for row in table.rows) for i in range(len(widths))]
    lines = [table.columns, ["-" * width for width in widths], *cells]
    rows = [
        " | ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([*([table.title] if table.title else ()), *rows, ""])
