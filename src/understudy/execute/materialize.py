"""Materializations as generators: they yield requests and receive results, and know no engine and no thread.

SQL comes from macros (`create_table_as`, `get_test_sql`, ...), so that a project's overrides count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from typing import Any

from understudy.core.relation import Relation
from understudy.core.statement import Load, Request, Result, Statement
from understudy.errors import DatabaseError, ExecutionError, did_you_mean
from understudy.execute.build import Build, Outcome, SeedFile, Steps
from understudy.execute.external import external
from understudy.execute.functions import function
from understudy.execute.parts import after, before, begin, check_name, commit, drop, replace, swap
from understudy.execute.snapshots import snapshot
from understudy.template.objects import unwrap


def view(build: Build) -> Steps:
    """A view, in place of whatever stands there."""
    return (yield from replace(build, "view"))


def table(build: Build) -> Steps:
    """A table, in place of whatever stands there."""
    return (yield from replace(build, "table"))


def materialized_view(build: Build) -> Steps:
    """A view that keeps its rows: created, replaced, refreshed or altered (dbt 1.11: materialization materialized_view)."""
    target = build.this.with_type("materialized_view")
    existing, call = build.existing, build.macros.call
    yield from before(build)
    backup = call("make_backup_relation", target, existing.type if existing else target.type)
    intermediate = call("make_intermediate_relation", target)
    sql = str(call("materialized_view_get_build_sql", existing, target, backup, intermediate)).strip()
    result = Result(message=f"skip {target}", code="skip", rows_affected=-1)
    if sql:
        result = yield Statement(sql, purpose="main")
    yield from after(build, target, fresh=existing is None or existing.type != target.type)
    return Outcome(result, sql, (target,))


def incremental(build: Build) -> Steps:
    """Add to the table; build it anew when there is none, when it is no table, or when a full refresh is asked for.

    dbt 1.11 and dbt-duckdb 1.11: materialization incremental.
    """
    existing, call = build.existing, build.macros.call
    strategy = str(build.config.get("incremental_strategy") or "default")
    call("validate_incremental_strategy", strategy)
    if strategy == "microbatch" and not build.macros.overridden("get_incremental_microbatch_sql"):
        call("validate_microbatch")
    on_schema_change = call("incremental_validate_on_schema_change", build.config.get("on_schema_change"), "ignore")
    anew = existing is None or existing.type != "table"
    if anew or (not build.extends and build.macros.call("should_full_refresh")):
        return (yield from replace(build, "table"))
    target = build.this.with_type("table")
    yield from before(build)
    temporary = unwrap(call("make_temp_relation", target))
    language = ("python",) if build.is_python else ()
    yield build.request(str(call("create_table_as", True, temporary, build.sql, *language)), "create")
    columns = call("process_schema_changes", on_schema_change, temporary, target)
    refilled = _is_refilled(build, strategy)
    add = _refill(build, temporary, target) if refilled else _add(build, strategy, temporary, target, columns)
    result, sql = yield from add
    yield Statement(build.dialect.ddl.drop(temporary), purpose="drop")  # a table, unless the macro says otherwise
    yield from after(build, target, fresh=refilled)
    return Outcome(result, sql, (target,))


Added = Generator[Request, Result, tuple[Result, str]]
"""How new rows come into a table; the statement that counts, and its result."""


def _add(build: Build, strategy: str, temporary: Relation, target: Relation, columns: Any) -> Added:
    """As the strategy does it."""
    call, config = build.macros.call, build.config
    arguments = {
        "target_relation": target,
        "temp_relation": temporary,
        "unique_key": config.get("unique_key"),
        "dest_columns": columns or call("get_columns_in_relation", target),
        "incremental_predicates": config.get("predicates") or config.get("incremental_predicates"),
    }
    sql = str(call("get_incremental_sql", strategy, arguments))
    return (yield Statement(sql, purpose="main")), sql


def _is_refilled(build: Build, strategy: str) -> bool:
    """Whether the strategy, unless the project has its own, replaces all rows where the engine would empty the table."""
    own = build.macros.overridden(f"get_incremental_{strategy}_sql")
    return build.dialect.ddl.can_replace and not own and bool(build.macros.call("is_refilled", strategy))


def _refill(build: Build, temporary: Relation, target: Relation) -> Added:
    """The rows as another table with the same columns, which takes its place."""
    call = build.macros.call
    place = unwrap(call("make_intermediate_relation", target)).with_type("table")
    names = call("get_quoted_csv", [column.name for column in call("get_columns_in_relation", target)])
    sql = str(call("create_table_as", False, place, f"select {names} from {temporary}"))
    result = yield Statement(sql, purpose="main")
    yield from swap(build, place, target)
    return result, sql


def seed(build: Build) -> Steps:
    """A CSV file as a table: created once, emptied and filled again later, created anew by a full refresh."""
    file, existing = build.seed, build.existing
    if file is None:
        raise ExecutionError(f"The seed '{build.node.name}' has no file")
    if existing is not None and existing.type == "view":
        raise ExecutionError(
            f"Cannot seed to '{existing}', it is a view", hint="Drop the view, or name the seed otherwise."
        )
    target = build.this.with_type("table")
    refresh = bool(build.macros.call("should_full_refresh"))
    if any(map(build.macros.overridden, SEED_MACROS)):
        return (yield from _seed_by_macros(build, target, file, refresh=refresh))
    beside = not build.transactions  # half a file's rows are seen by nobody
    place = unwrap(build.macros.call("make_intermediate_relation", target)).with_type("table") if beside else target
    yield from before(build)
    if existing is not None and not refresh and not beside:
        sql = build.dialect.ddl.truncate(existing)
        yield Statement(sql, purpose="truncate")
    else:
        if existing is not None and not beside:
            yield from drop(build, existing)
        sql = str(build.macros.call("get_create_seed_table_sql", place, file.columns))
        yield Statement(sql, purpose="create")
    if file.rows:
        yield from _loaded(build, place, file, anew=existing is None or refresh or beside)
    if beside:
        yield from swap(build, place, target)
    yield from after(build, target, fresh=existing is None or refresh or beside)
    code = "CREATE" if refresh else "INSERT"
    result = Result(message=f"{code} {file.rows}", code=code, rows_affected=file.rows)
    return Outcome(result, sql, (target,))


def _loaded(build: Build, table: Relation, file: SeedFile, *, anew: bool) -> Generator[Request, Result, None]:
    """A file's rows into its table. Columns go by name, so that an older table may have them in another order."""
    call, model = build.macros.call, build.macros.model
    columns = tuple(str(call("get_seed_column_quoted_csv", model, [name])) for name, _ in file.columns)
    try:
        yield Load(table, file.path, columns, file.delimiter)
    except DatabaseError as error:
        if not anew:
            error.hint = error.hint or "If the columns of the file have changed, run it with --full-refresh."
        raise


