"""What dbt-spark says in its own way (dbt-spark 1.11: include/spark/macros)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from understudy.core.relation import Relation
from understudy.errors import DatabaseError, ExecutionError
from understudy.sql.spark import FILE_FORMATS, MERGEABLE, REPLACEABLE, Spark
from understudy.stdlib import grants
from understudy.stdlib.support import Table, as_relation, database_of, field, names_of, quoted, quoted_name, send
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("file_format_clause", "options_clause", "tblproperties_clause", "partition_cols", "clustered_cols")
macro.dispatched("location_clause", "comment_clause", "create_temporary_view")

SPARK = Spark()


# -- the clauses of `create table`: projects override them one by one --------------------------------------------


def file_format(ctx: MacroContext) -> str:
    """The configured format, parquet where there is none. Raises ExecutionError for one that Spark does not have."""
    name = str(ctx.config.get("file_format") or "parquet").lower()
    if name not in FILE_FORMATS:
        raise ExecutionError(f"Spark has no file format '{name}'", hint=f"Use one of: {', '.join(FILE_FORMATS)}.")
    return name


def _names(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(each) for each in value or ()]


def _pairs(value: Any, what: str) -> str:
    if not isinstance(value, Mapping):
        raise ExecutionError(f"'{what}' must be a map, got {value!r}")
    return ", ".join(f"{SPARK.literal(key)} = {SPARK.literal(each)}" for key, each in value.items())


@macro
def spark__file_format_clause(ctx: MacroContext) -> str:
    """`using <format>`. Always said: what Spark takes by itself depends on its version and settings."""
    return f"using {file_format(ctx)}"


@macro
def spark__options_clause(ctx: MacroContext) -> str:
    """`options (...)`; a hudi table gets its key from `unique_key`."""
    options = ctx.config.get("options")
    key = ctx.config.get("unique_key")
    if file_format(ctx) == "hudi" and key:
        options = {"primaryKey": ",".join(_names(key)), **(options or {})}
    return f"options ({_pairs(options, 'options')})" if options else ""


@macro
def spark__tblproperties_clause(ctx: MacroContext) -> str:
    """`tblproperties (...)`."""
    properties = ctx.config.get("tblproperties")
    return f"tblproperties ({_pairs(properties, 'tblproperties')})" if properties else ""


@macro
def spark__partition_cols(ctx: MacroContext, label: str, required: bool = False) -> str:
    """The configured partition columns behind the label, as the project wrote them."""
    columns = _names(ctx.config.get("partition_by"))
    return f"{label} ({', '.join(columns)})" if columns else ""


@macro
def spark__clustered_cols(ctx: MacroContext, label: str, required: bool = False) -> str:
    """The configured bucket columns behind the label; nothing without `buckets`."""
    columns, buckets = _names(ctx.config.get("clustered_by")), ctx.config.get("buckets")
    return f"{label} ({', '.join(columns)}) into {int(buckets)} buckets" if columns and buckets else ""


@macro
def spark__location_clause(ctx: MacroContext) -> str:
    """`location '<location_root>/<alias>'`.

    A table that is built beside the one that it will replace cannot have the same folder: Spark would mix their files.
    Then the folder's name ends with the run's id; the old table's folder is left, as Spark leaves folders of its own.
    """
    root = ctx.config.get("location_root")
    if root is None:
        return ""
    alias = str(field(ctx.model, "alias"))
    folder = f"{str(root).rstrip('/')}/{alias}"
    if file_format(ctx) not in REPLACEABLE and _is_taken(ctx, alias):
        folder += f"__{_run(ctx)}"
    return f"location {SPARK.literal(folder)}"


def _is_taken(ctx: MacroContext, alias: str) -> bool:
    this = as_relation(ctx.this)
    if ctx.database is None:
        return False
    names = {(relation.identifier or "").lower() for relation in ctx.database.relations(this.schema_name)}
    return any(name == alias.lower() or name.startswith(f"{alias.lower()}__dbt_") for name in names)


@macro
def spark__comment_clause(ctx: MacroContext) -> str:
    """`comment '...'`, where `persist_docs` asks for the relation's description."""
    wanted = ctx.config.get("persist_docs") or {}
    if not isinstance(wanted, Mapping):
        raise ExecutionError(f"'persist_docs' must be a map, got {wanted!r}")
    description = field(ctx.model, "description")
    return f"comment {SPARK.literal(description)}" if wanted.get("relation") and description else ""


