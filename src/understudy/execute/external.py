"""The materialization `external`: a file, and a view that reads it (DuckDB; dbt-duckdb 1.11)."""

from __future__ import annotations

from understudy.core.statement import Statement
from understudy.execute.build import Build, Outcome, Steps
from understudy.execute.parts import after, before, swap
from understudy.sql.external import all_there
from understudy.template.objects import unwrap


def external(build: Build) -> Steps:
    """Write the query's rows to a file, and put a view on it in place of whatever stands there.

    The query is done before the file is touched, and DuckDB writes beside the old file and renames then: it is replaced
    whole or not at all. (A folder of files, by `partition_by` or `per_thread_output`, is not: its files come one by one.)
    """
    call, ddl, this = build.macros.call, build.dialect.ddl, build.this
    target = this.with_type("view")
    rows = unwrap(call("make_intermediate_relation", this.with_type("table"))).with_type("table")
    place = this.with_identifier(f"{this.identifier}__dbt_int").with_type("view") if build.existing else target
    yield from before(build)
    files = call("external_files")
    yield Statement(str(call("create_table_as", False, rows, build.sql)), purpose="create")
    ((count,),) = (yield Statement(f"select count(*) from {rows}", fetch=True, purpose="introspect")).rows
    condition = ""
    if not count:  # a file without rows would lose its columns: it gets one of nulls, and the view leaves that out
        described = yield Statement(ddl.describe(rows), fetch=True, purpose="introspect")
        nulls = ", ".join("null" for _ in described.rows)
        yield Statement(f"insert into {rows} values ({nulls})", purpose="insert")
        condition = f" where {all_there([str(row[0]) for row in described.rows])}"
    options = files["options"] if files["folder"] else f"{files['options']}, use_tmp_file true"
    written = yield Statement(str(call("write_to_file", rows, files["location"], options)), purpose="write")
    sql = f"create or replace view {place} as (\n    select * from {files['reader']}{condition}\n  );"
    yield Statement(sql, purpose="main")
    yield Statement(ddl.drop(rows), purpose="drop")
    if place is not target:
        yield from swap(build, place, target)
    yield from after(build, target, fresh=True)
    return Outcome(written, sql, (target,))
