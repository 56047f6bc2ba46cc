"""`adapter` and `api`: what templates ask of the engine, one small function for each (dbt 1.11: BaseAdapter's `@available`).

While a project is parsed nothing is asked: the answers are those of `PARSING`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from understudy.core.relation import Relation, SchemaName
from understudy.core.statement import ColumnType, Result, Statement
from understudy.errors import DatabaseError, JinjaError, did_you_mean
from understudy.sql import external
from understudy.template.agate_tables import to_agate
from understudy.template.columns import CLASSES, Column, ColumnFactory
from understudy.template.contexts import answers
from understudy.template.contexts.results import Response, run_statement, submit_python_job
from understudy.template.objects import RelationFactory, unwrap, wrap
from understudy.template.scope import Database
from understudy.template.state import State

Method = Callable[..., Any]


class Adapter:
    """`adapter.<method>(...)`."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __getattr__(self, name: str) -> Any:
        state = self._state
        if name == "Relation":
            return relation_factory(state)
        if name == "Column":
            return ColumnFactory(state.dialect.name)
        method = METHODS.get(name)
        if method is None:
            return _no_method(name)
        if name in REPLACED and state.execute:
            state.notify(
                "AdapterDeprecationWarning", f"adapter.{name} is deprecated: use adapter.{REPLACED[name]}", state.place
            )
        if not state.execute and name in PARSING:
            return lambda *args, **kwargs: PARSING[name]()
        return lambda *args, **kwargs: method(state, *args, **kwargs)


def _no_method(name: str) -> Any:
    """An undefined value (packages ask what there is), whose use is an error with the nearest name."""
    from understudy.template.environment import missing

    hint = did_you_mean(name, METHODS)
    return missing(f"adapter has no method '{name}'{f'. {hint}' if hint else ''}")


def relation_factory(state: State) -> RelationFactory:
    """`api.Relation`."""

    def make(database: Any, schema: Any, identifier: Any, policy: Mapping[str, bool]) -> Relation:
        return state.dialect.relation(database, schema, identifier, {**state.settings.root.quoting, **policy})

    return RelationFactory(make)


def _database(state: State) -> Database:
    if state.database is None:
        raise JinjaError("This template asks the database, which is not connected here", place=state.place)
    return state.database


def _schema(database: Any, schema: Any) -> SchemaName:
    return SchemaName(database or None, str(schema))


def dispatch(
    state: State, macro_name: str, macro_namespace: str | None = None, packages: Any = None
) -> Callable[..., Any]:
    """The implementation of a macro for this adapter. Raises JinjaError that lists what was looked for."""
    if packages is not None:
        raise JinjaError("adapter.dispatch takes no `packages`; use macro_namespace", place=state.place)
    return state.dispatch(macro_name, macro_namespace)


def execute(state: State, sql: str, auto_begin: bool = False, fetch: bool = False, limit: int | None = None) -> Any:
    """`(response, table)` of one statement."""
    result = run_statement(state, str(sql), fetch=fetch)
    return Response(result.adapter_response()), to_agate(result)


def add_query(
    state: State, sql: str, auto_begin: bool = True, bindings: Any = None, abridge_sql_log: bool = False
) -> Any:
    """Run a statement and give nothing back of it; `bindings` are the values of its parameters."""
    if bindings:
        try:
            sql = state.dialect.ddl.bound(str(sql), list(bindings))
        except ValueError:
            raise JinjaError(f"The statement does not have {len(bindings)} parameters", place=state.place) from None
    return execute(state, sql)[0], None


def get_relation(state: State, database: Any, schema: Any, identifier: Any) -> Any:
    """The relation with its type, or None."""
    return wrap(_database(state).relation(database, str(schema), str(identifier)))


def load_relation(state: State, relation: Any) -> Any:
    """The relation as the engine has it, or None."""
    wanted = unwrap(relation)
    return get_relation(state, wanted.database, wanted.schema, wanted.identifier)


def list_relations(state: State, database: Any, schema: Any) -> list[Any]:
    """All relations of a schema."""
    return [wrap(relation) for relation in _database(state).relations(_schema(database, schema))]


def list_relations_without_caching(state: State, schema_relation: Any) -> list[Any]:
    """All relations of a relation's schema; the project's own macro says them in a table."""
    if not state.overridden("list_relations_without_caching"):
        wanted = unwrap(schema_relation)
        return list_relations(state, wanted.database, wanted.schema)
    create = relation_factory(state).create
    rows = state.call("list_relations_without_caching", schema_relation).rows
    return [create(database, schema, name, type=kind) for database, name, schema, kind in map(_row, rows)]


def _row(row: Any) -> list[Any]:
    """The values of a table's row."""
    return list(row.values())


def get_columns_in_relation(state: State, relation: Any) -> list[Column]:
    """The relation's columns in order."""
    if state.overridden("get_columns_in_relation"):
        return state.call("get_columns_in_relation", relation)  # type: ignore[no-any-return]
    return _columns(state, list(_database(state).columns(unwrap(relation))))


def get_columns_in_table(state: State, schema: Any, identifier: Any) -> list[Column]:
    """The old name, without a database."""
    return get_columns_in_relation(state, relation_factory(state).create(None, schema, identifier))


def get_missing_columns(state: State, from_relation: Any, to_relation: Any) -> list[Column]:
    """The columns that the first has and the second lacks."""
    known = {column.name for column in get_columns_in_relation(state, to_relation)}
    return [column for column in get_columns_in_relation(state, from_relation) if column.name not in known]


def get_column_schema_from_query(state: State, sql: str) -> list[Column]:
    """The columns of a query."""
    described = state.dialect.ddl.describe_query(str(sql))
    if described is None:
        result = run_statement(state, f"select * from ({sql}) as dbt_sbq where false limit 0", fetch=True)
        return _columns(state, [ColumnType(*each) for each in zip(result.columns, result.types, strict=True)])
    result = run_statement(state, described, fetch=True)
    return _columns(state, [ColumnType(str(row[0]), str(row[1])) for row in result.rows])


def _columns(state: State, columns: list[ColumnType]) -> list[Column]:
    """Columns of the engine's class."""
    return wrap(columns, CLASSES.get(state.dialect.name, Column))  # type: ignore[no-any-return]


def expand_target_column_types(state: State, from_relation: Any, to_relation: Any) -> None:
    """Make the second's text columns as long as the first's."""
    targets = {column.name: column for column in get_columns_in_relation(state, to_relation)}
    for column in get_columns_in_relation(state, from_relation):
        target = targets.get(column.name)
        if target is not None and target.can_expand_to(column):
            state.call("alter_column_type", to_relation, column.name, f"character varying({column.string_size()})")


def valid_snapshot_target(state: State, relation: Any, column_names: Mapping[str, str] | None = None) -> None:
    """Raises JinjaError when a relation lacks the columns of a snapshot."""
    names = {column.name.lower() for column in get_columns_in_relation(state, relation)}
    wanted = ("dbt_scd_id", "dbt_valid_from", "dbt_valid_to")
    missing = [name for name in wanted if (column_names or {}).get(name, name).lower() not in names]
    if missing:
        listed = ", ".join(missing)
        raise JinjaError(
            f"Snapshot target is missing columns ({listed}): {relation} is no snapshot table", place=state.place
        )


def check_schema_exists(state: State, database: Any, schema: Any) -> bool:
    """Whether a schema exists."""
    if state.overridden("check_schema_exists"):
        asked = relation_factory(state).create(database=database, schema=str(schema), identifier="INFORMATION_SCHEMA")
        return int(_row(state.call("check_schema_exists", asked, str(schema)).rows[0])[0]) > 0
    return str(schema).lower() in {name.lower() for name in _database(state).schemas(database or None)}


def already_exists(state: State, schema: Any, name: Any) -> bool:
    """Whether a relation exists."""
    return _database(state).relation(state.settings.target.database, str(schema), str(name)) is not None


def by_macro(name: str) -> Method:
    """A change of the database: the macro that a project may override does it."""

    def method(state: State, *args: Any, **kwargs: Any) -> None:
        state.call(name, *args, **kwargs)

    return method


def drop_relation(state: State, relation: Any) -> None:
    """Drop a relation, whichever macro does it."""
    state.call("drop_relation", relation)
    _database(state).dropped(unwrap(relation))


def rename_relation(state: State, from_relation: Any, to_relation: Any) -> None:
    """Rename a relation, whichever macro does it."""
    state.call("rename_relation", from_relation, to_relation)
    _database(state).renamed(unwrap(from_relation), unwrap(to_relation))


def cache_added(state: State, relation: Any) -> str:
    """A template made a relation itself."""
    if relation is not None:
        _database(state).added(unwrap(relation))
    return ""


def cache_dropped(state: State, relation: Any) -> str:
    """A template dropped a relation itself."""
    if relation is not None:
        _database(state).dropped(unwrap(relation))
    return ""


def cache_renamed(state: State, from_relation: Any, to_relation: Any) -> str:
    """A template renamed a relation itself."""
    _database(state).renamed(unwrap(from_relation), unwrap(to_relation))
    return ""


def location_exists(state: State, location: str) -> bool:
    """Whether the engine finds a file there."""
    try:
        run_statement(state, f"select 1 from {state.dialect.ddl.literal(location)} where 1=0", fetch=True)
    except DatabaseError:
        return False
    return True


def run_sql_for_tests(state: State, sql: str, fetch: str = "None", conn: Any = None) -> Any:
    """Run a statement; `fetch` is `one`, `all` or nothing."""
    rows = run_statement(state, str(sql), fetch=fetch != "None").rows
    return {"one": rows[0] if rows else None, "all": list(rows)}.get(fetch)


def existing_key_constraint_types(state: State, relation: Any) -> list[str]:
    """The kinds of key constraints that a table has (DuckDB)."""
    wanted, text = unwrap(relation), state.dialect.ddl.literal
    rows = run_statement(
        state,
        "select distinct constraint_type from duckdb_constraints() where constraint_type in "
        "('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY') and lower(table_name) = lower("
        f"{text(wanted.identifier)}) and lower(schema_name) = lower({text(wanted.schema)}) and "
        f"lower(database_name) = lower({text(wanted.database)})",
        fetch=True,
    ).rows
    return sorted(str(row[0]).lower().replace(" ", "_") for row in rows)


def unavailable(name: str) -> Method:
    """A method that other engines have."""

    def method(state: State, *args: Any, **kwargs: Any) -> None:
        raise JinjaError(f"adapter.{name} is not available on {state.dialect.name}", place=state.place)

    return method


def external_write_options(state: State, write_location: str, rendered_options: dict[str, Any]) -> str:
    """COPY's options as text; `rendered_options` gets what the file's name says (dbt-duckdb 1.11)."""
    rendered_options.update(external.write_options(str(write_location), rendered_options))
    return external.options_sql(rendered_options)


def commit(state: State) -> None:
    """End the transaction that a materialization's statements opened."""
    if state.database is not None:
        state.database.execute(Statement("commit", purpose="commit"))


def constant(value: Any) -> Method:
    """A method whose answer is fixed."""
    return lambda state, *args, **kwargs: value


REPLACED = {"already_exists": "get_relation", "get_columns_in_table": "get_columns_in_relation"}
"""Methods that dbt means to end, and what stands for them (dbt 1.11: `available.deprecated`)."""

METHODS: dict[str, Method] = {
    **answers.METHODS,
    "dispatch": dispatch,
    "type": lambda state: state.settings.target.type,
    "execute": execute,
    "add_query": add_query,
    "get_relation": get_relation,
    "load_relation": load_relation,
    "list_relations": list_relations,
    "list_relations_without_caching": list_relations_without_caching,
    "get_columns_in_relation": get_columns_in_relation,
    "get_columns_in_table": get_columns_in_table,
    "get_missing_columns": get_missing_columns,
    "get_column_schema_from_query": get_column_schema_from_query,
    "expand_target_column_types": expand_target_column_types,
    "valid_snapshot_target": valid_snapshot_target,
    "assert_valid_snapshot_target_given_strategy": lambda state, relation, names, strategy: valid_snapshot_target(
        state, relation, names
    ),
    "check_schema_exists": check_schema_exists,
    "already_exists": already_exists,
    "create_schema": by_macro("create_schema"),
    "drop_schema": by_macro("drop_schema"),
    "truncate_relation": by_macro("truncate_relation"),
    "drop_relation": drop_relation,
    "rename_relation": rename_relation,
    "cache_added": cache_added,
    "cache_dropped": cache_dropped,
    "cache_renamed": cache_renamed,
    "escape_sql_string": lambda state, value: str(value).replace("'", "''"),
    "external_root": lambda state: state.settings.target.credentials.get("external_root") or ".",
    "external_path": lambda state, path: external.located(str(path), state.settings.root.root),
    "external_write_options": external_write_options,
    "external_read_location": lambda state, write_location, rendered_options: external.read_location(
        str(write_location), rendered_options
    ),
    "location_exists": location_exists,
    "run_sql_for_tests": run_sql_for_tests,
    "existing_key_constraint_types": existing_key_constraint_types,
    "get_binding_char": lambda state: state.dialect.ddl.binding,
    "catalog_supports_foreign_keys": constant(True),
    "use_ducklake_table_workarounds": constant(False),
    "build_catalog_relation": constant(None),
    "ensure_transaction": constant(None),
    "is_motherduck": constant(False),
    "is_ducklake": constant(False),
    "disable_transactions": constant(False),
    "commit": commit,
    "warn_once": lambda state, msg: state.notify("once", str(msg), None),
    "submit_python_job": lambda state, parsed_model, compiled_code: submit_python_job(state)(
        parsed_model, compiled_code
    ),
    "get_partitions_metadata": unavailable("get_partitions_metadata"),
    **{
        name: unavailable(name)
        for name in (
            "get_catalog_integration",
            "store_relation",
            "get_temp_relation_path",
            "get_seed_file_path",
        )
    },
}


def _empty_table() -> Any:
    return to_agate(Result())


def _nothing() -> None:
    return None


PARSING: dict[str, Callable[[], Any]] = {
    **dict.fromkeys(
        (
            "get_relation", "load_relation", "drop_relation", "truncate_relation", "rename_relation", "create_schema",
            "drop_schema", "valid_snapshot_target", "assert_valid_snapshot_target_given_strategy",
            "expand_target_column_types", "get_incremental_strategy_macro", "get_hard_deletes_behavior", "commit",
        ),
        _nothing,
    ),
    **dict.fromkeys(
        (
            "get_columns_in_relation", "get_columns_in_table", "get_missing_columns", "get_column_schema_from_query",
            "list_relations", "list_relations_without_caching",
        ),
        list,
    ),
    **dict.fromkeys(("check_schema_exists", "already_exists"), bool),
    **dict.fromkeys(("cache_added", "cache_dropped", "cache_renamed"), str),
    "execute": lambda: ("", _empty_table()),
    "add_query": lambda: (None, None),
}  # fmt: skip
"""What the methods answer while nothing may be asked (dbt 1.11: `@available.parse`)."""


def api(state: State) -> dict[str, Any]:
    """`api.Relation`, `api.Column`."""
    return {"Relation": relation_factory(state), "Column": ColumnFactory(state.dialect.name)}


MEMBERS: dict[str, Callable[[State], Any]] = {
    "adapter": Adapter,
    "api": api,
    "column": lambda state: ColumnFactory(state.dialect.name),
}
