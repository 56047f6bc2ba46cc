"""Snapshots: which rows of a query are new, changed or gone (dbt 1.11: materializations/snapshots)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from understudy.core.relation import Relation
from understudy.errors import ExecutionError, JinjaError
from understudy.sql.spark import MERGEABLE
from understudy.stdlib.support import Table, as_relation, database_of, field, names_of, quoted, send
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("snapshot_hash_arguments", "snapshot_staging_table", "build_snapshot_table", "snapshot_merge_sql")
macro.dispatched("create_columns", "post_snapshot", "get_true_sql", "begin_snapshot")

META = ("dbt_valid_to", "dbt_valid_from", "dbt_scd_id", "dbt_updated_at", "dbt_is_deleted")
"""The columns that a snapshot adds to those of its query; `snapshot_meta_column_names` gives them other names."""


def _columns(ctx: MacroContext) -> Mapping[str, str]:
    names: Mapping[str, str] = ctx.config.get("snapshot_table_column_names") or ctx.call(
        "get_snapshot_table_column_names"
    )
    return names


@macro
def get_snapshot_table_column_names(ctx: MacroContext) -> dict[str, str]:
    """The names of a snapshot's own columns where nothing is configured."""
    return {name: name for name in META}


# -- strategies ------------------------------------------------------------------------------------------------


@macro
def strategy_dispatch(ctx: MacroContext, name: str) -> Any:
    """The macro of a strategy: `snapshot_<name>_strategy`, of a package where the name says so (`package.name`)."""
    package, _, short = name.rpartition(".")
    search = f"snapshot_{short}_strategy"
    if package:
        namespace = ctx.variable(package)
        if namespace is None:
            raise JinjaError(f"Could not find package '{package}', called with '{name}'")
        found = getattr(namespace, search, None)
    else:
        found = ctx.variable(search)
    if found is None:
        raise JinjaError(f"The specified strategy macro '{short}' was not found in package '{package or None}'")
    return found


@macro
def default__begin_snapshot(ctx: MacroContext, target_relation: Any, target_exists: bool) -> Any:
    """What the configured strategy says. Raises JinjaError when the table that is there is no snapshot.

    Ours; dbt's materialization does it itself.
    """
    if target_exists:
        ctx.variable("adapter").valid_snapshot_target(target_relation, _columns(ctx))
    strategy = ctx.call("strategy_dispatch", ctx.config.get("strategy"))
    return strategy(ctx.model, "snapshotted_data", "source_data", field(ctx.model, "config"), target_exists)


@macro
def spark__begin_snapshot(ctx: MacroContext, target_relation: Any, target_exists: bool) -> Any:
    """Only some formats can change rows (dbt-spark 1.11: materialization snapshot)."""
    name = str(ctx.config.get("file_format") or "parquet").lower()
    if name not in MERGEABLE:
        raise ExecutionError(
            f"A snapshot cannot be kept in the file format '{name}'",
            hint=f"Set file_format to one of: {', '.join(sorted(MERGEABLE))}.",
        )
    return ctx.call("default__begin_snapshot", target_relation, target_exists)


@macro
def default__snapshot_hash_arguments(ctx: MacroContext, args: Iterable[str]) -> str:
    """The identity of one version of a row: a digest of its key and its time."""
    parts = " || '|' || ".join(f"coalesce(cast({arg} as varchar ), '')\n        " for arg in args)
    return f"md5({parts})"


def _strategy(ctx: MacroContext, updated_at: str, row_changed: str) -> dict[str, Any]:
    key = ctx.config.get("unique_key")
    hard_deletes = ctx.variable("adapter").get_hard_deletes_behavior(ctx.config)
    return {
        "unique_key": key,
        "updated_at": updated_at,
        "row_changed": row_changed,
        "scd_id": str(ctx.call("snapshot_hash_arguments", [*_keys(key), updated_at])),
        "invalidate_hard_deletes": hard_deletes == "invalidate",
        "hard_deletes": hard_deletes,
    }


def _keys(unique_key: Any) -> list[str]:
    return [unique_key] if isinstance(unique_key, str) else [str(key) for key in unique_key]


@macro
def snapshot_timestamp_strategy(
    ctx: MacroContext, node: Any, snapshotted_rel: str, current_rel: str, model_config: Any, target_exists: bool
) -> dict[str, Any]:
    """A row has changed when its `updated_at` is later than the moment from which the known version is valid."""
    updated_at = ctx.config.get("updated_at")
    changed = f"({snapshotted_rel}.{_columns(ctx)['dbt_valid_from']} < {current_rel}.{updated_at})"
    return _strategy(ctx, updated_at, changed)


@macro
def snapshot_check_strategy(
    ctx: MacroContext, node: Any, snapshotted_rel: str, current_rel: str, model_config: Any, target_exists: bool
) -> dict[str, Any]:
    """A row has changed when one of its `check_cols` has; every row has when a checked column is new."""
    updated_at = ctx.config.get("updated_at") or str(ctx.call("snapshot_get_time"))
    added, names = ctx.call(
        "snapshot_check_all_get_existing_columns", node, target_exists, ctx.config.get("check_cols")
    )
    if added:
        return _strategy(ctx, updated_at, f"({str(ctx.call('get_true_sql')).strip()})")
    changes = (_differs(f"{snapshotted_rel}.{name}", f"{current_rel}.{name}") for name in names)
    return _strategy(ctx, updated_at, f"({' or '.join(changes)})")


def _differs(old: str, new: str) -> str:
    """Different values, or one of them null."""
    return f"{old} != {new}\n    or ((({old} is null) and not ({new} is null))\n        or ((not {old} is null) and ({new} is null)))"


@macro
def snapshot_check_all_get_existing_columns(
    ctx: MacroContext, node: Any, target_exists: bool, check_cols_config: Any
) -> tuple[bool, list[str]]:
    """(whether a checked column is new, the checked columns that the table has, quoted)."""
    if not target_exists:
        return False, []
    query = str(ctx.variable("compiled_code"))
    if check_cols_config == "all":
        checked = ctx.call("get_columns_in_query", query)
    elif isinstance(check_cols_config, Sequence) and not isinstance(check_cols_config, str) and check_cols_config:
        listed = ", ".join(map(str, check_cols_config))
        checked = ctx.call("get_columns_in_query", f"select {listed} from (\n{query}\n) subq")
    else:
        raise JinjaError(f"Invalid value for 'check_cols': {check_cols_config}")
    existing = {column.name for column in database_of(ctx).columns(as_relation(ctx.this))}
    known = [quoted(ctx, name) for name in checked if name in existing]
    return len(known) < len(checked), known


@macro
def default__get_true_sql(ctx: MacroContext) -> str:
    """A condition that holds."""
    return "TRUE"


# -- the key ---------------------------------------------------------------------------------------------------


@macro
def unique_key_fields(ctx: MacroContext, unique_key: Any) -> str:
    """The key's columns under names of our own."""
    if isinstance(unique_key, str):
        return f"{unique_key} as dbt_unique_key"
    return ", ".join(f"{key} as dbt_unique_key_{number}" for number, key in enumerate(unique_key, 1))


@macro
def unique_key_join_on(ctx: MacroContext, unique_key: Any, identifier: str, from_identifier: str) -> str:
    """The condition that two rows have one key."""
    if isinstance(unique_key, str):
        return f"{identifier}.dbt_unique_key = {from_identifier}.dbt_unique_key"
    names = (f"dbt_unique_key_{number}" for number, _ in enumerate(unique_key, 1))
    return " and ".join(
        str(ctx.call("equals", f"{identifier}.{name}", f"{from_identifier}.{name}")).strip() for name in names
    )


def _first_key(unique_key: Any) -> str:
    return "dbt_unique_key" if isinstance(unique_key, str) else "dbt_unique_key_1"


@macro
def unique_key_is_null(ctx: MacroContext, unique_key: Any, identifier: str) -> str:
    """The condition that an outer join found nothing."""
    return f"{identifier}.{_first_key(unique_key)} is null"


@macro
def unique_key_is_not_null(ctx: MacroContext, unique_key: Any, identifier: str) -> str:
    """The condition that an outer join found something."""
    return f"{identifier}.{_first_key(unique_key)} is not null"


# -- the table -------------------------------------------------------------------------------------------------


@macro
def get_dbt_valid_to_current(ctx: MacroContext, strategy: Any, columns: Mapping[str, str]) -> str:
    """The end of a version that is valid: null, or `dbt_valid_to_current`; of the time's type."""
    current = ctx.config.get("dbt_valid_to_current") or "null"
    time = field(strategy, "updated_at")
    return f"coalesce(nullif({time}, {time}), {current})\n  as {columns['dbt_valid_to']}"


@macro
def default__build_snapshot_table(ctx: MacroContext, strategy: Any, sql: str) -> str:
    """The query of the first run: every row is a version that is valid."""
    names = _columns(ctx)
    time = field(strategy, "updated_at")
    deleted = f",\n        'False' as {names['dbt_is_deleted']}" if _records_deletes(strategy) else ""
    return (
        f"select *,\n        {field(strategy, 'scd_id')} as {names['dbt_scd_id']},\n"
        f"        {time} as {names['dbt_updated_at']},\n        {time} as {names['dbt_valid_from']},\n"
        f"        {ctx.call('get_dbt_valid_to_current', strategy, names)}{deleted}\n    from (\n        {sql}\n    ) sbq"
    )


def _records_deletes(strategy: Any) -> bool:
    return bool(field(strategy, "hard_deletes") == "new_record")


def _notes_deletes(strategy: Any) -> bool:
    return field(strategy, "hard_deletes") in ("invalidate", "new_record")


@macro
def default__snapshot_staging_table(ctx: MacroContext, strategy: Any, source_sql: str, target_relation: Any) -> str:
    """The query of a later run: versions to insert, to end because of a newer one, and to end because the row is gone.

    `dbt_change_type` says which.
    """
    key = field(strategy, "unique_key")
    fields = ctx.call("unique_key_fields", key)
    ctes = {
        "snapshot_query": source_sql,
        "snapshotted_data": f"select *, {fields}\n        from {target_relation}\n        where {_is_open(ctx)}",
        **_source_ctes(ctx, strategy, fields),
        "insertions": _insertions(ctx, strategy),
        "updates": _updates(ctx, strategy),
    }
    parts = ["insertions", "updates"]
    if _notes_deletes(strategy):
        ctes["deletes"] = _deletes(ctx, strategy)
        parts.append("deletes")
    if _records_deletes(strategy):
        ctes["deletion_records"] = _deletion_records(ctx, strategy, source_sql, target_relation)
        parts.append("deletion_records")
    head = ",\n\n    ".join(f"{name} as (\n\n        {sql}\n\n    )" for name, sql in ctes.items())
    return f"with {head}\n\n    " + "\n    union all\n    ".join(f"select * from {part}" for part in parts)


def _is_open(ctx: MacroContext, relation: str = "") -> str:
    """The condition that a version is valid now; null counts, too, for `dbt_valid_to_current` may be new."""
    valid_to = relation + _columns(ctx)["dbt_valid_to"]
    current = ctx.config.get("dbt_valid_to_current")
    if not current:
        return f"{valid_to} is null"
    equal = str(ctx.call("equals", valid_to, str(current).strip())).strip()
    return f"( {equal} or {valid_to} is null )"


def _source_ctes(ctx: MacroContext, strategy: Any, fields: str) -> dict[str, str]:
    """The query's rows with the columns that each kind of change needs."""
    names, time = _columns(ctx), field(strategy, "updated_at")
    times = f"{time} as {names['dbt_updated_at']},\n            {time} as {names['dbt_valid_from']},\n            "
    current = ctx.call("get_dbt_valid_to_current", strategy, names)
    source = f"select *, {fields}"
    ctes = {
        "insertions_source_data": (
            f"{source},\n            {times}{current},\n"
            f"            {field(strategy, 'scd_id')} as {names['dbt_scd_id']}\n\n        from snapshot_query"
        ),
        "updates_source_data": (
            f"{source},\n            {times}{time} as {names['dbt_valid_to']}\n\n        from snapshot_query"
        ),
    }
    if _notes_deletes(strategy):
        ctes["deletes_source_data"] = f"{source}\n        from snapshot_query"
    return ctes


def _changed(ctx: MacroContext, strategy: Any) -> str:
    """The condition that the known version is out of date; a row that was deleted and is back has a new version."""
    text = str(field(strategy, "row_changed"))
    if _records_deletes(strategy):
        text += f" or snapshotted_data.{_columns(ctx)['dbt_is_deleted']} = 'True'"
    return f"(\n            {text}\n        )"


def _joined(ctx: MacroContext, strategy: Any) -> str:
    return str(ctx.call("unique_key_join_on", field(strategy, "unique_key"), "snapshotted_data", "source_data"))


def _insertions(ctx: MacroContext, strategy: Any) -> str:
    key = field(strategy, "unique_key")
    deleted = f",\n            'False' as {_columns(ctx)['dbt_is_deleted']}" if _records_deletes(strategy) else ""
    return (
        f"select\n            'insert' as dbt_change_type,\n            source_data.*{deleted}\n\n"
        "        from insertions_source_data as source_data\n        left outer join snapshotted_data\n"
        f"            on {_joined(ctx, strategy)}\n"
        f"        where {ctx.call('unique_key_is_null', key, 'snapshotted_data')}\n"
        f"        or ({ctx.call('unique_key_is_not_null', key, 'snapshotted_data')} and {_changed(ctx, strategy)})"
    )


