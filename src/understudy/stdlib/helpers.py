"""What projects, packages and materializations in Jinja call beside the rest: dates, columns, headers, hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from understudy.core.relation import Relation
from understudy.core.statement import Statement
from understudy.errors import ExecutionError
from understudy.stdlib.support import Table, as_relation, database_of, field, names_of
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("drop_schema_named", "validate_sql", "handle_existing_table", "resolve_model_name")
macro.dispatched("get_insert_overwrite_merge_sql")

# Dates ----------------------------------------------------------------------------------------------------------


@macro
def convert_datetime(ctx: MacroContext, date_str: str, date_fmt: str) -> datetime:
    """A text as a time. Raises ExecutionError when it does not have the format."""
    try:
        return datetime.strptime(date_str.strip(), date_fmt)
    except ValueError as error:
        raise ExecutionError(f"The date '{date_str}' does not have the format '{date_fmt}'") from error


@macro
def dates_in_range(
    ctx: MacroContext,
    start_date_str: str,
    end_date_str: str | None = None,
    in_fmt: str = "%Y%m%d",
    out_fmt: str | None = "%Y%m%d",
) -> list[Any]:
    """The days from one to the other, both included, as texts (as times without `out_fmt`). Raises ExecutionError."""
    start = ctx.call("convert_datetime", start_date_str, in_fmt)
    end = ctx.call("convert_datetime", start_date_str if end_date_str is None else end_date_str, in_fmt)
    if end < start:
        raise ExecutionError(f"The range of dates begins after its end: {start}, {end}")
    days = (start + timedelta(days=n) for n in range((end - start).days + 1))
    return [day.strftime(out_fmt) if out_fmt else day for day in days]


@macro
def partition_range(ctx: MacroContext, raw_partition_date: Any, date_fmt: str = "%Y%m%d") -> Any:
    """The days of `start` or `start,end`. Raises ExecutionError."""
    parts = str(raw_partition_date).split(",")
    if len(parts) > 2:
        raise ExecutionError(f"A range of partitions is a date, or two with a comma; got {raw_partition_date}")
    return ctx.call("dates_in_range", parts[0], parts[1] if len(parts) == 2 else None, in_fmt=date_fmt)


@macro
def py_current_timestring(ctx: MacroContext) -> str:
    """The time as digits: of the run's start, so that one run gives one answer."""
    started = ctx.variable("run_started_at")
    return str((started or datetime(1970, 1, 1)).strftime("%Y%m%d%H%M%S%f"))


@macro
def is_core_v2(ctx: MacroContext) -> bool:
    """Whether this is the second dbt."""
    return str(ctx.variable("dbt_version")).startswith("2.")


# Columns --------------------------------------------------------------------------------------------------------


@macro
def get_list_of_column_names(ctx: MacroContext, columns: Any) -> list[str]:
    """The names of columns."""
    return names_of(columns)


@macro
def sql_convert_columns_in_relation(ctx: MacroContext, table: Any) -> list[Any]:
    """A table of (name, type, length, precision, scale) as columns."""
    factory = ctx.variable("api")["Column"]
    return [factory(*row) for row in table.rows]


@macro
def format_columns(ctx: MacroContext, columns: Iterable[Any]) -> list[Any]:
    """Each column as {name, data_type, formatted}."""
    return [ctx.dispatch("format_column", "dbt")(column) for column in columns]


@macro
def default__format_column(ctx: MacroContext, column: Any) -> dict[str, str]:
    """A column's name, its type, and both together."""
    data_type = str(getattr(column, "dtype", None) or column.data_type)
    return {"name": column.name, "data_type": data_type, "formatted": f"{column.name.lower()} {data_type}"}


@macro
def validate_doc_columns(
    ctx: MacroContext, relation: Any, column_dict: Mapping[str, Any], existing_column_names: Iterable[str]
) -> dict[str, Any]:
    """The described columns that a relation has; a warning names the others."""
    exact = set(existing_column_names)
    lowered = {name.lower() for name in exact}

    def there(name: str, column: Any) -> bool:
        return name in exact if field(column, "quote") else name.lower() in lowered

    missing = [name for name, column in column_dict.items() if not there(name, column)]
    if missing:
        ctx.variable("exceptions")["warn"](f"{relation} has no column {', '.join(missing)}, which is described")
    return {name: column for name, column in column_dict.items() if name not in missing}


@macro
def normalize_string_or_list(ctx: MacroContext, raw: Any, field_name: str) -> list[str]:
    """A text or a list of texts as a list. Raises ExecutionError for anything else."""
    found = [raw] if isinstance(raw, str) else [] if raw is None else raw
    if not isinstance(found, list | tuple) or not all(isinstance(item, str) for item in found):
        raise ExecutionError(f"{field_name} must be a text or a list of texts")
    return list(found)


# Materializations -----------------------------------------------------------------------------------------------


