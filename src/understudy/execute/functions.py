"""The materialization of a user-defined function (dbt 1.11: materialization function)."""

from __future__ import annotations

from understudy.core.nodes import Function
from understudy.core.statement import Result, Statement
from understudy.errors import ExecutionError
from understudy.execute.build import Build, Outcome, Steps
from understudy.execute.parts import begin, commit, hooks


def function(build: Build) -> Steps:
    """Create the function, or put it in the place of the one that is there.

    Raises ExecutionError for a kind that the engine cannot make.
    """
    node = build.node
    if not isinstance(node, Function):
        raise ExecutionError(
            f"'{node.name}' is a {node.resource_type}; only functions have the materialization 'function'"
        )
    kind = str(node.config["type"])
    if node.language != "sql" or (kind == "aggregate" and not build.macros.overridden("aggregate_function_sql")):
        what = "in Python" if node.language != "sql" else f"of type '{kind}'"
        raise ExecutionError(
            f"Functions {what} cannot be made on {build.dialect.name}", hint="Write it as a scalar in SQL."
        )
    yield from hooks(build, "pre-hook", inside=False)
    yield from begin(build)
    yield from hooks(build, "pre-hook", inside=True)
    target, call = build.this.with_type("function"), build.macros.call
    sql = str(call(f"{kind}_function_sql", target)).strip()
    if build.macros.overridden("function_execute_build_sql"):
        call("function_execute_build_sql", sql, build.existing, target)
        main = build.macros.results.get("main")
        result = Result() if main is None else main.result
    else:
        result = yield Statement(sql, purpose="main")
    yield from hooks(build, "post-hook", inside=True)
    yield from commit(build)
    yield from hooks(build, "post-hook", inside=False)
    return Outcome(result, sql)
