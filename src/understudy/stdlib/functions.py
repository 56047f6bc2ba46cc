"""User-defined functions: the statement that makes one (dbt 1.11: materializations/functions)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from understudy.errors import ExecutionError
from understudy.stdlib.support import Table, as_relation
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("scalar_function_sql", "scalar_function_create_replace_signature_sql", "scalar_function_body_sql")
macro.dispatched("formatted_scalar_function_args_sql", "scalar_function_volatility_sql", "table_function_sql")
macro.dispatched("function_execute_build_sql", "unsupported_volatility_warning")

VOLATILITY = {"deterministic": "IMMUTABLE", "stable": "STABLE", "non-deterministic": "VOLATILE"}


def _body(ctx: MacroContext) -> str:
    return str(ctx.variable("compiled_code") or "").strip()


def _arguments(ctx: MacroContext) -> Sequence[Mapping[str, Any]]:
    arguments: Sequence[Mapping[str, Any]] = ctx.model.get("arguments") or []
    return arguments


def _with_default(argument: Mapping[str, Any], text: str, sign: str) -> str:
    default = argument.get("default_value")
    return text if default is None else f"{text} {sign} {default}"


@macro
def default__scalar_function_sql(ctx: MacroContext, target_relation: Any) -> str:
    """The signature, then the body."""
    signature = str(ctx.call("scalar_function_create_replace_signature_sql", target_relation)).strip()
    return f"{signature}\n{str(ctx.call('scalar_function_body_sql')).strip()}"


@macro
def default__scalar_function_create_replace_signature_sql(ctx: MacroContext, target_relation: Any) -> str:
    """Name, arguments, type and volatility."""
    arguments = str(ctx.call("formatted_scalar_function_args_sql")).strip()
    volatility = str(ctx.call("scalar_function_volatility_sql")).strip()
    return (
        f"CREATE OR REPLACE FUNCTION {as_relation(target_relation).render()} ({arguments})\n"
        f"RETURNS {(ctx.model.get('returns') or {}).get('data_type')}\n{volatility}\nAS"
    )


@macro
def default__formatted_scalar_function_args_sql(ctx: MacroContext) -> str:
    """Names and types, with defaults."""
    return ", ".join(_with_default(each, f"{each['name']} {each['data_type']}", "DEFAULT") for each in _arguments(ctx))


@macro
def default__scalar_function_body_sql(ctx: MacroContext) -> str:
    """An expression, or a query of one value."""
    body = _body(ctx)
    return f"$$\n{body if _is_query(body) else f'select {body}'}\n$$ LANGUAGE SQL"


def _is_query(body: str) -> bool:
    return body.split(None, 1)[:1] != [] and body.split(None, 1)[0].lower() in ("select", "with")


@macro
def default__scalar_function_volatility_sql(ctx: MacroContext) -> str:
    """The engine's word for how far results hang on the arguments alone; nothing where nothing is said."""
    return _volatility(ctx, VOLATILITY)


def _volatility(ctx: MacroContext, words: Mapping[str, str]) -> str:
    volatility = ctx.config.get("volatility")
    if volatility is not None and volatility not in words:
        ctx.call("unsupported_volatility_warning", volatility)
    return words.get(volatility or "", "")


@macro
def default__unsupported_volatility_warning(ctx: MacroContext, volatility: Any) -> str:
    """The engine does not know a volatility; the function is made without it."""
    name = ctx.model.get("name")
    ctx.variable("exceptions")["warn"](
        f"{ctx.dialect.name} does not support the volatility '{volatility}' of the function '{name}'; it is left out"
    )
    return ""


@macro
def default__table_function_sql(ctx: MacroContext, target_relation: Any) -> str:
    """Functions that give tables are the engines' own matter."""
    raise ExecutionError(f"Functions of type 'table' cannot be made on {ctx.dialect.name}", hint="Write a view.")


@macro
def duckdb__scalar_function_create_replace_signature_sql(ctx: MacroContext, target_relation: Any) -> str:
    """A macro of DuckDB's."""
    return f"{_duckdb_signature(ctx, target_relation)} as"


@macro
def duckdb__scalar_function_body_sql(ctx: MacroContext) -> str:
    """DuckDB's functions in SQL are expressions; the declared type is what callers get."""
    return f"(cast((\n{_body(ctx)}\n) as {(ctx.model.get('returns') or {}).get('data_type')}))"


@macro
def duckdb__scalar_function_volatility_sql(ctx: MacroContext) -> str:
    """A macro is replaced by its text: there is nothing to say."""
    return ""


@macro
def duckdb__formatted_scalar_function_args_sql(ctx: MacroContext) -> str:
    """Names, with defaults; a macro's arguments have no types."""
    return ", ".join(_with_default(each, str(each["name"]), ":=") for each in _arguments(ctx))


@macro
def spark__scalar_function_create_replace_signature_sql(ctx: MacroContext, target_relation: Any) -> str:
    """Spark 4's functions in SQL."""
    arguments = str(ctx.call("formatted_scalar_function_args_sql")).strip()
    returns = (ctx.model.get("returns") or {}).get("data_type")
    volatility = str(ctx.call("scalar_function_volatility_sql")).strip()
    name = as_relation(target_relation).render()
    return f"create or replace function {name}({arguments}) returns {returns}{f' {volatility}' if volatility else ''}"


@macro
def spark__scalar_function_body_sql(ctx: MacroContext) -> str:
    """An expression behind `return`."""
    return f"return (\n{_body(ctx)}\n)"


@macro
def spark__scalar_function_volatility_sql(ctx: MacroContext) -> str:
    """Whether results hang on the arguments alone."""
    return _volatility(ctx, {"deterministic": "deterministic", "non-deterministic": "not deterministic"})


@macro
def duckdb__table_function_sql(ctx: MacroContext, target_relation: Any) -> str:
    """A macro that gives a table."""
    return f"{_duckdb_signature(ctx, target_relation)} as table (\n{_body(ctx)}\n)"


def _duckdb_signature(ctx: MacroContext, target_relation: Any) -> str:
    arguments = str(ctx.call("formatted_scalar_function_args_sql")).strip()
    return f"create or replace macro {as_relation(target_relation).render()}({arguments})"


@macro
def default__function_execute_build_sql(
    ctx: MacroContext, build_sql: str, existing_relation: Any, target_relation: Any
) -> str:
    """Send the statement that makes the function."""
    ctx.call("statement", "main", caller=lambda: build_sql)
    return ""
