"""What templates may reach: the protocols between Jinja and the rest of the engine.

`template` renders; others answer. `Lookups` says where references go (compile/ answers from the Resolution), `Database`
says what the engine holds (execute/ answers over a connection), `MacroContext` is what a built-in macro of `stdlib`
receives as its first argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from understudy.core.batch import Narrowed
from understudy.core.nodes import RefArgs, Version
from understudy.core.relation import Relation, SchemaName
from understudy.core.statement import ColumnType, Result, Script, Statement


class Captured(msgspec.Struct):
    """What one template asked for while it was parsed.

    `config` holds the values of `config()` calls, later over earlier; `unrendered_config` the same keys as source text:
    a literal as its value, anything else as raw Jinja (`{{ var('x') }}`) (dbt 1.11: unrendered_config_call_dict).
    `macros` are unique_ids, `vars` and `env_vars` what was looked up, with values.
    """

    refs: list[RefArgs] = msgspec.field(default_factory=list)
    sources: list[list[str]] = msgspec.field(default_factory=list)
    metrics: list[list[str]] = msgspec.field(default_factory=list)
    functions: list[list[str]] = msgspec.field(default_factory=list)
    config: dict[str, Any] = msgspec.field(default_factory=dict)
    unrendered_config: dict[str, Any] = msgspec.field(default_factory=dict)
    macros: list[str] = msgspec.field(default_factory=list)
    vars: dict[str, Any] = msgspec.field(default_factory=dict)
    env_vars: dict[str, str] = msgspec.field(default_factory=dict)


class Lookups(Protocol):
    """Where the references of one node go, in this run."""

    def ref(self, package: str | None, name: str, version: Version | None) -> Relation | Narrowed:
        """The relation that stands for the node, or the part of it that is read; an ephemeral one as its CTE's name.

        Raises LinkError.
        """

    def source(self, source_name: str, table_name: str) -> Relation | Narrowed:
        """The source's relation, or the part of it that is read. Raises LinkError."""

    def function(self, package: str | None, name: str) -> Relation:
        """The function's qualified name. Raises LinkError."""


class Database(Protocol):
    """What Jinja may ask of the engine while a node is compiled or run, on the node's own connection."""

    def execute(self, statement: Statement | Script) -> Result:
        """Send one statement, or run a Python model. Raises DatabaseError, ExecutionError."""

    def relation(self, database: str | None, schema: str, identifier: str) -> Relation | None:
        """The relation with its type, or None when it is not there."""

    def relations(self, schema: SchemaName) -> Sequence[Relation]:
        """All relations of a schema; raises DatabaseError when it may not be listed."""

    def columns(self, relation: Relation) -> Sequence[ColumnType]:
        """The relation's columns in order; empty when it is not there."""

    def schemas(self, database: str | None) -> Sequence[str]:
        """The names of the schemas."""

    def added(self, relation: Relation) -> None:
        """Note that a relation now exists (what `relation()` answers is kept in step)."""

    def dropped(self, relation: Relation) -> None:
        """Note that a relation is gone."""

    def renamed(self, old: Relation, new: Relation) -> None:
        """Note that a relation has another name."""


class MacroContext(Protocol):
    """What a built-in macro receives: the node being rendered, and the way to other macros.

    `call` resolves names as Jinja would: an override in the root project or a package wins over the built-in, so the
    engine's own machinery calls the override, too. `dispatch` does the same through `adapter.dispatch` rules.
    """

    execute: bool
    target: Mapping[str, Any]
    config: Any
    model: Mapping[str, Any]
    this: Relation | None
    database: Database | None
    dialect: Any
    project_name: str
    materialize: Callable[[str], Mapping[str, Any]] | None
    """Builds the node by a materialization of the engine's own; set while a project's own one runs."""

    def call(self, macro: str, *args: Any, **kwargs: Any) -> Any:
        """Call a macro by name (`generate_schema_name`, or `package.macro`)."""

    def dispatch(self, macro: str, namespace: str | None = None) -> Callable[..., Any]:
        """The implementation that `adapter.dispatch` would find."""

    def variable(self, name: str) -> Any:
        """A name of the Jinja context (`sql`, `pre_hooks`, `flags`, ...), or None."""


BuiltinMacro = Callable[..., Any]
"""A macro of `stdlib`: called as `macro(context: MacroContext, *args, **kwargs)`; returns text or a value."""
