"""What the engine holds, as tables: schemas, relations, columns (dbt 1.11: adapters/metadata.sql, adapters/columns.sql).

The engine asks its adapter and calls these only where a project has its own.
"""

from __future__ import annotations

from typing import Any

from understudy.core.relation import SchemaName
from understudy.core.statement import Result
from understudy.errors import ExecutionError
from understudy.stdlib.support import Table, as_relation, database_of, field
from understudy.template.agate_tables import to_agate
from understudy.template.scope import BuiltinMacro, MacroContext

macro = MACROS = Table()
macro.dispatched("list_schemas", "check_schema_exists", "list_relations_without_caching", "get_columns_in_relation")
UNKNOWN = ("get_relations", "get_relation_last_modified", "list_function_relations_without_caching")


@macro
def default__list_schemas(ctx: MacroContext, database: str | None = None) -> Any:
    """The schemas of a database, a row each."""
    names = database_of(ctx).schemas(database)
    return to_agate(Result(("schema_name",), ("text",), [(name,) for name in names]))


@macro
def default__check_schema_exists(ctx: MacroContext, information_schema: Any, schema: str) -> Any:
    """One row: 1 when the schema exists, 0 when not."""
    names = database_of(ctx).schemas(field(information_schema, "database"))
    found = int(schema.lower() in {name.lower() for name in names})
    return to_agate(Result(("count",), ("integer",), [(found,)]))


@macro
def default__list_relations_without_caching(ctx: MacroContext, schema_relation: Any) -> Any:
    """The relations of a schema: database, name, schema, type."""
    schema = as_relation(schema_relation)
    found = database_of(ctx).relations(SchemaName(schema.database, schema.schema or ""))
    rows = [(each.database, each.identifier, each.schema, each.type) for each in found]
    return to_agate(Result(("database", "name", "schema", "type"), ("text",) * 4, rows))


@macro
def default__get_columns_in_relation(ctx: MacroContext, relation: Any) -> Any:
    """The relation's columns in order."""
    return list(ctx.database.columns(as_relation(relation))) if ctx.database is not None else []


def _unknown(name: str) -> BuiltinMacro:
    def refuse(ctx: MacroContext, *args: Any, **kwargs: Any) -> Any:
        raise ExecutionError(f"The macro {name} is not implemented for {ctx.dialect.name}")

    return refuse


macro.dispatched(*UNKNOWN)
for _name in UNKNOWN:
    MACROS[f"default__{_name}"] = _unknown(_name)
