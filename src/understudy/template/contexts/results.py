"""Statements from templates: `statement`, `run_query`, `load_result`, `store_result` (dbt 1.11: etc/statement.sql).

Rows are kept as the engine gave them; the agate table that templates work with is made when somebody looks at it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from understudy.core.statement import Result, Script, Statement
from understudy.errors import JinjaError
from understudy.template.agate_tables import to_agate
from understudy.template.scope import BuiltinMacro
from understudy.template.state import State


class Response:
    """What the engine said about a statement (`code`, `rows_affected`, `query_id`); as text its message."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    @property
    def fields(self) -> Mapping[str, Any]:
        """All that was said, by name."""
        return self._fields

    def __str__(self) -> str:
        return str(self._fields.get("_message", ""))

    def __getattr__(self, name: str) -> Any:
        if name in ("code", "rows_affected", "query_id"):
            return self._fields.get(name)
        try:
            return self._fields[name]
        except KeyError:
            raise AttributeError(name) from None


class Stored:
    """One stored result: `response`, `data` (rows as tuples) and `table` (agate), as attributes or items."""

    __slots__ = ("_result", "_table", "response")

    def __init__(self, response: Any, result: Result | None = None, table: Any = None) -> None:
        self.response = response
        self._result = result
        self._table = table

    @property
    def table(self) -> Any:
        """The rows as an agate table."""
        if self._table is None:
            self._table = to_agate(self._result or Result())
        return self._table

    @property
    def result(self) -> Result:
        """What came back, as a materialization takes it."""
        if self._result is not None:
            return self._result
        fields: dict[str, Any] = dict(getattr(self.response, "fields", None) or {"_message": str(self.response)})
        message, code, affected = (fields.pop(name, None) for name in ("_message", "code", "rows_affected"))
        table = self._table
        rows = [] if table is None else [tuple(row.values()) for row in table.rows]
        return Result(
            () if table is None else tuple(table.column_names),
            rows=rows,
            message=str(message),
            code=str(code or ""),
            rows_affected=affected,
            extra={key: value for key, value in fields.items() if value is not None},
        )

    @property
    def data(self) -> list[tuple[Any, ...]]:
        """The rows as tuples, with the values that the table has (a float is a Decimal there)."""
        if self._result is None and self._table is None:
            return []
        return [tuple(row.values()) for row in self.table.rows]

    def __getitem__(self, key: str) -> Any:
        if key not in ("response", "data", "table"):
            raise KeyError(key)
        return getattr(self, key)


def run_statement(state: State, sql: str, *, fetch: bool, begin: bool = False) -> Result:
    """Send one statement on the node's connection. Raises DatabaseError, or JinjaError where no engine is connected."""
    if state.database is None:
        raise JinjaError("This template asks the database, which is not connected here", place=state.place)
    purpose = "introspect" if fetch else "statement"
    return state.database.execute(Statement(sql, fetch=fetch, purpose=purpose, in_transaction=begin))


def run_script(state: State, code: str) -> Result:
    """Run Python in the engine's session. Raises JinjaError elsewhere than in a materialization, ExecutionError for what
    goes wrong in it.

    Templates that only render, a package's among them, must not be able to run what they like (dbt 1.11: submit_python_job).
    """
    if state.database is None or not state.materializes:
        raise JinjaError(
            "Python can be run by a materialization only, with statement(language='python')", place=state.place
        )
    node = state.node
    assert node is not None  # a materialization has one
    package = state.settings.package(node.package_name) or state.settings.root
    return state.database.execute(Script(code, node.original_file_path, package.root, node.unique_id))


def submit_python_job(state: State) -> Callable[[Any, Any], Response]:
    """`submit_python_job(parsed_model, compiled_code)`: runs the script of a Python model; gives what the engine said."""

    def submit(parsed_model: Any, compiled_code: Any) -> Response:
        return Response(run_script(state, str(compiled_code)).adapter_response())

    return submit


