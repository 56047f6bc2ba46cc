"""What only DuckDB's projects call: files as relations, and tables that foreign keys hold fast (dbt-duckdb 1.11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from understudy.core.relation import Relation
from understudy.errors import ExecutionError
from understudy.sql import external
from understudy.stdlib.support import Table, as_relation, field, send
from understudy.template.scope import MacroContext

macro = MACROS = Table()


@macro
def external_location(ctx: MacroContext, relation: Any, config: Any) -> str:
    """Where an external model's file is when its config does not say: below the profile's `external_root`."""
    root, name = ctx.target.get("external_root") or ".", as_relation(relation).identifier
    if field(config.get("options") or {}, "partition_by") is not None:
        return f"{root}/{name}"
    return f"{root}/{name}.{config.get('format') or 'parquet'}"


@macro
def render_write_options(ctx: MacroContext, config: Any) -> dict[str, str]:
    """COPY's options of a config; `format` and `delimiter` may also stand beside `options`. Raises ExecutionError."""
    options = config.get("options") or {}
    if not isinstance(options, Mapping):
        raise ExecutionError("The options argument must be a dictionary")
    render = ctx.variable("render")
    given = {**options, **{name: config.get(name) for name in ("format", "delimiter") if config.get(name)}}
    return {str(name): str(render(str(value))) for name, value in given.items()}


@macro
def write_to_file(ctx: MacroContext, relation: Any, location: str, options: str) -> str:
    """The statement that writes a relation's rows to a file."""
    return external.copy_sql(str(relation), location, options)


@macro
def external_files(ctx: MacroContext) -> dict[str, Any]:
    """Ours: `location`, `options` and `folder` of the node's file, and the function that reads it (`reader`)."""
    config = ctx.config
    given = config.get("location")
    location = given if given is not None else ctx.call("external_location", ctx.this, config)
    location = str(ctx.variable("adapter").external_path(ctx.variable("render")(str(location))))
    options = external.write_options(location, ctx.call("render_write_options", config))
    format = external.read_format(config.get("format"), options)
    return {
        "location": location,
        "options": external.options_sql(options),
        "folder": external.is_folder(options),
        "reader": external.reader(
            format,
            external.read_location(location, options),
            external.read_options(format, config, options.get("compression")),
        ),
    }


@macro
def release_foreign_keys(ctx: MacroContext, relation: Any) -> str:
    """Ours: free a table of the foreign keys that point at it, for DuckDB neither drops nor renames such a table.

    Each table that points at it gives way to a copy without keys, which this run builds anew. Raises ExecutionError,
    naming the tables that it does not.
    """
    target = as_relation(relation)
    holding = _holding(ctx, target)
    problems = [f"{name} ({why})" for name in holding if (why := _not_rebuilt(ctx, target, name))]
    if problems:
        raise ExecutionError(
            f"DuckDB cannot replace {target}, for foreign keys of these tables point at it: {', '.join(problems)}",
            hint="Select the models of those tables, too: tables with `to: ref(...)` in the constraint are built anew after it.",
        )
    ddl = ctx.dialect.ddl
    for name in holding:
        table = target.with_identifier(name).with_type("table")
        copy = target.with_identifier(f"{name}__dbt_fk_backup").with_type("table")
        statements = [
            ddl.drop(copy), f"create table {copy} as select * from {table}", ddl.drop(table), ddl.rename(copy, name),
        ]  # fmt: skip
        send(ctx, ";\n".join(statements), "release")
    return ""


def _holding(ctx: MacroContext, target: Relation) -> list[str]:
    """The tables whose foreign keys point at the target, directly or by way of others, last ones first."""
    literal = ctx.dialect.ddl.literal
    sql = (
        "select distinct table_name, referenced_table from duckdb_constraints() where constraint_type = 'FOREIGN KEY' "
        f"and lower(database_name) = lower({literal(target.database)}) and lower(schema_name) = lower({literal(target.schema)})"
    )
    pointing: dict[str, list[str]] = {}
    for name, to in sorted(send(ctx, sql, "introspect", fetch=True).rows):
        pointing.setdefault(str(to).lower(), []).append(str(name))
    found: dict[str, None] = {}
    waiting = [(target.identifier or "").lower()]
    while waiting:
        for name in pointing.get(waiting.pop(), ()):
            if name.lower() != (target.identifier or "").lower():
                found.pop(name, None)  # whoever points at more than one of them goes before all of them
                found[name] = None
                waiting.append(name.lower())
    return list(found)[::-1]


def _not_rebuilt(ctx: MacroContext, target: Relation, name: str) -> str | None:
    """Why this run does not build a table anew, or None."""
    nodes: Iterable[Any] = (ctx.variable("graph") or {}).get("nodes", {}).values()
    for node in nodes:
        place = (field(node, "database"), field(node, "schema"), field(node, "alias"))
        if field(node, "resource_type") == "model" and [str(part).lower() for part in place] == [
            str(part).lower() for part in (target.database, target.schema, name)
        ]:
            if field(node, "unique_id") not in (ctx.variable("selected_resources") or ()):
                return "its model is not selected"
            kind = field(field(node, "config"), "materialized")
            refresh = field(field(node, "config"), "full_refresh")
            whole = refresh if refresh is not None else field(ctx.variable("flags"), "FULL_REFRESH")
            return None if kind == "table" or (kind == "incremental" and whole) else f"its model is {kind}"
    return "no model builds it"
