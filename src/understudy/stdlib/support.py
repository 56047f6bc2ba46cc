"""What the built-in macros share: registration, dispatch, and reading the values that Jinja hands over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from understudy.core.statement import Result, Statement
from understudy.errors import ExecutionError
from understudy.template.objects import unwrap as as_relation
from understudy.template.scope import BuiltinMacro, Database, MacroContext


class Table(dict[str, BuiltinMacro]):
    """The macros of one module by name; used as a decorator it adds one, under its function's name or another."""

    def __call__(self, function: BuiltinMacro) -> BuiltinMacro:
        self[function.__name__] = function
        return function

    def named(self, name: str) -> Callable[[BuiltinMacro], BuiltinMacro]:
        """Add a macro whose name Python does not allow or already uses (`except`, `cast`)."""

        def add(function: BuiltinMacro) -> BuiltinMacro:
            self[name] = function
            return function

        return add

    def dispatched(self, *names: str) -> None:
        """Add macros that only hand over to the implementation that `adapter.dispatch` finds."""
        for name in names:
            self[name] = _dispatcher(name)


def _dispatcher(name: str) -> BuiltinMacro:
    def call(ctx: MacroContext, *args: Any, **kwargs: Any) -> Any:
        return ctx.dispatch(name, "dbt")(*args, **kwargs)

    call.__name__ = name
    return call


def field(value: Any, name: str) -> Any:
    """A field of a node that is a mapping or an object; None when it has no such field."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def names_of(columns: Any) -> list[str]:
    """The names of columns, however they come: texts, column objects of Jinja, or ColumnType."""
    return [column if isinstance(column, str) else str(column.name) for column in columns]


def flag(ctx: MacroContext, name: str) -> Any:
    """A flag of the run (`FULL_REFRESH`), or None."""
    flags = ctx.variable("flags")
    return field(flags, name) if flags is not None else None


def database_of(ctx: MacroContext) -> Database:
    """The engine; raises ExecutionError where a macro needs one and there is none (parsing, `compile` offline)."""
    if ctx.database is None:
        raise ExecutionError("This macro asks the database, which is not connected here")
    return ctx.database


def send(ctx: MacroContext, sql: str, purpose: str, *, fetch: bool = False) -> Result:
    """Send one statement on the node's connection."""
    return database_of(ctx).execute(Statement(sql, fetch=fetch, purpose=purpose))


def quoted_name(ctx: MacroContext, column: Mapping[str, Any]) -> str:
    """A column's name as the properties want it: quoted where they say `quote: true`."""
    return quoted(ctx, str(column["name"])) if column.get("quote") else str(column["name"])


def quoted(ctx: MacroContext, name: str) -> str:
    """A name in the engine's quotes."""
    character = ctx.dialect.quote_character
    return f"{character}{name.replace(character, character * 2)}{character}"


__all__ = ["Table", "as_relation", "database_of", "field", "flag", "names_of", "quoted", "quoted_name", "send"]
