"""The materialization of snapshots (dbt 1.11: materialization snapshot)."""

from __future__ import annotations

from typing import Any

from understudy.core.relation import Relation
from understudy.core.statement import Statement
from understudy.errors import ExecutionError
from understudy.execute.build import Build, Outcome, Steps
from understudy.execute.parts import after, before, drop, swap
from understudy.template.objects import unwrap


def snapshot(build: Build) -> Steps:
    """The first run makes the table; later ones end the versions of rows that changed, and add the new ones."""
    existing, call = build.existing, build.macros.call
    if existing is not None and existing.type != "table":
        raise ExecutionError(
            f"Trying to create table {existing}, but it currently exists as a {existing.type}",
            hint="Drop it, or give the snapshot another name: a snapshot replaces nothing.",
        )
    target = build.this.with_type("table")
    yield from before(build)
    strategy = call("begin_snapshot", target, existing is not None)
    steps = _create(build, target, strategy) if existing is None else _extend(build, target, strategy)
    return (yield from steps)


def _create(build: Build, target: Relation, strategy: Any) -> Steps:
    """Every row of the query is a version that is valid."""
    call = build.macros.call
    query = str(call("build_snapshot_table", strategy, build.sql))
    place = target if build.transactions else unwrap(call("make_intermediate_relation", target)).with_type("table")
    sql = str(call("create_table_as", False, place, query))
    call("check_time_data_types", query)
    result = yield Statement(sql, purpose="main")
    if place is not target:
        yield from swap(build, place, target)
    yield from after(build, target, fresh=True)
    return Outcome(result, sql, (target,))


def _extend(build: Build, target: Relation, strategy: Any) -> Steps:
    """The changes since the last run, by way of a staging table."""
    call = build.macros.call
    staging = unwrap(call("build_snapshot_staging_table", strategy, build.sql, target))
    columns = call("snapshot_columns", staging, target)
    sql = str(call("snapshot_merge_sql", target, staging, columns))
    call("check_time_data_types", f"select * from {staging}")
    result = yield Statement(sql, purpose="main")
    call("post_snapshot", staging)
    yield from drop(build, staging)
    yield from after(build, target, fresh=False)
    return Outcome(result, sql, (target,))