def load_result(state: State) -> Callable[[str], Any]:
    """`load_result(name)`: a stored result, once; `main` as often as it is asked for."""

    def load_result(name: str) -> Any:
        if name not in state.results:
            return None
        found = state.results[name]
        if found is None:
            raise JinjaError(
                f"The 'statement' result named '{name}' has already been loaded into a variable", place=state.place
            )
        if name != "main":
            state.results[name] = None
        return found

    return load_result


def store_result(state: State) -> Callable[..., str]:
    """`store_result(name, response, agate_table)`."""

    def store_result(name: str, response: Any, agate_table: Any = None) -> str:
        state.results[name] = Stored(response, table=agate_table)
        return ""

    return store_result


def store_raw_result(state: State) -> Callable[..., str]:
    """`store_raw_result(name, message, code, rows_affected, agate_table)`."""

    def store_raw_result(
        name: str, message: Any = None, code: Any = None, rows_affected: Any = None, agate_table: Any = None
    ) -> str:
        fields = {"_message": message, "code": code, "rows_affected": rows_affected}
        state.results[name] = Stored(Response(fields), table=agate_table)
        return ""

    return store_raw_result


def load_agate_table(state: State) -> Callable[[], Any]:
    """`load_agate_table()`: a seed's rows; only where a seed is built, for only there its file is at hand."""

    def load_agate_table() -> Any:
        kind = "no node" if state.node is None else f"a {state.node.resource_type}"
        raise JinjaError(f"can only load_agate_table for seeds (got {kind})", place=state.place)

    return load_agate_table


def write(state: State) -> Callable[[str], str]:
    """`write(text)`: the text that stands for the node under `run/`."""

    def write(payload: str) -> str:
        state.results["written"] = str(payload)
        return ""

    return write


def statement(
    context: Any,
    name: str | None = None,
    fetch_result: bool = False,
    auto_begin: bool = True,
    language: str = "sql",
    caller: Callable[[], Any] | None = None,
) -> str:
    """`{% call statement('name', fetch_result=true) %} ... {% endcall %}`: runs its body and stores what came back."""
    if not context.execute:
        return ""
    if caller is None:
        raise JinjaError("statement() needs a body: {% call statement('name') %} select 1 {% endcall %}")
    if language not in ("sql", "python"):
        raise JinjaError(f"statement() runs SQL or Python, not {language}", place=context.place)
    sql = str(caller())
    if name == "main":
        context.results["written"] = sql
    if language == "python":
        result = run_script(context, sql)
    else:
        result = run_statement(context, sql, fetch=fetch_result, begin=auto_begin)
    if name is not None:
        context.results[name] = Stored(Response(result.adapter_response()), result)
    return ""


def noop_statement(
    context: Any,
    name: str | None = None,
    message: Any = None,
    code: Any = None,
    rows_affected: Any = None,
    res: Any = None,
    caller: Callable[[], Any] | None = None,
) -> str:
    """Stores a result without running anything."""
    sql = str(caller()) if caller is not None else ""
    if name == "main":
        context.results["written"] = sql
    if name is not None:
        store_raw_result(context)(name, message, code, rows_affected, res)
    return ""


def run_query(context: Any, sql: Any) -> Any:
    """The rows of a query as an agate table; while parsing an undefined value, over which templates may loop."""
    context.call("statement", "run_query_statement", fetch_result=True, auto_begin=False, caller=lambda: sql)
    stored = context.results.get("run_query_statement")
    context.results["run_query_statement"] = None
    if stored is not None:
        return stored.table
    from understudy.template.environment import missing

    return missing("'None' has no attribute 'table'")


def sql_now(state: State) -> str:
    """The engine's expression for the present."""
    return str(state.dialect.ddl.current_timestamp)


BUILTINS: Mapping[str, BuiltinMacro] = {
    "statement": statement,
    "noop_statement": noop_statement,
    "run_query": run_query,
}
"""Macros of package `dbt` that belong to the context: they work on what a rendering stores."""

MEMBERS: dict[str, Callable[[State], Any]] = {
    "load_result": load_result,
    "store_result": store_result,
    "store_raw_result": store_raw_result,
    "load_agate_table": load_agate_table,
    "write": write,
    "submit_python_job": submit_python_job,
    "sql_now": sql_now,
}
