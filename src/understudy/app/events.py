"""Everything that is told to a person while a command runs. The pipeline makes events; `cli/` turns them into text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from understudy.core.warning import Warning_
from understudy.errors import UnderstudyError

if TYPE_CHECKING:  # only plan and explain need them at run time
    from understudy.execute.outline import Explanation, Outline

Level = Literal["debug", "info", "warn", "error"]
Status = Literal["success", "pass", "warn", "fail", "error", "partial success", "skipped", "no-op"]
"""The `status` of run_results.json (dbt 1.11: RunStatus, TestStatus)."""


class StateInUse(Struct, frozen=True):
    """A state that this run compares with or defers to.

    Attributes:
        label: its name for people, mostly the folder's.
        origin: what named it: `--state`, `DBT_STATE` ...
        environment: the target that wrote it, as far as it is known.
        age: seconds since it was built; None where it does not say.
        nodes: how many nodes it holds that a reference can go to.
        unbuilt: how many nodes are not built there as their code is now.
    """

    label: str
    origin: str
    environment: str | None = None
    age: float | None = None
    nodes: int | None = None
    unbuilt: int = 0


class Started(Struct, frozen=True):
    """The head: who runs, for which target, with which states."""

    version: str
    command: str
    target: str
    engine: str
    states: tuple[StateInUse, ...] = ()
    invocation_id: str = ""


class Stage(Struct, frozen=True):
    """What the pipeline does now, for a person who waits: `Reading 1,000 files`."""

    text: str


class Selected(Struct, frozen=True):
    """What was selected, before anything runs.

    Attributes:
        models: how many models are selected, of `of_models` in the project.
        others: other resources by their type's name: `{"test": 5, "seed": 1}` as pairs.
        criteria: the selection as it was given, empty when there was none.
        deferred: how many references go to a state's relation, and to which schemas (`analytics.prod`).
            kinds, longest: the words and the longest name among the nodes that will run, so that columns line up.
        cloned: how many relations are cloned, and from which schemas.
    """

    models: int
    of_models: int
    others: tuple[tuple[str, int], ...] = ()
    criteria: str = ""
    deferred: int = 0
    deferred_to: tuple[str, ...] = ()
    total: int = 0
    kinds: tuple[str, ...] = ()
    longest: int = 0
    cloned: int = 0
    cloned_from: tuple[str, ...] = ()


class ReferenceDecided(Struct, frozen=True):
    """Where the references to one node go in this run, and why."""

    name: str
    relation: str
    reason: str
    unique_id: str = ""
    used_by: tuple[str, ...] = ()


class NodeStarted(Struct, frozen=True):
    """A node starts. `kind`: table, view, incremental, seed, test ...; `name`: `dev.orders`, or the name of a test."""

    unique_id: str
    kind: str
    name: str
    index: int = 0
    total: int = 0


class NodeFinished(Struct, frozen=True):
    """A node is done.

    Attributes:
        rows: rows written; for a test, failing rows.
        seconds: how long it took.
        message: the reason where it is not plain success: the driver's words, `Got 3 results`, why it was skipped.
        path, line: the file that declares it.
        compiled_path: its compiled SQL, relative to where the user stands.
        failures_relation: where `store_failures` keeps the failing rows.
        hint: the next step.
    """

    unique_id: str
    kind: str
    name: str
    status: Status
    seconds: float
    rows: int | None = None
    message: str = ""
    path: str | None = None
    line: int | None = None
    compiled_path: str | None = None
    failures_relation: str | None = None
    hint: str | None = None
    index: int = 0
    total: int = 0


class WarningRaised(Struct, frozen=True):
    """A warning; the same one is printed once."""

    warning: Warning_


class ErrorRaised(Struct, frozen=True):
    """The command ends with this error."""

    error: UnderstudyError


class RunFinished(Struct, frozen=True):
    """The sum. `stood_in` models were not built because a state's relations stood in; they last took `stood_in_seconds`.

    `stand_in` is what the state's environment is called. The counts are nodes: `built` relations, `cloned` ones and those
    that were `left` alone, tests `passed`, nodes that `warned`, tests `failed`, `errors`, `skipped`.
    """

    seconds: float
    built: int = 0
    passed: int = 0
    warned: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    stood_in: int = 0
    stood_in_seconds: float | None = None
    stand_in: str = "Production"
    interrupted: bool = False
    cloned: int = 0
    left: int = 0


class Output(Struct, frozen=True):
    """A result, for stdout: a line of `list`, compiled SQL, a finding of `debug`."""

    text: str


class Table(Struct, frozen=True):
    """Rows to look at, for stdout (`show`, `seed --show`). An empty title is not printed."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


class Planned(Struct, frozen=True):
    """What a build would do, for stdout."""

    outline: Outline


class Explained(Struct, frozen=True):
    """Why nodes are built and where their references go, for stdout. `aside`: said before a run, with its messages."""

    explanation: Explanation
    aside: bool = False


class Checked(Struct, frozen=True):
    """A finding of the `debug` command, for stdout. `ok` None: just said."""

    subject: str
    finding: str
    ok: bool | None = None


class Printed(Struct, frozen=True):
    """What a template print()s, for stdout."""

    text: str
    node: str | None = None


class Logged(Struct, frozen=True):
    """Anything else: what a template log()s, a statement that was sent, a file that was written."""

    text: str
    level: Level = "debug"
    node: str | None = None


class Secrets(Struct, frozen=True):
    """Values that must never be printed from now on, such as the profile's password. Not told to anybody."""

    values: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Secrets({len(self.values)} values)"


Event = (
    Started
    | Stage
    | Selected
    | ReferenceDecided
    | NodeStarted
    | NodeFinished
    | WarningRaised
    | ErrorRaised
    | RunFinished
    | Output
    | Table
    | Planned
    | Explained
    | Checked
    | Printed
    | Logged
    | Secrets
)


def level(event: Event) -> Level:
    """How severe an event is."""
    match event:
        case ErrorRaised() | NodeFinished(status="fail" | "error" | "partial success"):
            return "error"
        case WarningRaised() | NodeFinished(status="warn"):
            return "warn"
        case Logged(level=given):
            return given
        case Stage() | NodeStarted() | ReferenceDecided() | Secrets():
            return "debug"
        case _:
            return "info"
