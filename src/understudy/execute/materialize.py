"""Materializations as generators: they yield requests and receive results, and know no engine and no thread.

SQL comes from macros (`create_table_as`, `get_test_sql`, ...), so that a project's overrides count. On an engine with
transactions everything between `begin` and `commit` is done whole or not at all: a relation is built under another name
where its own is taken, and swapped in. The runner undoes the transaction when a statement fails.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from understudy.core.nodes import Node
from understudy.core.relation import Relation, RelationType
from understudy.core.statement import Load, Request, Result, Statement
from understudy.errors import ExecutionError, did_you_mean
from understudy.sql.dialect import Dialect
from understudy.template.objects import unwrap

Steps = Generator[Request, Result, "Outcome"]

BEGIN = Statement("begin", purpose="begin")
COMMIT = Statement("commit", purpose="commit")


class Macros(Protocol):
    """The node's templates: template.Session."""

    def call(self, macro: str, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, the project's own before ours."""

    def render(self, text: str) -> str:
        """Render a template in the node's context."""


@dataclass(frozen=True, slots=True)
class SeedFile:
    """A CSV file that was looked at: its path, (name, kind of values) of each column, the number of rows."""

    path: str
    columns: tuple[tuple[str, str], ...]
    rows: int
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class Build:
    """One node to be materialized.

    `sql` is compiled. `existing` is what stands under the node's name now, with its type; `leftovers` are relations that a
    killed run left under its temporary names.
    """

    node: Node
    this: Relation
    sql: str
    macros: Macros
    dialect: Dialect
    existing: Relation | None = None
    leftovers: tuple[Relation, ...] = ()
    transactions: bool = True
    seed: SeedFile | None = None
    store_failures: bool = False
    added: Callable[[Relation], None] = lambda relation: None
    """Told of a relation as soon as it stands, before the transaction ends: macros may ask for its columns."""

    @property
    def config(self) -> Mapping[str, Any]:
        """The node's config."""
        return self.node.config


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a materialization left: the main statement with its result, and the relations that exist now."""

    result: Result
    sql: str
    relations: tuple[Relation, ...] = ()


def drive(steps: Steps, send: Callable[[Request], Result]) -> Outcome:
    """Send what a generator yields until it ends. An error of `send` is thrown into it, and out of it again."""
    try:
        request = next(steps)
        while True:
            try:
                result = send(request)
            except Exception as error:  # noqa: BLE001 - the generator decides
                request = steps.throw(error)
            else:
                request = steps.send(result)
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome


def view(build: Build) -> Steps:
    """A view, in place of whatever stands there."""
    return (yield from _replace(build, "view"))


def table(build: Build) -> Steps:
    """A table, in place of whatever stands there."""
    return (yield from _replace(build, "table"))


def materialized_view(build: Build) -> Steps:
    """A view that keeps its rows: created, replaced, refreshed or altered (dbt 1.11: materialization materialized_view)."""
    target = build.this.with_type("materialized_view")
    existing, call = build.existing, build.macros.call
    yield from _before(build)
    backup = call("make_backup_relation", target, existing.type if existing else target.type)
    intermediate = call("make_intermediate_relation", target)
    sql = str(call("materialized_view_get_build_sql", existing, target, backup, intermediate)).strip()
    result = Result(message=f"skip {target}", code="skip", rows_affected=-1)
    if sql:
        result = yield Statement(sql, purpose="main")
    yield from _after(build, target, fresh=existing is None or existing.type != target.type)
    return Outcome(result, sql, (target,))


def incremental(build: Build) -> Steps:
    """Add to the table; build it anew when there is none, when it is no table, or when a full refresh is asked for.

    dbt 1.11 and dbt-duckdb 1.11: materialization incremental.
    """
    existing = build.existing
    if existing is None or existing.type != "table" or build.macros.call("should_full_refresh"):
        return (yield from _replace(build, "table"))
    target = build.this.with_type("table")
    call = build.macros.call
    on_schema_change = call("incremental_validate_on_schema_change", build.config.get("on_schema_change"), "ignore")
    strategy = str(build.config.get("incremental_strategy") or "default")
    yield from _before(build)
    temporary = unwrap(call("make_temp_relation", target))
    yield Statement(str(call("create_table_as", True, temporary, build.sql)), purpose="create")
    columns = call("process_schema_changes", on_schema_change, temporary, target)
    sql = str(
        call(
            f"get_incremental_{strategy.replace('+', '_')}_sql",
            {
                "target_relation": target,
                "temp_relation": temporary,
                "unique_key": build.config.get("unique_key"),
                "dest_columns": columns or call("get_columns_in_relation", target),
                "incremental_predicates": build.config.get("predicates") or build.config.get("incremental_predicates"),
            },
        )
    )
    result = yield Statement(sql, purpose="main")
    yield Statement(build.dialect.ddl.drop(temporary.with_type("table")), purpose="drop")
    yield from _after(build, target, fresh=False)
    return Outcome(result, sql, (target,))


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
    yield from _before(build)
    if existing is not None and not refresh:
        sql = build.dialect.ddl.truncate(existing)
        yield Statement(sql, purpose="truncate")
    else:
        if existing is not None:
            yield Statement(build.dialect.ddl.drop(existing), purpose="drop")
        sql = str(build.macros.call("get_create_seed_table_sql", target, file.columns))
        yield Statement(sql, purpose="create")
    if file.rows:
        yield Load(target, file.path, tuple(name for name, _ in file.columns), file.delimiter)
    yield from _after(build, target, fresh=existing is None or refresh)
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
        _check_name(build)
        yield from _begin(build)
        if build.existing is not None:
            yield Statement(build.dialect.ddl.drop(build.existing), purpose="drop")
        yield Statement(str(build.macros.call("get_create_sql", target, sql)), purpose="create")
        yield from _commit(build)
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
    "test": test,
}


def materialization(name: str, engine: str) -> Callable[[Build], Steps]:
    """The generator of a name. Raises ExecutionError, with the nearest name."""
    found = MATERIALIZATIONS.get(name)
    if found is None:
        raise ExecutionError(
            f"There is no materialization '{name}' on {engine}",
            hint=did_you_mean(name, [*MATERIALIZATIONS, "ephemeral"]),
        )
    return found


def temporary_names(this: Relation) -> tuple[Relation, Relation]:
    """The names that a killed run of ours or dbt's may have left."""
    return this.with_identifier(f"{this.identifier}__dbt_tmp"), this.with_identifier(f"{this.identifier}__dbt_backup")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test's row means."""

    status: str
    failures: int = 0
    message: str | None = field(default=None)


def judge(row: Sequence[Any], config: Mapping[str, Any], *, warn_error: bool = False) -> Verdict:
    """pass, warn or fail from (failures, should_warn, should_error). dbt 1.11: build_test_run_result.

    Raises ExecutionError when the row is not that, e.g. because `fail_calc` gave null.
    """
    if len(row) != 3 or row[0] is None:
        raise ExecutionError(
            f"The test's query must give failures, should_warn and should_error; it gave {tuple(row)!r}"
        )
    failures = int(row[0])
    got = f"Got {failures} result{'' if failures == 1 else 's'}, configured to"
    severity = str(config.get("severity") or "ERROR").upper()
    warn_if, error_if = config.get("warn_if") or "!= 0", config.get("error_if") or "!= 0"
    if severity == "ERROR" and _true(row[2]):
        return Verdict("fail", failures, f"{got} fail if {error_if}")
    if _true(row[1]):
        if warn_error:
            return Verdict("fail", failures, f"{got} fail if {warn_if}")
        return Verdict("warn", failures, f"{got} warn if {warn_if}")
    return Verdict("pass")


def _true(value: Any) -> bool:
    """A truth as engines send it: a boolean, 0 or 1, a text, or null. Raises ExecutionError for other texts."""
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower()
    if word in ("y", "yes", "t", "true", "on", "1"):
        return True
    if word in ("n", "no", "f", "false", "off", "0"):
        return False
    raise ExecutionError(f"The test's query must say whether it fails, got {value!r}")


# Parts of materializations -------------------------------------------------------------------------------------


def _replace(build: Build, kind: RelationType) -> Steps:
    """Build the relation beside the old one, and put it in its place."""
    target = build.this.with_type(kind)
    existing = build.existing
    place = target
    if existing is not None or not build.transactions:
        place = unwrap(build.macros.call("make_intermediate_relation", target))
    yield from _before(build)
    if kind == "view":
        sql = str(build.macros.call("get_create_view_as_sql", place, build.sql))
    else:
        sql = str(build.macros.call("get_create_table_as_sql", False, place, build.sql))
    result = yield Statement(sql, purpose="main")
    indexed = build.dialect.ddl.indexes_before_swap
    if indexed:
        _indexes(build, place.with_type(kind))
    if existing is not None:
        yield Statement(build.dialect.ddl.drop(existing), purpose="drop")
    if place is not target:
        yield Statement(build.dialect.ddl.rename(place.with_type(kind), target.identifier or ""), purpose="rename")
    yield from _after(build, target, fresh=True, indexed=indexed)
    return Outcome(result, sql, (target,))


def _before(build: Build) -> Generator[Request, Result, None]:
    """Leftovers, hooks outside of the transaction, `begin`, hooks inside."""
    _check_name(build)
    for leftover in build.leftovers:
        yield Statement(build.dialect.ddl.drop(leftover), purpose="drop")
    yield from _hooks(build, "pre-hook", inside=False)
    yield from _begin(build)
    yield from _hooks(build, "pre-hook", inside=True)


def _after(build: Build, target: Relation, *, fresh: bool, indexed: bool = False) -> Generator[Request, Result, None]:
    """Indexes, grants, comments, hooks inside, `commit`, hooks outside.

    `fresh`: the relation was created in this run; `indexed`: its indexes are there already.
    """
    config, call = build.config, build.macros.call
    build.added(target)
    if fresh and not indexed:
        _indexes(build, target)
    if config.get("grants"):
        call("apply_grants", target, config["grants"], should_revoke=call("should_revoke", build.existing, fresh))
    if any((config.get("persist_docs") or {}).values()):
        call("persist_docs", target, build.node)
    yield from _hooks(build, "post-hook", inside=True)
    yield from _commit(build)
    yield from _hooks(build, "post-hook", inside=False)


def _indexes(build: Build, relation: Relation) -> None:
    if relation.type == "table" and build.config.get("indexes"):
        build.macros.call("create_indexes", relation)


def _check_name(build: Build) -> None:
    """Raises ExecutionError for a name that the engine would cut, so that nobody found the relation again."""
    limit, name = build.dialect.max_identifier_length, build.this.identifier or ""
    if limit is not None and len(name.encode()) > limit:
        raise ExecutionError(
            f"Relation name '{name}' is longer than {limit} bytes", hint="Give the node a shorter alias."
        )


def _begin(build: Build) -> Generator[Request, Result, None]:
    if build.transactions:
        yield BEGIN


def _commit(build: Build) -> Generator[Request, Result, None]:
    if build.transactions:
        yield COMMIT


def _hooks(build: Build, kind: str, *, inside: bool) -> Generator[Request, Result, None]:
    for hook in build.config.get(kind) or ():
        if bool(hook.get("transaction", True)) is inside:
            sql = build.macros.render(hook["sql"]).strip()
            if sql:
                yield Statement(sql, purpose="hook", in_transaction=inside)
