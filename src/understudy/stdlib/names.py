"""generate_*_name: where a node is built (dbt 1.11: get_custom_schema, get_custom_alias, get_custom_database)."""

from __future__ import annotations

from typing import Any

from understudy.stdlib.support import Table, field
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("generate_latest_version_pointer_alias")


# An implementation that a project writes may be called with one argument less: the other is none, not undefined.


@macro
def generate_schema_name(ctx: MacroContext, custom_schema_name: str | None = None, node: Any = None) -> Any:
    """The schema of a node: what `<adapter>__` or `default__generate_schema_name` says."""
    return ctx.dispatch("generate_schema_name", "dbt")(custom_schema_name, node)


@macro
def generate_alias_name(ctx: MacroContext, custom_alias_name: str | None = None, node: Any = None) -> Any:
    """The identifier of a node, likewise."""
    return ctx.dispatch("generate_alias_name", "dbt")(custom_alias_name, node)


@macro
def generate_database_name(ctx: MacroContext, custom_database_name: str | None = None, node: Any = None) -> Any:
    """The database of a node, likewise."""
    return ctx.dispatch("generate_database_name", "dbt")(custom_database_name, node)


@macro
def default__generate_schema_name(ctx: MacroContext, custom_schema_name: str | None = None, node: Any = None) -> str:
    """The target's schema; a custom one is appended to it."""
    schema = str(ctx.target["schema"])
    return schema if custom_schema_name is None else f"{schema}_{str(custom_schema_name).strip()}"


@macro
def generate_schema_name_for_env(ctx: MacroContext, custom_schema_name: str | None = None, node: Any = None) -> str:
    """The custom schema as it stands in the target `prod`; the target's schema everywhere else."""
    if ctx.target["name"] == "prod" and custom_schema_name is not None:
        return str(custom_schema_name).strip()
    return str(ctx.target["schema"])


@macro
def default__generate_alias_name(ctx: MacroContext, custom_alias_name: str | None = None, node: Any = None) -> str:
    """The custom alias, else the node's name; a versioned model's has `_v<version>`."""
    if custom_alias_name:
        return str(custom_alias_name).strip()
    version = field(node, "version")
    name = str(field(node, "name"))
    return f"{name}_v{str(version).replace('.', '_')}" if version else name


@macro
def default__generate_database_name(
    ctx: MacroContext, custom_database_name: str | None = None, node: Any = None
) -> str | None:
    """The custom database, else the target's."""
    return ctx.target["database"] if custom_database_name is None else custom_database_name


@macro
def default__generate_latest_version_pointer_alias(
    ctx: MacroContext, custom_alias_name: str | None = None, node: Any = None
) -> str:
    """The alias of the pointer to a model's latest version: the model's name without a version."""
    return str(custom_alias_name).strip() if custom_alias_name else str(field(node, "name"))
