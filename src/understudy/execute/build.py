"""What a materialization is given, what it returns, and how it is driven."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol

import msgspec

from understudy.core.nodes import Node
from understudy.core.relation import Relation
from understudy.core.statement import Request, Result, Script, Statement
from understudy.defer.clones import Clone
from understudy.sql.dialect import Dialect
from understudy.template.macros import Found

Steps = Generator[Request, Result, "Outcome"]

BEGIN = Statement("begin", purpose="begin")
COMMIT = Statement("commit", purpose="commit")
BOTH = frozenset({"pre-hook", "post-hook"})


class Macros(Protocol):
    """The node's templates: template.Session. `results` holds what its statements stored.

    `materializes`: they may run Python.
    """

    results: dict[str, Any]
    materializes: bool
    materialize: Callable[[str], Mapping[str, Any]] | None

    @property
    def model(self) -> Mapping[str, Any]:
        """The node as a dict, as the project's own macros get it."""

    def variable(self, name: str) -> Any:
        """A name of the context, or None."""

    def call(self, macro: str, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, the project's own before ours."""

    def render(self, text: str) -> str:
        """Render a template in the node's context."""

    def call_found(self, found: Found, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro that was found by other rules than those of `call`."""

    def materialization(self, name: str, of_engine: frozenset[str], built_in: frozenset[str]) -> Found | None:
        """The project's own macro for a materialization; None: ours."""

    def overridden(self, macro: str) -> bool:
        """Whether the project or a package does itself what a macro of ours does."""


class SeedFile(msgspec.Struct, frozen=True):
    """A CSV file that was looked at: its path, (name, kind of values) of each column, the number of rows."""

    path: str
    columns: tuple[tuple[str, str], ...]
    rows: int
    delimiter: str = ","


class Build(msgspec.Struct, frozen=True):
    """One node to be materialized.

    `sql` is compiled, of a Python model its script; `root` is the folder of its package. `existing` is what stands under the
    node's name now, with its type; `leftovers` are relations that a killed run left under its temporary names.
    """

    node: Node
    this: Relation
    sql: str
    macros: Macros
    dialect: Dialect
    existing: Relation | None = None
    leftovers: tuple[Relation, ...] = ()
    transactions: bool = True
    root: str = ""
    seed: SeedFile | None = None
    store_failures: bool = False
    hooks: frozenset[str] = BOTH
    """The kinds of hooks that run: of a microbatch model's batches the first has the one, the last the other."""
    extends: bool = False
    """Whether it is a batch after the first, which adds to the table even where a full refresh was asked for."""
    added: Callable[[Relation], None] = lambda relation: None
    """Told of a relation as soon as it stands, before the transaction ends: macros may ask for its columns."""
    clone: Clone | None = None
    """What is cloned instead of building."""
    limit: int | None = None
    """As many rows are cloned; None: all."""
    commits: bool = True
    """Whether the transaction ends with it: not where something else belongs into the same one."""

    @property
    def config(self) -> Mapping[str, Any]:
        """The node's config."""
        return self.node.config

    @property
    def is_python(self) -> bool:
        """Whether its rows come from a Python model."""
        return getattr(self.node, "language", "sql") == "python"

    def request(self, text: str, purpose: str) -> Request:
        """What sends the text of a macro that creates a table of the node's rows."""
        if self.is_python:
            return Script(text, self.node.original_file_path, self.root, self.node.unique_id, purpose)
        return Statement(text, purpose=purpose)


class Outcome(msgspec.Struct, frozen=True):
    """What a materialization left: the main statement with its result, and the relations that exist now."""

    result: Result
    sql: str
    relations: tuple[Relation, ...] = ()


def sender(macros: Macros, send: Callable[[Request], Result]) -> Callable[[Request], Result]:
    """`send`, or the way by the project's own macro `statement` where it has one."""
    if not macros.overridden("statement"):
        return send

    def by_macro(request: Request) -> Result:
        if not isinstance(request, Statement) or request.purpose in ("begin", "commit"):
            return send(request)
        name = request.purpose or "_"
        macros.results.pop(name, None)
        macros.call(
            "statement",
            name,
            fetch_result=request.fetch,
            auto_begin=request.in_transaction,
            caller=lambda: request.sql,
        )
        stored = macros.results.get(name)
        return Result() if stored is None else stored.result

    return by_macro


def drive(steps: Steps, send: Callable[[Request], Result]) -> Outcome:
    """Send what a generator yields until it ends. An error of `send` is thrown into it, and out of it again."""
    try:
        request = next(steps)
        while True:
            try:
                result = send(request)
            except Exception as error:  # noqa: BLE001 - the generator decides
                request = steps.throw(error)
            else:
                request = steps.send(result)
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome
