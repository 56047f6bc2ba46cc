"""What dbt-postgres says in its own way (dbt-postgres 1.10: include/postgres/macros)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from understudy.core.relation import Relation
from understudy.errors import ExecutionError
from understudy.sql.postgres import fitted
from understudy.stdlib import grants
from understudy.stdlib.runtime import configured_indexes, index_name
from understudy.stdlib.support import Table, as_relation, database_of, field, names_of, send
from understudy.template.scope import MacroContext

macro = MACROS = Table()


# -- relations -------------------------------------------------------------------------------------------------


def _header(ctx: MacroContext) -> str:
    header = ctx.config.get("sql_header")
    return f"{header}\n" if header is not None else ""


def _enforced(ctx: MacroContext) -> bool:
    return bool(field(ctx.config.get("contract"), "enforced"))


@macro
def postgres__create_table_as(ctx: MacroContext, temporary: bool, relation: Any, sql: str) -> str:
    """`create table as`, `unlogged` where configured; a contract's table is declared first and filled then."""
    word = "temporary table" if temporary else "unlogged table" if ctx.config.get("unlogged") else "table"
    begin = f"{_header(ctx)}create {word} {relation}\n"
    if _enforced(ctx):
        ctx.call("get_assert_columns_equivalent", sql)
        if not temporary:
            names = ctx.dispatch("get_column_names", "dbt")()
            return (
                f"{begin}  {ctx.call('get_table_columns_and_constraints')} ;\n    insert into {relation} (\n"
                f"      {names}\n    )\n  (\n    {ctx.call('get_select_subquery', sql)}\n  );"
            )
    return f"{begin}  as\n  (\n    {sql}\n  );"


@macro
def postgres__get_create_sql(ctx: MacroContext, relation: Any, sql: str) -> Any:
    """The statement that creates a relation of its type."""
    if as_relation(relation).type == "materialized_view":
        return ctx.call("get_create_materialized_view_as_sql", relation, sql)
    return ctx.call("default__get_create_sql", relation, sql)


def _own_database(ctx: MacroContext, relation: Relation) -> None:
    own = ctx.target.get("dbname") or ctx.target.get("database")
    if relation.database and own and relation.database.lower() != str(own).lower():
        raise ExecutionError(
            f"PostgreSQL cannot build in another database: '{relation.database}' is asked for, "
            f"and the connection is to '{own}'",
            hint="Leave 'database' out of the config, and use schemas.",
        )


@macro
def postgres__create_schema(ctx: MacroContext, relation: Any) -> Any:
    """Create the schema, of the database that we are connected to."""
    _own_database(ctx, as_relation(relation))
    return ctx.call("default__create_schema", relation)


@macro
def postgres__drop_schema(ctx: MacroContext, relation: Any) -> Any:
    """Drop the schema with everything in it."""
    _own_database(ctx, as_relation(relation))
    return ctx.call("default__drop_schema", relation)


@macro
def postgres__information_schema_name(ctx: MacroContext, database: str | None) -> str:
    """The schema that describes the database."""
    return "information_schema"


@macro
def postgres__make_intermediate_relation(ctx: MacroContext, base_relation: Any, suffix: str = "__dbt_tmp") -> Relation:
    """The name under which a relation is built; it fits into 63 bytes."""
    base = as_relation(base_relation)
    return base.with_identifier(fitted(base.identifier or "", suffix))


@macro
def postgres__make_temp_relation(ctx: MacroContext, base_relation: Any, suffix: str = "__dbt_tmp") -> Relation:
    """A temporary table of the session: it has no schema, so a digest tells relations of different schemas apart.

    dbt appends the time of day instead; the name is as long.
    """
    base = as_relation(base_relation)
    digest = hashlib.md5(base.render().encode(), usedforsecurity=False).hexdigest()[:12]
    return replace(base, database=None, schema=None, identifier=fitted(base.identifier or "", suffix + digest))


@macro
def postgres__make_backup_relation(
    ctx: MacroContext, base_relation: Any, backup_relation_type: Any, suffix: str = "__dbt_backup"
) -> Relation:
    """The name under which the old relation waits; it fits into 63 bytes."""
    base = as_relation(base_relation)
    return base.with_identifier(fitted(base.identifier or "", suffix)).with_type(backup_relation_type)


# -- indexes, materialized views, grants ---------------------------------------------------------------------


@macro
def postgres__get_create_index_sql(ctx: MacroContext, relation: Any, index_dict: Any) -> str:
    """`create index`."""
    columns: Sequence[str] | None = field(index_dict, "columns")
    if not columns or isinstance(columns, str):
        raise ExecutionError(
            f"An index needs a list of columns, got {index_dict!r}",
            hint="indexes: [{columns: [a, b], unique: true, type: btree}]",
        )
    unique, method = bool(field(index_dict, "unique")), field(index_dict, "type")
    target = as_relation(relation)
    name = index_name(ctx, target, index_dict, *columns, str(unique), str(method))
    return str(ctx.dialect.ddl.create_index(target, name, columns, unique, method))


@macro
def postgres__get_show_indexes_sql(ctx: MacroContext, relation: Any) -> str:
    """A query for (name, method, unique, column_names)."""
    return str(ctx.dialect.ddl.show_indexes(as_relation(relation)))


@macro
def postgres__get_drop_index_sql(ctx: MacroContext, relation: Any, index_name: str) -> str:
    """The statement that drops an index."""
    return str(ctx.dialect.ddl.drop_index(as_relation(relation), index_name))


@macro
def postgres__get_create_materialized_view_as_sql(ctx: MacroContext, relation: Any, sql: str) -> str:
    """`create materialized view` and its indexes."""
    indexes = [str(ctx.call("get_create_index_sql", relation, index)) for index in configured_indexes(ctx)]
    return ";\n".join([f"create materialized view if not exists {relation} as {sql}", *indexes])


@macro
def postgres__refresh_materialized_view(ctx: MacroContext, relation: Any) -> str:
    """The statement that reads the view's query again."""
    return f"refresh materialized view {relation}"


@macro
def postgres__describe_materialized_view(ctx: MacroContext, relation: Any) -> dict[str, Any]:
    """The indexes that there are; query and other settings are not compared (dbt-postgres 1.10)."""
    result = send(ctx, str(ctx.call("get_show_indexes_sql", relation)), "introspect", fetch=True)
    return {"indexes": [dict(zip(result.columns, row, strict=True)) for row in result.rows]}


Index = tuple[frozenset[str], bool, str]
"""Columns in lower case, unique, method: what makes two indexes the same (dbt-postgres: PostgresIndexConfig)."""


@macro
def postgres__get_materialized_view_configuration_changes(
    ctx: MacroContext, existing_relation: Any, new_config: Any
) -> dict[str, Any] | None:
    """Indexes to drop, then indexes to create; None when all is as configured."""
    existing: dict[Index, str] = {
        _index(str(index["column_names"] or "").split(","), index["unique"], index["method"]): str(index["name"])
        for index in ctx.call("describe_materialized_view", existing_relation)["indexes"]
    }
    wanted: dict[Index, Any] = {
        _index(field(index, "columns") or (), field(index, "unique"), field(index, "type")): index
        for index in ctx.config.get("indexes") or ()
    }
    changes = [
        *({"action": "drop", "context": {"name": name}} for key, name in existing.items() if key not in wanted),
        *({"action": "create", "context": index} for key, index in wanted.items() if key not in existing),
    ]
    return {"indexes": changes, "requires_full_refresh": False} if changes else None


def _index(columns: Sequence[str], unique: Any, method: Any) -> Index:
    return frozenset(str(column).lower() for column in columns), bool(unique), str(method or "btree").lower()


@macro
def postgres__get_alter_materialized_view_as_sql(
    ctx: MacroContext,
    relation: Any,
    configuration_changes: Mapping[str, Any],
    sql: str,
    existing_relation: Any,
    backup_relation: Any = None,
    intermediate_relation: Any = None,
) -> str:
    """The statements that bring the view's indexes to what is configured; the view's rows stay as they are."""
    if configuration_changes.get("requires_full_refresh"):
        return str(ctx.call("get_replace_sql", existing_relation, relation, sql))
    return ";\n".join(
        str(
            ctx.call("get_drop_index_sql", relation, change["context"]["name"])
            if change["action"] == "drop"
            else ctx.call("get_create_index_sql", relation, change["context"])
        )
        for change in configuration_changes["indexes"]
    )


@macro
def postgres__copy_grants(ctx: MacroContext) -> bool:
    """A relation that is swapped in has no grants of the old one."""
    return False


@macro
def postgres__get_show_grant_sql(ctx: MacroContext, relation: Any) -> str:
    """A query for (grantee, privilege_type)."""
    return str(ctx.dialect.ddl.show_grants(as_relation(relation)))


@macro
def postgres__apply_grants(ctx: MacroContext, relation: Any, grant_config: Any, should_revoke: bool = True) -> str:
    """Bring the relation's grants to what is configured."""
    return grants.apply(ctx, relation, grant_config, should_revoke)


# -- incremental -----------------------------------------------------------------------------------------------


@macro
def postgres__get_incremental_default_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """Delete and insert where there is a unique_key, else append."""
    strategy = "delete_insert" if arg_dict["unique_key"] else "append"
    return ctx.call(f"get_incremental_{strategy}_sql", arg_dict)


@macro
def postgres__get_incremental_merge_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """`merge`: PostgreSQL 15 and later."""
    names = ("target_relation", "temp_relation", "unique_key", "dest_columns", "incremental_predicates")
    return ctx.call("get_merge_sql", *(arg_dict[name] for name in names))


@macro
def postgres__get_incremental_microbatch_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """A batch is merged."""
    _check_key(arg_dict["unique_key"])
    return ctx.dispatch("get_incremental_merge_sql", "dbt")(arg_dict)


@macro
def postgres__validate_microbatch(ctx: MacroContext) -> str:
    """A batch is merged, so it needs a key."""
    _check_key(ctx.config.get("unique_key"))
    return ""


def _check_key(key: Any) -> None:
    if not key:
        raise ExecutionError("The strategy 'microbatch' requires a `unique_key` config on PostgreSQL")


SIZED_TEXT = re.compile(r"character(?: varying)?\((\d+)\)")
TEXT = ("text", "character varying")


@macro
def postgres__process_schema_changes(
    ctx: MacroContext, on_schema_change: str, source_relation: Any, target_relation: Any
) -> Any:
    """As the default, after the table's texts were made as long as the new rows need (dbt: expand_target_column_types)."""
    database = database_of(ctx)
    new = {column.name: column.data_type for column in database.columns(as_relation(source_relation))}
    for column in database.columns(as_relation(target_relation)):
        if _is_shorter(column.data_type, new.get(column.name, "")):
            ctx.call("alter_column_type", target_relation, column.name, new[column.name])
    return ctx.call("default__process_schema_changes", on_schema_change, source_relation, target_relation)


def _is_shorter(old: str, new: str) -> bool:
    """Whether a text type has a limit that the other has not, or has further away."""
    limit, other = SIZED_TEXT.fullmatch(old), SIZED_TEXT.fullmatch(new)
    return limit is not None and (new in TEXT or (other is not None and int(other[1]) > int(limit[1])))


@macro
def postgres__snapshot_merge_sql(ctx: MacroContext, target: Any, source: Any, insert_cols: Any) -> str:
    """End the versions that changed, then add the new ones: `merge` came late to PostgreSQL."""
    columns = ctx.config.get("snapshot_table_column_names") or ctx.call("get_snapshot_table_column_names")
    valid_to, scd_id = field(columns, "dbt_valid_to"), field(columns, "dbt_scd_id")
    open_ = f"{target}.{valid_to} is null"
    if current := ctx.config.get("dbt_valid_to_current"):
        open_ = f"({target}.{valid_to} = {current} or {open_})"
    names = names_of(insert_cols)
    values = ", ".join(f"DBT_INTERNAL_SOURCE.{name}" for name in names)
    return (
        f"update {target}\n    set {valid_to} = DBT_INTERNAL_SOURCE.{valid_to}\n"
        f"    from {source} as DBT_INTERNAL_SOURCE\n"
        f"    where DBT_INTERNAL_SOURCE.{scd_id}::text = {target}.{scd_id}::text\n"
        f"      and DBT_INTERNAL_SOURCE.dbt_change_type::text in ('update'::text, 'delete'::text)\n      and {open_};\n\n"
        f"    insert into {target} ({', '.join(names)})\n    select {values}\n"
        f"    from {source} as DBT_INTERNAL_SOURCE\n"
        "    where DBT_INTERNAL_SOURCE.dbt_change_type::text = 'insert'::text;"
    )


# -- functions -------------------------------------------------------------------------------------------------


@macro
def postgres__any_value(ctx: MacroContext, expression: str) -> str:
    """Any value will do; the smallest is one."""
    return f"min({expression})"


@macro
def postgres__dateadd(ctx: MacroContext, datepart: str, interval: Any, from_date_or_timestamp: str) -> str:
    """The date and so many intervals; an expression may stand for the number. PostgreSQL has no word for a quarter."""
    unit = "3 month" if datepart.strip().lower() == "quarter" else f"1 {datepart}"
    return f"{from_date_or_timestamp} + ((interval '{unit}') * ({interval}))"


DATE_PARTS = {"quarter": ("year", 4, "date"), "month": ("year", 12, "date")}
TIME_PARTS = {
    "hour": ("day", 24), "minute": ("hour", 60), "second": ("minute", 60), "millisecond": ("minute", 60_000),
    "microsecond": ("minute", 60_000_000),
}  # fmt: skip
"""Part -> the larger part that is counted first, and how many of the smaller one it has."""


@macro
def postgres__datediff(ctx: MacroContext, first_date: str, second_date: str, datepart: str) -> str:
    """How many boundaries of the part lie between two dates. Raises ExecutionError for a part that is unknown."""

    def part(date: str, kind: str) -> str:
        text = f"date_part('{datepart}', ({date})::{kind})"
        return f"floor({text})" if "second" in datepart else text

    def larger(name: str) -> Any:
        return ctx.call("datediff", first_date, second_date, name)

    if datepart == "year":
        return f"({part(second_date, 'date')} - {part(first_date, 'date')})"
    if datepart == "day":
        return f"(({second_date})::date - ({first_date})::date)"
    if datepart == "week":
        weekdays = (f"date_part('dow', ({date})::timestamp)" for date in (first_date, second_date))
        return (
            f"({larger('day')} / 7 + case\n            when {' <= '.join(weekdays)} then\n"
            f"                case when {first_date} <= {second_date} then 0 else -1 end\n            else\n"
            f"                case when {first_date} <= {second_date} then 1 else 0 end\n        end)"
        )
    if datepart in DATE_PARTS:
        name, factor, kind = DATE_PARTS[datepart]
    elif datepart in TIME_PARTS:
        (name, factor), kind = TIME_PARTS[datepart], "timestamp"
    else:
        raise ExecutionError(f"PostgreSQL's datediff does not know the part '{datepart}'")
    return f"({larger(name)} * {factor} + {part(second_date, kind)} - {part(first_date, kind)})"


@macro
def postgres__last_day(ctx: MacroContext, date: str, datepart: str) -> Any:
    """Quarters in months: intervals know no quarters."""
    if datepart != "quarter":
        return ctx.call("default_last_day", date, datepart)
    next_quarter = ctx.call("dateadd", "month", "3", ctx.call("date_trunc", datepart, date))
    return f"cast(\n        {ctx.call('dateadd', 'day', '-1', next_quarter)}\n        as date)"


@macro
def postgres__listagg(
    ctx: MacroContext,
    measure: str,
    delimiter_text: str = "','",
    order_by_clause: str | None = None,
    limit_num: int | None = None,
) -> str:
    """The order stands inside the call."""
    order = f"\n            {order_by_clause}" if order_by_clause else ""
    if limit_num:
        array = f"(array_agg(\n            {measure}{order}\n        ))[1:{limit_num}]"
        return f"array_to_string(\n        {array},\n        {delimiter_text}\n        )"
    return f"string_agg(\n        {measure},\n        {delimiter_text}{order}\n        )"


@macro
def postgres__split_part(ctx: MacroContext, string_text: str, delimiter_text: str, part_number: int) -> Any:
    """A negative number counts from the end."""
    if part_number >= 0:
        return ctx.call("default__split_part", string_text, delimiter_text, part_number)
    count = (
        f"length({string_text})\n          - length(replace({string_text}, {delimiter_text}, '')) + 2 + {part_number}"
    )
    return f"split_part(\n        {string_text},\n        {delimiter_text},\n          {count}\n        )"


@macro
def postgres__current_timestamp_backcompat(ctx: MacroContext) -> str:
    """The present without a zone."""
    return f"current_timestamp::{ctx.call('type_timestamp')}"


@macro
def postgres__current_timestamp_in_utc_backcompat(ctx: MacroContext) -> str:
    """The present in UTC without a zone."""
    return f"(current_timestamp at time zone 'utc')::{ctx.call('type_timestamp')}"


@macro
def postgres__snapshot_get_time(ctx: MacroContext) -> str:
    """Without a zone."""
    return f"{ctx.call('current_timestamp')}::timestamp without time zone"


@macro
def postgres__snapshot_string_as_time(ctx: MacroContext, timestamp: Any) -> str:
    """A time as SQL."""
    return f"'{timestamp}'::timestamp without time zone"