SEED_MACROS = ("create_csv_table", "reset_csv_table", "load_csv_rows", "get_csv_sql", "get_batch_size")
"""Macros that belong to dbt's way with seeds; ours does without, until a project brings one of its own."""


def _seed_by_macros(build: Build, target: Relation, file: SeedFile, *, refresh: bool) -> Steps:
    """A seed as dbt makes it: its rows go through an agate table (dbt 1.11: materialization seed)."""
    call, existing, model = build.macros.call, build.existing, build.macros.model
    table = build.macros.variable("load_agate_table")()
    yield from before(build)
    if existing is not None:
        create = call("reset_csv_table", model, refresh, existing, table)
    else:
        create = call("create_csv_table", model, table)
    build.added(target)
    insert = call("load_csv_rows", model, table) if file.rows else ""
    sql = str(call("get_csv_sql", create, insert)).strip()
    yield from after(build, target, fresh=existing is None or refresh)
    code = "CREATE" if refresh else "INSERT"
    result = Result(message=f"{code} {file.rows}", code=code, rows_affected=file.rows)
    return Outcome(result, sql, (target,))


def test(build: Build) -> Steps:
    """Run a test's query, and keep its rows where that is asked for; the result has one row (see `judge`)."""
    config = build.config
    sql = str(build.macros.call("get_limit_subquery_sql", build.sql, config.get("limit")))
    relations: tuple[Relation, ...] = ()
    if build.store_failures:
        kind: Any = config.get("store_failures_as") or "table"
        if kind not in ("table", "view"):
            raise ExecutionError(f"store_failures_as must be 'table', 'view' or 'ephemeral', got '{kind}'")
        target = build.this.with_type(kind)
        check_name(build)
        yield from begin(build)
        if build.existing is not None:
            yield from drop(build, build.existing)
        yield Statement(str(build.macros.call("get_create_sql", target, sql)), purpose="create")
        yield from commit(build)
        sql, relations = f"select *\n        from {target}", (target,)
    main = str(
        build.macros.call(
            "get_test_sql",
            sql,
            config.get("fail_calc") or "count(*)",
            config.get("warn_if") or "!= 0",
            config.get("error_if") or "!= 0",
            limit=None,
        )
    )
    result = yield Statement(main, fetch=True, purpose="main")
    return Outcome(result, main, relations)


MATERIALIZATIONS: Mapping[str, Callable[[Build], Steps]] = {
    "view": view,
    "table": table,
    "materialized_view": materialized_view,
    "incremental": incremental,
    "seed": seed,
    "snapshot": snapshot,
    "test": test,
    "function": function,
}


OWN: Mapping[str, Mapping[str, Callable[[Build], Steps]]] = {"duckdb": {"external": external}}
"""What only one engine has."""


BUILT_IN = frozenset(MATERIALIZATIONS)
PYTHON = ("table", "incremental")
"""What takes the data frame of a Python model."""


def materialization(name: str, engine: str) -> Callable[[Build], Steps]:
    """The generator of a name. Raises ExecutionError, with the nearest name."""
    known = {**MATERIALIZATIONS, **OWN.get(engine, {})}
    found = known.get(name)
    if found is None:
        raise ExecutionError(
            f"There is no materialization '{name}' on {engine}", hint=did_you_mean(name, [*known, "ephemeral"])
        )
    return found


TEMPORARY = re.compile(r"__dbt_(?:tmp|backup|tmp_[0-9a-f]{8})", re.IGNORECASE)
"""What is behind a relation's name while it is built; without transactions some have a name of their own in each run."""


def temporary_names(this: Relation) -> tuple[Relation, Relation]:
    """The names that a killed run of ours or dbt's may have left."""
    return this.with_identifier(f"{this.identifier}__dbt_tmp"), this.with_identifier(f"{this.identifier}__dbt_backup")


def is_temporary(identifier: str, name: str) -> bool:
    """Whether a killed run may have left the one when it built the other."""
    return identifier.startswith(name) and TEMPORARY.fullmatch(identifier, len(name)) is not None