def _known(ctx: MacroContext, strategy: Any) -> str:
    """The columns of the known version that a change carries on."""
    names = _columns(ctx)
    deleted = f",\n            snapshotted_data.{names['dbt_is_deleted']}" if _records_deletes(strategy) else ""
    return f"snapshotted_data.{names['dbt_scd_id']}{deleted}"


def _updates(ctx: MacroContext, strategy: Any) -> str:
    return (
        "select\n            'update' as dbt_change_type,\n            source_data.*,\n"
        f"            {_known(ctx, strategy)}\n\n        from updates_source_data as source_data\n"
        f"        join snapshotted_data\n            on {_joined(ctx, strategy)}\n        where {_changed(ctx, strategy)}"
    )


def _gone(ctx: MacroContext, strategy: Any) -> str:
    """From the known versions those whose row is gone; not those whose last version says so already."""
    where = str(ctx.call("unique_key_is_null", field(strategy, "unique_key"), "source_data"))
    if _records_deletes(strategy):
        names, current = _columns(ctx), ctx.config.get("dbt_valid_to_current")
        valid_to = f"snapshotted_data.{names['dbt_valid_to']}"
        open_ = f"{valid_to} = {current}" if current else f"{valid_to} is null"
        where += f"\n        and not (\n            snapshotted_data.{names['dbt_is_deleted']} = 'True'\n            and {open_}\n        )"
    return (
        "from snapshotted_data\n        left join deletes_source_data as source_data\n"
        f"            on {_joined(ctx, strategy)}\n        where {where}"
    )


def _deletes(ctx: MacroContext, strategy: Any) -> str:
    names, now = _columns(ctx), ctx.call("snapshot_get_time")
    times = ",\n            ".join(
        f"{now} as {names[column]}" for column in ("dbt_valid_from", "dbt_updated_at", "dbt_valid_to")
    )
    return (
        "select\n            'delete' as dbt_change_type,\n            source_data.*,\n"
        f"            {times},\n            {_known(ctx, strategy)}\n        {_gone(ctx, strategy)}"
    )


def _deletion_records(ctx: MacroContext, strategy: Any, source_sql: str, target_relation: Any) -> str:
    """A version that says that the row is gone, with the row's last values."""
    names, now = _columns(ctx), str(ctx.call("snapshot_get_time"))
    kept = {column.name for column in database_of(ctx).columns(as_relation(target_relation))}
    values = [
        f"{'snapshotted_data' if name in kept else 'source_data'}.{quoted(ctx, name)}"
        for name in ctx.call("get_columns_in_query", source_sql)
    ]
    key = field(strategy, "unique_key")
    if isinstance(key, str):
        values.append("snapshotted_data.dbt_unique_key as dbt_unique_key")
    else:
        values += [f"snapshotted_data.{each} as dbt_unique_key_{number}" for number, each in enumerate(key, 1)]
    scd_id = ctx.call("snapshot_hash_arguments", [names["dbt_scd_id"], now])
    values += [
        f"{now} as {names['dbt_valid_from']}",
        f"{now} as {names['dbt_updated_at']}",
        f"snapshotted_data.{names['dbt_valid_to']} as {names['dbt_valid_to']}",
        f"{scd_id} as {names['dbt_scd_id']}",
        f"'True' as {names['dbt_is_deleted']}",
    ]
    listed = ",\n            ".join(values)
    return f"select\n            'insert' as dbt_change_type,\n            {listed}\n        {_gone(ctx, strategy)}"


@macro
def build_snapshot_staging_table(ctx: MacroContext, strategy: Any, sql: str, target_relation: Any) -> Relation:
    """The changes of this run as a temporary table."""
    staging: Relation = as_relation(ctx.call("make_temp_relation", target_relation))
    select = ctx.call("snapshot_staging_table", strategy, sql, target_relation)
    send(ctx, str(ctx.call("create_table_as", True, staging, select)), "create")
    return staging


@macro
def snapshot_columns(ctx: MacroContext, staging_relation: Any, target_relation: Any) -> list[str]:
    """The columns that are inserted, quoted. The table gets those that are new in the query first, and room for longer texts.

    Ours; dbt's materialization does it between its statements.
    """
    adapter = ctx.variable("adapter")
    adapter.expand_target_column_types(staging_relation, target_relation)
    own = {"dbt_change_type", "dbt_unique_key"}
    own |= {f"dbt_unique_key_{number}" for number, _ in enumerate(_keys(ctx.config.get("unique_key")), 1)}
    missing = [
        column
        for column in adapter.get_missing_columns(staging_relation, target_relation)
        if column.name.lower() not in own
    ]
    ctx.call("create_columns", target_relation, missing)
    return [
        quoted(ctx, column.name)
        for column in database_of(ctx).columns(as_relation(staging_relation))
        if column.name.lower() not in own
    ]


