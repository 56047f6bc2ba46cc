"""`merge` on DuckDB 1.4 and later, with dbt-duckdb's options (dbt-duckdb 1.11: incremental_strategy/merge)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from understudy.errors import ExecutionError
from understudy.stdlib.support import Table, names_of, quoted
from understudy.template.scope import MacroContext

macro = MACROS = Table()

TEXTS = ("merge_update_condition", "merge_insert_condition")
LISTS = ("merge_on_using_columns", "merge_update_columns", "merge_exclude_columns", "merge_returning_columns")
MAPS = ("merge_update_set_expressions",)
BASIC = (*TEXTS, "merge_update_columns", "merge_exclude_columns", *MAPS)
"""Options that mean nothing beside `merge_clauses`."""
CLAUSES = ("when_matched", "when_not_matched")
Clause = Mapping[str, Any]


@macro
def duckdb__get_incremental_merge_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """`merge into` the table."""
    names = ("target_relation", "temp_relation", "unique_key", "dest_columns", "incremental_predicates")
    return ctx.call("get_merge_sql", *(arg_dict.get(name) for name in names))


@macro
def duckdb__get_merge_sql(
    ctx: MacroContext, target: Any, source: Any, unique_key: Any, dest_columns: Any, incremental_predicates: Any = None
) -> str:
    """The statement. Raises ExecutionError that lists what is wrong with the options."""
    problems = list(_problems(ctx.config))
    if problems:
        raise ExecutionError("MERGE configuration errors:\n" + "\n".join(problems))
    header, returning = ctx.config.get("sql_header"), ctx.config.get("merge_returning_columns")
    parts = [
        f"merge into {target} as DBT_INTERNAL_DEST\n    using {source} as DBT_INTERNAL_SOURCE",
        f"    {_join(ctx, unique_key, predicates(incremental_predicates))}",
        *(
            f"    when matched{_condition(each)} then {_matched(ctx, each, dest_columns)}"
            for each in _when(ctx, "when_matched")
        ),
        *(
            f"    when not matched{_by(each)}{_condition(each)} then {_not_matched(each)}"
            for each in _when(ctx, "when_not_matched")
        ),
    ]
    if returning:
        parts.append(f"    returning {', '.join(returning)}")
    return (f"{header}\n" if header is not None else "") + "\n".join(parts)


def predicates(value: Any) -> list[str]:
    """Conditions, however they are written: none, one, or a list."""
    return [value] if isinstance(value, str) else [str(each) for each in value or ()]


def _problems(config: Any) -> Iterable[str]:
    for name in TEXTS:
        if not isinstance(config.get(name), str | None):
            yield f"{name} must be a string, found: {config.get(name)}"
    for name in LISTS:
        value = config.get(name)
        if value is not None and not _is_list(value):
            yield f"{name} must be a list"
        elif value is not None and not all(isinstance(item, str) for item in value):
            yield f"{name} must contain only string values"
    for name in MAPS:
        if not isinstance(config.get(name), Mapping | None):
            yield f"{name} must be a dictionary, found: {config.get(name)}"
    if config.get("merge_clauses") is not None:
        yield from _clause_problems(config)


def _clause_problems(config: Any) -> Iterable[str]:
    clauses = config.get("merge_clauses")
    if not isinstance(clauses, Mapping):
        yield f"merge_clauses must be a dictionary, found: {clauses}"
        return
    if not set(CLAUSES) & set(clauses):
        yield "merge_clauses must contain at least one of 'when_matched' or 'when_not_matched' keys"
    for name in CLAUSES:
        value = clauses.get(name)
        if name not in clauses:
            continue
        if not _is_list(value):
            yield f"merge_clauses.{name} must be a list"
        elif not value:
            yield f"merge_clauses.{name} must contain at least one element"
        else:
            yield from (
                f"merge_clauses.{name} elements must be dictionaries, found: {each}"
                for each in value
                if not isinstance(each, Mapping)
            )
    ignored = [name for name in BASIC if config.get(name)]
    if ignored:
        yield f"merge_clauses says everything: remove {', '.join(ignored)}"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _join(ctx: MacroContext, unique_key: Any, more: Sequence[str]) -> str:
    """`using (columns)` where the config names them, else the key, else nothing matches."""
    using = ctx.config.get("merge_on_using_columns")
    if using:
        return f"using ({', '.join(using)})" + (f" on ({') and ('.join(more)})" if more else "")
    keys = [unique_key] if isinstance(unique_key, str) else list(unique_key or ())
    same = [f"DBT_INTERNAL_SOURCE.{key} = DBT_INTERNAL_DEST.{key}" for key in keys] or ["FALSE"]
    return f"on ({') and ('.join([*same, *more])})"


def _when(ctx: MacroContext, kind: str) -> Sequence[Clause]:
    """The clauses of a kind: those of `merge_clauses`, else what the basic options say: update and insert, by name."""
    config = ctx.config
    configured = (config.get("merge_clauses") or {}).get(kind)
    if configured is not None:
        return [*configured]
    if kind == "when_not_matched":
        return [{"action": "insert", "mode": "by_name", "condition": config.get("merge_insert_condition")}]
    update = {
        "include": config.get("merge_update_columns") or [],
        "exclude": config.get("merge_exclude_columns") or [],
        "set_expressions": config.get("merge_update_set_expressions") or {},
    }
    mode = "explicit" if any(update.values()) else "by_name"
    return [{"action": "update", "mode": mode, "condition": config.get("merge_update_condition"), "update": update}]


def _condition(clause: Clause) -> str:
    condition = clause.get("condition")
    if not condition:
        return ""
    return f" and {condition}" if isinstance(condition, str) else f" and ({') and ('.join(map(str, condition))})"


def _by(clause: Clause) -> str:
    return f" by {str(clause['by']).lower()}" if clause.get("by") else ""


def _common(clause: Clause) -> str:
    match clause.get("action"):
        case "delete":
            return "delete"
        case "do_nothing":
            return "do nothing"
        case "error":
            message = str(clause.get("error_message") or "").replace("'", "''")
            return f"error '{message}'" if message else "error"
        case other:
            raise ExecutionError(f"A clause of merge_clauses has no action that there is: {other!r}")


def _matched(ctx: MacroContext, clause: Clause, dest_columns: Any) -> str:
    if clause.get("action") != "update":
        return _common(clause)
    match clause.get("mode"):
        case "by_name":
            return "update by name"
        case "by_position":
            return "update by position"
        case "star":
            return "update set *"
        case "explicit":
            return _explicit_update(ctx, clause.get("update") or {}, dest_columns)
        case other:
            raise ExecutionError(f"An update of merge_clauses has no mode that there is: {other!r}")


def _explicit_update(ctx: MacroContext, update: Clause, dest_columns: Any) -> str:
    expressions: Mapping[str, Any] = update.get("set_expressions") or {}
    columns = ctx.call("get_merge_update_columns", update.get("include"), update.get("exclude"), dest_columns)
    taken = {name.strip("\"'") for name in expressions}
    parts = [f"{name} = {expression}" for name, expression in expressions.items()]
    parts += [f"{name} = DBT_INTERNAL_SOURCE.{name}" for name in columns if name.strip("\"'") not in taken]
    return f"update set\n        {', '.join(parts)}"


def _not_matched(clause: Clause) -> str:
    if clause.get("action") == "update":
        expressions: Mapping[str, Any] = clause.get("set_expressions") or {}
        return "update set " + ", ".join(f"{name} = {expression}" for name, expression in expressions.items())
    if clause.get("action") != "insert":
        return _common(clause)
    match clause.get("mode"):
        case "by_name":
            return "insert by name"
        case "by_position":
            return "insert by position"
        case "star":
            return "insert *"
        case "explicit":
            insert: Clause = clause.get("insert") or {}
            return f"insert ({', '.join(insert.get('columns', ()))})\n        values ({', '.join(insert.get('values', ()))})"
        case other:
            raise ExecutionError(f"An insert of merge_clauses has no mode that there is: {other!r}")


@macro
def duckdb__get_incremental_microbatch_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> str:
    """Delete the rows of the batch's window, then insert those of the batch (dbt-duckdb 1.11)."""
    ctx.call("validate_microbatch")
    event_time, batch = ctx.config.get("event_time"), ctx.model.get("batch") or {}
    start, end = batch.get("event_time_start"), batch.get("event_time_end")
    if not start or not end:
        raise ExecutionError("microbatch incremental strategy requires the batch's start and end")
    window = f"{event_time} >= '{start}'\n        and {event_time} < '{end}'"
    more = "".join(f"\n        and ({each})" for each in predicates(arg_dict.get("incremental_predicates")))
    target, source = arg_dict["target_relation"], arg_dict["temp_relation"]
    columns = ", ".join(quoted(ctx, name) for name in names_of(arg_dict["dest_columns"]))
    return (
        f"delete from {target}\n        where {window}{more};\n\n"
        f"    insert into {target} ({columns})\n    select {columns}\n    from {source}\n        where {window};"
    )


@macro
def duckdb__validate_microbatch(ctx: MacroContext) -> str:
    """A batch replaces what is in its window, whatever the keys (dbt-duckdb 1.11)."""
    if not ctx.config.get("event_time"):
        raise ExecutionError("microbatch incremental strategy requires an 'event_time' model config")
    if ctx.config.get("unique_key"):
        raise ExecutionError(
            "microbatch incremental strategy does not support 'unique_key'",
            hint="Batches replace what is in their window of event_time; use incremental_strategy='merge' for keys.",
        )
    return ""