def _clauses(ctx: MacroContext) -> str:
    texts = (
        ctx.call("file_format_clause"),
        ctx.call("options_clause"),
        ctx.call("tblproperties_clause"),
        ctx.call("partition_cols", label="partitioned by"),
        ctx.call("clustered_cols", label="clustered by"),
        ctx.call("location_clause"),
        ctx.call("comment_clause"),
    )
    return "".join(f"  {text.strip()}\n" for each in texts if (text := str(each)).strip())


# -- relations -------------------------------------------------------------------------------------------------


def _header(ctx: MacroContext) -> str:
    header = ctx.config.get("sql_header")
    return f"{header}\n" if header is not None else ""


def _enforced(ctx: MacroContext) -> bool:
    return bool(field(ctx.config.get("contract"), "enforced"))


def _run(ctx: MacroContext) -> str:
    text = f"{ctx.variable('invocation_id')}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8]


@macro
def spark__generate_database_name(ctx: MacroContext, custom_database_name: str | None = None, node: Any = None) -> None:
    """A schema is a database on Spark: there is nothing above it."""
    return


@macro
def spark__create_temporary_view(ctx: MacroContext, relation: Any, compiled_code: str) -> str:
    """A view that only this session sees."""
    return f"{_header(ctx)}create or replace temporary view {relation} as\n{compiled_code}"


@macro
def spark__create_table_as(
    ctx: MacroContext, temporary: bool, relation: Any, compiled_code: str, language: str = "sql"
) -> str:
    """`create table ... using <format> ... as`; what is temporary is a view. A contract is checked before.

    Constraints are declared on delta only, as dbt-spark does: other formats have none. Of a Python model it is the script
    that does it.
    """
    if language == "python":
        more = {"temporary": True} if temporary else {}
        return str(ctx.call("py_write_table", compiled_code=compiled_code, target_relation=relation, **more))
    if temporary:
        return str(ctx.call("create_temporary_view", relation, compiled_code))
    constraints = ""
    if _enforced(ctx):
        ctx.call("get_assert_columns_equivalent", compiled_code)
        compiled_code = str(ctx.call("get_select_subquery", compiled_code))
        constraints = "".join(f";\n{sql}" for sql in _constraints(ctx, relation))
    words = "create or replace table" if file_format(ctx) in REPLACEABLE else "create table"
    return f"{_header(ctx)}{words} {relation}\n{_clauses(ctx)}as\n{compiled_code}{constraints}"


def _constraints(ctx: MacroContext, relation: Any) -> Iterable[str]:
    if file_format(ctx) != "delta":
        return
    columns: Mapping[str, Mapping[str, Any]] = ctx.model.get("columns") or {}
    for column in columns.values():
        if any(str(field(each, "type")) == "not_null" for each in column.get("constraints") or ()):
            yield f"alter table {relation} alter column {quoted_name(ctx, column)} set not null"
    for each in ctx.model.get("constraints") or ():
        expression = field(each, "expression")
        if str(field(each, "type")) == "check" and expression:
            digest = hashlib.md5(str(expression).encode(), usedforsecurity=False).hexdigest()
            yield f"alter table {relation} add constraint {field(each, 'name') or digest} check ({expression})"


@macro
def spark__get_create_seed_table_sql(ctx: MacroContext, relation: Any, columns: Iterable[tuple[str, str]]) -> str:
    """`create table` for (name, kind of values) pairs, with the clauses of the config."""
    return f"{ctx.call('default__get_create_seed_table_sql', relation, columns)}\n{_clauses(ctx)}".rstrip()


@macro
def spark__create_view_as(ctx: MacroContext, relation: Any, sql: str) -> str:
    """`create or replace view`, with the descriptions of its columns where `persist_docs` asks for them."""
    if _enforced(ctx):
        ctx.call("get_assert_columns_equivalent", sql)
    columns = ""
    if (ctx.config.get("persist_docs") or {}).get("columns"):
        described = {
            name.lower(): column.get("description") for name, column in (ctx.model.get("columns") or {}).items()
        }
        parts = (
            quoted(ctx, name) + (f" comment {SPARK.literal(text)}" if (text := described.get(name.lower())) else "")
            for name in ctx.call("get_columns_in_query", sql)
        )
        columns = f" ({', '.join(parts)})"
    comment = str(ctx.call("comment_clause")).strip()
    return f"{_header(ctx)}create or replace view {relation}{columns}{f' {comment}' if comment else ''} as\n{sql}"


@macro
def is_replaced(ctx: MacroContext, relation: Any, existing: Any) -> bool:
    """Whether the statement that creates the relation puts it in the existing one's place, so that nobody sees a gap.

    Ours: views by views; tables by tables where both are of a format that can (dbt-spark: materialization table).
    """
    target, old = as_relation(relation), as_relation(existing) if existing is not None else None
    if old is not None and old.type != target.type:
        return False
    if target.type == "view":
        return True
    wanted = file_format(ctx)
    return wanted in REPLACEABLE and (old is None or _provider(ctx, old) == wanted)


@macro
def is_refilled(ctx: MacroContext, strategy: str) -> bool:
    """Whether an incremental strategy replaces all rows of the table, in a format that is emptied before it is filled.

    Then the rows are better written as another table, which takes its place. Ours.
    """
    all_rows = strategy == "insert_overwrite" and not ctx.config.get("partition_by")
    return all_rows and file_format(ctx) not in MERGEABLE


@macro
def after_rename(ctx: MacroContext, relation: Any) -> str:
    """Look for a table's partitions anew: Spark's own catalog (unlike Hive's) leaves them in the folder of the old name.

    The table would be empty; and dropped as a backup, it would take the folders of the table that has its name now. The
    old table may be of a time without `partition_by`. Ours.
    """
    if as_relation(relation).type == "table" and ctx.config.get("partition_by"):
        rows = send(ctx, f"describe table {relation}", "introspect", fetch=True).rows
        if any(row[0] == "# Partition Information" for row in rows):
            send(ctx, f"alter table {relation} recover partitions", "rename")
    return ""


def _provider(ctx: MacroContext, relation: Relation) -> str | None:
    """The format of a table, None where it cannot be told."""
    try:
        rows = send(ctx, f"describe table extended {relation.render()}", "introspect", fetch=True).rows
    except DatabaseError:
        return None
    return next((str(row[1]).lower() for row in rows if row[0] == "Provider"), None)


@macro
def spark__make_intermediate_relation(ctx: MacroContext, base_relation: Any, suffix: str = "__dbt_tmp") -> Relation:
    """The name under which a relation is built, new in each run: a killed one leaves files, and Spark builds no table
    where files are."""
    base = as_relation(base_relation)
    return base.with_identifier(f"{base.identifier}{suffix}_{_run(ctx)}")


@macro
def spark__make_temp_relation(ctx: MacroContext, base_relation: Any, suffix: str = "__dbt_tmp") -> Relation:
    """A view of the session: it has no schema, so a digest tells relations of different schemas apart."""
    base = as_relation(base_relation)
    digest = hashlib.md5(base.render().encode(), usedforsecurity=False).hexdigest()[:8]
    return replace(base, database=None, schema=None, identifier=f"{base.identifier}{suffix}_{digest}").with_type("view")


# -- descriptions and grants -----------------------------------------------------------------------------------


@macro
def spark__persist_docs(
    ctx: MacroContext, relation: Any, model: Any, for_relation: bool = True, for_columns: bool = True
) -> str:
    """Descriptions of a table's columns, and of a table that may be older than its description; all others were written
    when the relation was created."""
    target = as_relation(relation)
    wanted: Mapping[str, Any] = ctx.config.get("persist_docs") or {}
    description, kept = field(model, "description"), ctx.config.get("materialized") in ("incremental", "snapshot")
    if for_relation and wanted.get("relation") and description and kept and target.type != "view":
        send(ctx, ctx.call("alter_relation_comment", relation, description), "comment")
    columns = field(model, "columns") or {}
    if for_columns and wanted.get("columns") and columns and target.type != "view":
        names = [column.name for column in database_of(ctx).columns(target)]
        columns = ctx.call("validate_doc_columns", relation, columns, names)
        sql = str(ctx.call("alter_column_comment", relation, columns))
        if sql.strip():
            send(ctx, sql, "comment")
    return ""


@macro
def spark__support_multiple_grantees_per_dcl_statement(ctx: MacroContext) -> bool:
    """One grantee per statement."""
    return False


@macro
def spark__get_grant_sql(ctx: MacroContext, relation: Any, privilege: str, grantees: Sequence[str]) -> str:
    """`grant` to one grantee, whose name is quoted."""
    return f"grant {privilege} on {relation} to {quoted(ctx, grantees[0])}"


@macro
def spark__copy_grants(ctx: MacroContext) -> bool:
    """A view that is replaced has no grants; for a table it depends on its format, so they are looked at."""
    return bool(ctx.config.get("materialized") != "view")


@macro
def spark__apply_grants(ctx: MacroContext, relation: Any, grant_config: Any, should_revoke: bool = True) -> str:
    """Bring the relation's grants to what is configured, on a catalog that has grants."""
    return grants.apply(ctx, relation, grant_config, should_revoke)


# -- incremental -----------------------------------------------------------------------------------------------