@macro
def default__create_columns(ctx: MacroContext, relation: Any, columns: Iterable[Any]) -> str:
    """Add columns to the snapshot's table, one statement each."""
    for column in columns:
        send(ctx, ctx.dialect.ddl.add_column(as_relation(relation), str(column.name), str(column.data_type)), "alter")
    return ""


def _merge_names(ctx: MacroContext, insert_cols: Any) -> tuple[Mapping[str, str], str]:
    return _columns(ctx), ", ".join(names_of(insert_cols))


@macro
def default__snapshot_merge_sql(ctx: MacroContext, target: Any, source: Any, insert_cols: Any) -> str:
    """End the versions that changed and add the new ones, with `merge`."""
    names, columns = _merge_names(ctx, insert_cols)
    return (
        f"merge into {target} as DBT_INTERNAL_DEST\n    using {source} as DBT_INTERNAL_SOURCE\n"
        f"    on DBT_INTERNAL_SOURCE.{names['dbt_scd_id']} = DBT_INTERNAL_DEST.{names['dbt_scd_id']}\n\n"
        f"    when matched\n     and {_is_open(ctx, 'DBT_INTERNAL_DEST.')}\n"
        "     and DBT_INTERNAL_SOURCE.dbt_change_type in ('update', 'delete')\n        then update\n"
        f"        set {names['dbt_valid_to']} = DBT_INTERNAL_SOURCE.{names['dbt_valid_to']}\n\n"
        "    when not matched\n     and DBT_INTERNAL_SOURCE.dbt_change_type = 'insert'\n"
        f"        then insert ({columns})\n        values ({columns})"
    )


@macro
def duckdb__snapshot_merge_sql(ctx: MacroContext, target: Any, source: Any, insert_cols: Any) -> str:
    """An update and an insert: DuckDB before 1.4 has no `merge`."""
    names, columns = _merge_names(ctx, insert_cols)
    values = ", ".join(f"DBT_INTERNAL_SOURCE.{name}" for name in names_of(insert_cols))
    valid_to, scd_id = names["dbt_valid_to"], names["dbt_scd_id"]
    return (
        f"update {target} as DBT_INTERNAL_TARGET\n    set {valid_to} = DBT_INTERNAL_SOURCE.{valid_to}\n"
        f"    from {source} as DBT_INTERNAL_SOURCE\n"
        f"    where DBT_INTERNAL_SOURCE.{scd_id}::text = DBT_INTERNAL_TARGET.{scd_id}::text\n"
        "      and DBT_INTERNAL_SOURCE.dbt_change_type::text in ('update'::text, 'delete'::text)\n"
        f"      and {_is_open(ctx, 'DBT_INTERNAL_TARGET.')};\n\n"
        f"    insert into {target} ({columns})\n    select {values}\n    from {source} as DBT_INTERNAL_SOURCE\n"
        "    where DBT_INTERNAL_SOURCE.dbt_change_type::text = 'insert'::text;"
    )


@macro
def default__post_snapshot(ctx: MacroContext, staging_relation: Any) -> str:
    """What a project wants done with the staging table before it is dropped: nothing."""
    return ""


# -- types -----------------------------------------------------------------------------------------------------


@macro
def get_snapshot_get_time_data_type(ctx: MacroContext) -> str | None:
    """The type of the moment of a snapshot."""
    sql = f"select {ctx.call('snapshot_get_time')} as dbt_snapshot_time"
    columns = ctx.call("get_column_schema_from_query", sql)
    return str(columns[0].data_type) if columns else None


@macro
def get_updated_at_column_data_type(ctx: MacroContext, snapshot_sql: str) -> str | None:
    """The type of `dbt_updated_at` in a query."""
    columns = ctx.call("get_column_schema_from_query", snapshot_sql)
    return next((str(column.data_type) for column in columns if column.name.lower() == "dbt_updated_at"), None)


@macro
def check_time_data_types(ctx: MacroContext, sql: str) -> str:
    """Warn when the times of the query have another type than the moment at which rows are found to be gone."""
    if not ctx.config.get("updated_at"):
        return ""  # then the times are of that very moment
    ours, theirs = ctx.call("get_snapshot_get_time_data_type"), ctx.call("get_updated_at_column_data_type", sql)
    if ours is not None and theirs is not None and ours != theirs:
        ctx.variable("exceptions")["warn"](
            f"Data type of snapshot table timestamp columns ({ours}) doesn't match derived column 'updated_at' "
            f"({theirs}). Please update snapshot config 'updated_at'."
        )
    return ""