@macro
def set_sql_header(ctx: MacroContext, config: Any, caller: Callable[[], Any] | None = None) -> Any:
    """`{% call set_sql_header(config) %}`: what is sent before the model's statement."""
    return config.set("sql_header", caller() if caller is not None else "")


@macro
def run_hooks(ctx: MacroContext, hooks: Iterable[Any], inside_transaction: bool = True) -> str:
    """Send the hooks that belong inside (or outside) of the transaction."""
    for hook in hooks:
        if bool(field(hook, "transaction")) is inside_transaction:
            sql = str(ctx.variable("render")(field(hook, "sql"))).strip()
            if sql:
                database_of(ctx).execute(Statement(sql, purpose="hook", in_transaction=inside_transaction))
    return ""


@macro
def default__handle_existing_table(ctx: MacroContext, full_refresh: Any, old_relation: Any) -> str:
    """A view is to come where a table stands: the table goes."""
    ctx.variable("adapter").drop_relation(old_relation)
    return ""


@macro
def default__drop_schema_named(ctx: MacroContext, schema_name: str) -> str:
    """Drop a schema by its name."""
    ctx.variable("adapter").drop_schema(ctx.dialect.relation(ctx.target["database"], schema_name, None))
    return ""


@macro
def default__validate_sql(ctx: MacroContext, sql: str) -> Any:
    """Have the engine explain a query; what it says of a wrong one is raised."""
    ctx.call("statement", "validate_sql", caller=lambda: f"explain {sql}")
    return ctx.variable("load_result")("validate_sql")


@macro
def default__resolve_model_name(ctx: MacroContext, input_model_name: Any) -> str:
    """A name as Python models ask for it."""
    return str(input_model_name)


@macro
def default__get_insert_overwrite_merge_sql(
    ctx: MacroContext,
    target: Any,
    source: Any,
    dest_columns: Any,
    predicates: Any = None,
    include_sql_header: Any = False,
) -> str:
    """`merge` that deletes what the predicates cover and inserts all new rows."""
    columns = ctx.call("get_quoted_csv", names_of(dest_columns))
    header = ctx.config.get("sql_header") if include_sql_header else None
    where = f" and {' and '.join(map(str, predicates))}" if predicates else ""
    return (
        (f"{header}\n" if header is not None else "")
        + f"merge into {target} as DBT_INTERNAL_DEST\n        using {source} as DBT_INTERNAL_SOURCE\n        on FALSE\n\n"
        + f"    when not matched by source{where}\n        then delete\n\n"
        + f"    when not matched then insert\n        ({columns})\n    values\n        ({columns})"
    )


# Functions ------------------------------------------------------------------------------------------------------


@macro
def _split_part_negative(ctx: MacroContext, string_text: str, delimiter_text: str, part_number: int) -> str:
    """A part that is counted from the end."""
    number = (
        f"  length({string_text})\n          - length(\n              replace({string_text},  {delimiter_text}, '')\n"
        f"          ) + 2 + {part_number}"
    )
    return f"\n\n    split_part(\n        {string_text},\n        {delimiter_text},\n        {number}\n        )\n\n"


# DuckDB ---------------------------------------------------------------------------------------------------------


@macro
def duckdb_escape_comment(ctx: MacroContext, comment: Any) -> str:
    """A text in dollar quotes. Raises ExecutionError for one that holds their mark."""
    mark = "$dbt_comment_literal_block$"
    if not isinstance(comment, str) or mark in comment:
        raise ExecutionError(f"A comment must be a text without {mark}")
    return f"{mark}{comment}{mark}"


@macro
def register_upstream_external_models(ctx: MacroContext) -> str:
    """Views over the files of external models that this run reads and does not build (dbt-duckdb: for on-run-start)."""
    if not ctx.execute:
        return ""
    selected, nodes = set(ctx.variable("selected_resources")), ctx.variable("graph")["nodes"]
    upstream = (parent for each in selected if each in nodes for parent in nodes[each]["depends_on"]["nodes"])
    for unique_id in sorted(set(upstream) - selected):
        node = nodes.get(unique_id)
        if node is not None and node["config"].get("materialized") == "external":
            _register(ctx, node)
    return ""


def _register(ctx: MacroContext, node: Mapping[str, Any]) -> None:
    relation: Relation = ctx.dialect.relation(node["database"], node["schema"], node["alias"], type="view")
    config, adapter, database = node["config"], ctx.variable("adapter"), database_of(ctx)
    location = config.get("location") or ctx.call("external_location", relation, config)
    options = ctx.call("render_write_options", config)
    read = adapter.external_read_location(ctx.variable("render")(str(location)), options)
    ctx.call("create_schema", as_relation(relation))
    sql = f"create or replace view {relation.render()} as (\n    select * from {ctx.dialect.ddl.literal(read)}\n)"
    database.execute(Statement(sql, purpose="create"))
    database.added(relation)