@macro
def spark__get_incremental_default_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """Append, with a key or without (dbt-spark 1.11)."""
    return ctx.call("get_incremental_append_sql", arg_dict)


@macro
def spark__get_incremental_append_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """Add the new rows. Iceberg wants a value for each column of the table, and a column that they lack is null."""
    if file_format(ctx) != "iceberg":
        return ctx.call("default__get_incremental_append_sql", arg_dict)
    target, source = as_relation(arg_dict["target_relation"]), arg_dict["temp_relation"]
    given = {name.lower() for name in names_of(arg_dict["dest_columns"])}
    columns = [column.name for column in database_of(ctx).columns(target)]
    values = [quoted(ctx, name) if name.lower() in given else "null" for name in columns]
    into = f"insert into {target.render()} ({', '.join(quoted(ctx, name) for name in columns)})"
    return f"{into}\n    select {', '.join(values)} from {source}"


@macro
def spark__get_incremental_delete_insert_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """Spark has it for no format (dbt-spark 1.11: validate)."""
    raise ExecutionError(
        "The incremental strategy 'delete+insert' is not available on Spark",
        hint="Use append, insert_overwrite, or merge with file_format delta, iceberg or hudi.",
    )


@macro
def spark__get_incremental_merge_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """`merge into`, where the format has it."""
    name = file_format(ctx)
    if name not in MERGEABLE:
        raise ExecutionError(
            f"The incremental strategy 'merge' is not available for the file format '{name}'",
            hint="Set file_format to delta, iceberg or hudi, or use append or insert_overwrite.",
        )
    names = ("target_relation", "temp_relation", "unique_key", "dest_columns", "incremental_predicates")
    return ctx.call("get_merge_sql", *(arg_dict[each] for each in names))


@macro
def spark__get_incremental_insert_overwrite_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> str:
    """Replace the partitions that the new rows fall into; of a table without partitions, all rows.

    The mode is the same for all models, for they share the session.
    """
    target, source = as_relation(arg_dict["target_relation"]), arg_dict["temp_relation"]
    columns = ", ".join(quoted(ctx, column.name) for column in database_of(ctx).columns(target))
    if file_format(ctx) == "iceberg":  # it takes neither the word nor the partitions
        into = f"insert overwrite {target.render()}"
    else:
        into = f"insert overwrite table {target.render()} {ctx.call('partition_cols', label='partition')}".rstrip()
    return f"set spark.sql.sources.partitionOverwriteMode = DYNAMIC;\n{into}\n    select {columns} from {source}"


@macro
def spark__get_incremental_microbatch_sql(ctx: MacroContext, arg_dict: Mapping[str, Any]) -> Any:
    """A batch replaces its partitions."""
    ctx.call("validate_microbatch")
    return ctx.dispatch("get_incremental_insert_overwrite_sql", "dbt")(arg_dict)


@macro
def spark__validate_microbatch(ctx: MacroContext) -> str:
    """A batch replaces its partitions, so there must be some."""
    if not ctx.config.get("partition_by"):
        raise ExecutionError(
            "The strategy 'microbatch' requires a `partition_by` config on Spark",
            hint=f"Partition by a column of the grain '{ctx.config.get('batch_size')}'.",
        )
    return ""


@macro
def spark__alter_relation_add_remove_columns(
    ctx: MacroContext, relation: Any, add_columns: Any = None, remove_columns: Any = None
) -> str:
    """Add columns. Raises ExecutionError for columns to remove from a format that keeps them."""
    target, name = as_relation(relation), file_format(ctx)
    if remove_columns and name not in REPLACEABLE:
        columns = ", ".join(str(column.name) for column in remove_columns)
        raise ExecutionError(
            f"Spark cannot drop columns of a {name} table: {columns}",
            hint="Run with --full-refresh, or set on_schema_change to append_new_columns.",
        )
    if add_columns:
        send(ctx, SPARK.add_columns(target, [(str(each.name), str(each.data_type)) for each in add_columns]), "alter")
    for column in remove_columns or ():
        send(ctx, SPARK.drop_column(target, str(column.name)), "alter")
    return ""


@macro
def spark__snapshot_hash_arguments(ctx: MacroContext, args: Iterable[str]) -> str:
    """A digest of several columns."""
    return "md5(" + " || '|' || ".join(f"coalesce(cast({arg} as string), '')" for arg in args) + ")"


@macro
def spark__snapshot_string_as_time(ctx: MacroContext, timestamp: Any) -> str:
    """A time as SQL."""
    return f"to_timestamp('{timestamp}')"
