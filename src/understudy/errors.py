"""The error tree of understudy. Every failure that a person can meet is one of these.

    UnderstudyError
    ├── UsageError                 the command line asks for something that cannot be
    │   ├── SelectorError          a selection expression, or selectors.yml
    │   └── StateError             --state, --defer, --defer-state: missing, damaged or unfit state
    │       └── DeferError         a deferred relation is missing, or may not be read
    ├── ProjectError               dbt_project.yml, packages, project layout
    │   ├── ProfileError           profiles.yml, the chosen target
    │   └── ParseError             a file of the project cannot be understood
    │       ├── YamlError          no YAML, a duplicate key, a value of the wrong shape
    │       ├── JinjaError         a template does not compile, or fails while it renders
    │       ├── DuplicateError     two resources claim one name, or one relation
    │       ├── LinkError          a ref, source, group or doc names nothing, or may not be used here
    │       └── CycleError         the graph has a cycle
    ├── ArtifactError              target/ cannot be written, or an artifact cannot be read
    ├── ExecutionError             a node failed while it ran
    │   ├── DatabaseError          the engine refused a statement
    │   │   ├── ConnectionFailed   the engine cannot be reached, or lost the connection
    │   │   ├── PermissionDenied   the engine says that we may not
    │   │   └── DatabaseLocked     another process holds the database
    │   ├── ContractError          the columns are not those that the contract promises
    │   └── Cancelled              interrupted by the user
    └── ErrorList                  several errors of one step, told together

An error says what happened (message), where (place), and what to do next (hint). `code` is stable, for logs and tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple


class Place(NamedTuple):
    """Where something stands: a path as people write it (relative to the project), a line from 1, a node's unique_id."""

    path: str | None = None
    line: int | None = None
    node: str | None = None

    def __str__(self) -> str:
        where = self.path or ""
        if self.path and self.line:
            where = f"{self.path}:{self.line}"
        if self.node:
            where = f"{self.node} ({where})" if where else self.node
        return where


class UnderstudyError(Exception):
    """Base of all errors.

    Args:
        message: what happened, one sentence or a few lines, without a final full stop being required.
        place: file, line and node, as far as they are known.
        hint: the next step for the person, one line.
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Error"
    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, place: Place | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint

    def __str__(self) -> str:
        lines = [f"{self.title}: {self.message}"]
        if self.place is not None and str(self.place):
            lines.append(f"  at {self.place}")
        if self.hint:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)


class UsageError(UnderstudyError):
    """The command line, or an environment variable that stands for it, asks for something that cannot be."""

    code = "usage"
    title = "Usage error"


class SelectorError(UsageError):
    """A selection expression or `selectors.yml` cannot be understood."""

    code = "selector"
    title = "Selection error"


class StateError(UsageError):
    """A state is missing, damaged, of an unreadable version, or the target directory itself."""

    code = "state"
    title = "State error"


class DeferError(StateError):
    """Deferred relations are not where the state says, or may not be read; found before anything runs."""

    code = "defer"
    title = "Deferral error"


class ProjectError(UnderstudyError):
    """The project as a whole cannot be loaded."""

    code = "project"
    title = "Project error"


class ProfileError(ProjectError):
    """`profiles.yml` is missing, or its profile or target is unknown or incomplete."""

    code = "profile"
    title = "Profile error"


class ParseError(ProjectError):
    """A file of the project cannot be understood."""

    code = "parse"
    title = "Parsing error"


class YamlError(ParseError):
    """A YAML file is broken, or a value in it has the wrong shape."""

    code = "yaml"
    title = "YAML error"


class JinjaError(ParseError):
    """A template does not compile, or fails while it renders."""

    code = "jinja"
    title = "Compilation error"


class DuplicateError(ParseError):
    """Two resources claim the same name, or the same relation."""

    code = "duplicate"
    title = "Duplicate name"


class LinkError(ParseError):
    """A ref, source, group or doc names nothing, or names something that may not be used from here."""

    code = "link"
    title = "Unresolved reference"


class CycleError(ParseError):
    """Nodes depend on each other in a circle."""

    code = "cycle"
    title = "Cycle in the graph"


class ArtifactError(UnderstudyError):
    """A file under the target directory cannot be written, or an artifact cannot be read."""

    code = "artifact"
    title = "Artifact error"


class ExecutionError(UnderstudyError):
    """A node failed while it ran. The other nodes go on; the command ends with exit code 1."""

    code = "execution"
    title = "Runtime error"
    exit_code = 1


class DatabaseError(ExecutionError):
    """The engine refused a statement; the driver's words are the message, the driver's error is the cause."""

    code = "database"
    title = "Database error"


class ConnectionFailed(DatabaseError):
    """The engine cannot be reached, or the connection was lost. Before the first node, nothing can be run."""

    code = "connection"
    title = "Connection error"
    exit_code = 2


class PermissionDenied(DatabaseError):
    """The engine says that this user may not do that."""

    code = "permission"
    title = "Permission error"


class DatabaseLocked(DatabaseError):
    """Another process holds the database file: nothing can be run."""

    code = "locked"
    title = "Database locked"
    exit_code = 2


class ContractError(ExecutionError):
    """The columns of a model are not those that its contract promises."""

    code = "contract"
    title = "Contract error"


class Cancelled(ExecutionError):
    """The user interrupted the run."""

    code = "cancelled"
    title = "Cancelled"


class ErrorList(UnderstudyError):
    """Several errors of one step, shown together (a project with three misspelt refs is mended in one go)."""

    code = "errors"

    def __init__(self, errors: Sequence[UnderstudyError]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def raise_all(errors: Sequence[UnderstudyError]) -> None:
    """Raise nothing, the only error, or all of them as one `ErrorList`."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ErrorList(errors)


def did_you_mean(name: str, known: Iterable[str], *, limit: int = 3) -> str | None:
    """A hint that names the nearest known names, or None when none is near."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=limit, cutoff=0.6)
    return f"Did you mean {' or '.join(repr(n) for n in near)}?" if near else None
