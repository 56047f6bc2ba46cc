"""Materializations on a real DuckDB: what is left, what is sent, and what a failure leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.engine import Engine, check, model, seed

from understudy.errors import ContractError, DatabaseError, ExecutionError


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize("kind", ["view", "table"])
def test_a_relation_is_built(engine: Engine, kind: str) -> None:
    result = engine.one(model("a", "select 42 as n", kind))

    assert (result.status, result.message) == ("success", "OK")
    assert engine.kinds() == {"a": kind}
    assert engine.query("select n from dev.a") == [(42,)]
    assert [timing.name for timing in result.timing] == ["compile", "execute"]


@pytest.mark.parametrize("before", ["view", "table"])
@pytest.mark.parametrize("after", ["view", "table"])
def test_a_relation_is_replaced_whatever_it_was(engine: Engine, before: str, after: str) -> None:
    engine.one(model("a", "select 1 as n", before))
    engine.one(model("a", "select 2 as n", after))

    assert engine.kinds() == {"a": after}
    assert engine.query("select n from dev.a") == [(2,)]


def test_the_first_build_needs_no_swap(engine: Engine) -> None:
    engine.one(model("a"))
    assert engine.purposes() == ["schema", "begin", "main", "commit"]
    engine.one(model("a"))
    assert engine.purposes() == ["begin", "main", "drop", "rename", "commit"]


@pytest.mark.parametrize("kind", ["view", "table", "incremental"])
def test_a_failed_build_leaves_the_old_relation(engine: Engine, kind: str) -> None:
    engine.one(model("a", "select 1 as n", kind))
    sql = "select cast('x' as int) as n" if kind != "view" else "select nothing"

    result = engine.one(model("a", sql, kind))

    assert result.status == "error"
    assert isinstance(result.error, DatabaseError)
    assert result.message is not None
    assert result.message.startswith("Database error in model a (models/a.sql)\n  ")
    assert engine.query("select n from dev.a") == [(1,)]
    assert set(engine.kinds()) == {"a"}


def test_a_failed_hook_undoes_the_model(engine: Engine) -> None:
    engine.one(model("a", "select 1 as n"))
    hook = {"sql": "select * from missing", "transaction": True, "index": None}

    assert engine.one(model("a", "select 2 as n", **{"post-hook": [hook]})).status == "error"
    assert engine.query("select n from dev.a") == [(1,)]


def test_hooks_run_in_and_outside_of_the_transaction(engine: Engine) -> None:
    hooks = {
        "pre-hook": [
            {"sql": "create table if not exists dev.log as select 'inside' as place", "transaction": True},
            {"sql": "select 'before'", "transaction": False},
        ],
        "post-hook": [
            {"sql": "insert into dev.log select 'after' from {{ this }}", "transaction": True},
            {"sql": "", "transaction": True},
            {"sql": "select 'outside'", "transaction": False},
        ],
    }
    assert engine.one(model("a", **hooks)).status == "success"
    assert engine.purposes() == ["schema", "hook", "begin", "hook", "main", "hook", "commit", "hook"]
    assert engine.query("select place from dev.log order by 1") == [("after",), ("inside",)]


def test_leftovers_of_a_killed_run_are_dropped(engine: Engine) -> None:
    engine.do("create schema dev")
    engine.do('create table dev."a__dbt_tmp" as select 1 as x')
    engine.do('create view dev."a__dbt_backup" as select 1 as x')

    assert engine.one(model("a")).status == "success"
    assert engine.kinds() == {"a": "table"}


def test_names_that_need_quotes(engine: Engine) -> None:
    name = 'Odd "name" select; drop'
    engine.one(model("a", "select 1 as n", alias=name))
    assert engine.one(model("a", "select 2 as n", alias=name)).status == "success"
    assert engine.kinds() == {name: "table"}


def test_macros_of_the_project_are_used(engine: Engine) -> None:
    engine.macros["create_table_as"] = """
        {% macro create_table_as(temporary, relation, sql) %}
            create table {{ relation }} as (select *, 7 as extra from ({{ sql }}))
        {% endmacro %}"""
    assert engine.one(model("a", "select 1 as n")).status == "success"
    assert engine.query("select n, extra from dev.a") == [(1, 7)]


def test_nothing_is_listed_per_node(engine: Engine) -> None:
    listed: list[Any] = []
    connect = engine.adapter.connect

    def counting() -> Any:
        connection = connect()
        ask = connection.relations
        connection.relations = lambda schemas: listed.append(tuple(schemas)) or ask(listed[-1])  # type: ignore[method-assign,func-returns-value]
        return connection

    engine.adapter.connect = counting  # type: ignore[method-assign]
    engine.run(*(model(f"m{i}") for i in range(20)), threads=4)
    assert len(listed) == 1


# Incremental ---------------------------------------------------------------------------------------------------

NEW = "select * from (values (2, 'b2'), (3, 'c')) as t(id, name)"
OLD = "select * from (values (1, 'a'), (2, 'b')) as t(id, name)"


def incremental(sql: str = NEW, **config: Any) -> Any:
    return model("a", "{% if is_incremental() %}" + sql + "{% else %}" + OLD + "{% endif %}", "incremental", **config)


@pytest.mark.parametrize(
    ("config", "rows"),
    [
        ({}, [(1, "a"), (2, "b"), (2, "b2"), (3, "c")]),
        ({"incremental_strategy": "append", "unique_key": "id"}, [(1, "a"), (2, "b"), (2, "b2"), (3, "c")]),
        ({"unique_key": "id"}, [(1, "a"), (2, "b2"), (3, "c")]),
        ({"unique_key": ["id"]}, [(1, "a"), (2, "b2"), (3, "c")]),
        ({"unique_key": ["id", "name"]}, [(1, "a"), (2, "b"), (2, "b2"), (3, "c")]),
        ({"incremental_strategy": "delete+insert", "unique_key": "id"}, [(1, "a"), (2, "b2"), (3, "c")]),
        ({"unique_key": "id", "incremental_predicates": ["id < 0"]}, [(1, "a"), (2, "b"), (2, "b2"), (3, "c")]),
    ],
)
def test_rows_are_added(engine: Engine, config: dict[str, Any], rows: list[tuple[int, str]]) -> None:
    assert engine.one(incremental(**config)).status == "success"
    assert engine.query("select id, name from dev.a order by all") == [(1, "a"), (2, "b")]
    result = engine.one(incremental(**config))

    assert result.message == "OK"
    assert engine.query("select id, name from dev.a order by all") == rows
    assert engine.kinds() == {"a": "table"}


def test_a_full_refresh_builds_anew(engine: Engine) -> None:
    engine.one(incremental())
    engine.one(incremental())
    engine.one(incremental(), flags={"FULL_REFRESH": True})
    assert engine.query("select count(*) from dev.a") == [(2,)]
    engine.one(incremental(full_refresh=False), flags={"FULL_REFRESH": True})
    assert engine.query("select count(*) from dev.a") == [(4,)]


def test_a_view_in_the_place_of_an_incremental_model(engine: Engine) -> None:
    engine.one(model("a", "select 9 as id", "view"))
    assert engine.one(incremental()).status == "success"
    assert engine.query("select id from dev.a order by 1") == [(1,), (2,)]


@pytest.mark.parametrize("strategy", ["insert_overwrite", "guess"])
def test_strategies_that_are_not_there(engine: Engine, strategy: str) -> None:
    engine.one(incremental())
    result = engine.one(incremental(incremental_strategy=strategy))
    assert result.status == "error"
    assert engine.query("select count(*) from dev.a") == [(2,)]


WIDER = "select 3 as id, 'c' as name, true as fresh"
NARROWER = "select 3 as id"
OTHER = "select 3::bigint as id, 'c' as name"


@pytest.mark.parametrize(
    ("change", "sql", "columns"),
    [
        ("ignore", WIDER, ["id", "name"]),
        ("nonsense", WIDER, ["id", "name"]),
        ("append_new_columns", WIDER, ["id", "name", "fresh"]),
        ("append_new_columns", NARROWER, ["id", "name"]),
        ("sync_all_columns", WIDER, ["id", "name", "fresh"]),
        ("sync_all_columns", NARROWER, ["id"]),
        ("fail", OLD, ["id", "name"]),
    ],
)
def test_on_schema_change(engine: Engine, change: str, sql: str, columns: list[str]) -> None:
    engine.one(incremental())
    result = engine.one(incremental(sql, on_schema_change=change))
    assert result.status == "success", result.message
    assert [row[0] for row in engine.query("select column_name from (describe dev.a)")] == columns


def test_sync_all_columns_changes_types(engine: Engine) -> None:
    engine.one(incremental())
    assert engine.one(incremental(OTHER, on_schema_change="sync_all_columns")).status == "success"
    assert engine.query("select column_type from (describe dev.a)")[0] == ("BIGINT",)


def test_fail_says_what_differs(engine: Engine) -> None:
    engine.one(incremental())
    result = engine.one(incremental(WIDER, on_schema_change="fail"))
    assert isinstance(result.error, ExecutionError)
    assert result.message is not None
    assert "Not in the table: fresh BOOLEAN" in result.message
    assert engine.query("select count(*) from dev.a") == [(2,)]


# Seeds ---------------------------------------------------------------------------------------------------------


def test_a_seed(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("id,name,at,paid\n1,x,2024-01-02,1.5\n2,,,\n")
    node = seed("s", str(tmp_path))

    result = engine.one(node)

    assert (result.message, result.adapter_response) == (
        "INSERT 2",
        {"_message": "INSERT 2", "code": "INSERT", "rows_affected": 2},
    )
    types = engine.query("select column_name, column_type from (describe dev.s)")
    assert types == [("id", "INTEGER"), ("name", "VARCHAR"), ("at", "DATE"), ("paid", "DOUBLE")]
    assert engine.query("select id, name, paid from dev.s order by id") == [(1, "x", 1.5), (2, None, None)]

    (tmp_path / "s.csv").write_text("id,name,at,paid\n3,y,,\n")
    engine.one(node)
    assert engine.purposes() == ["begin", "truncate", "load", "commit"]
    assert engine.query("select id from dev.s") == [(3,)]

    (tmp_path / "s.csv").write_text("id;more\n4;z\n")
    node.config["delimiter"] = ";"
    assert engine.one(node).status == "error"
    assert engine.query("select id from dev.s") == [(3,)]
    assert engine.one(node, flags={"FULL_REFRESH": True}).message == "CREATE 1"
    assert engine.query("select * from dev.s") == [(4, "z")]


def test_a_seed_with_types_and_without_quotes(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("Id,zip\n1,01234\n")
    result = engine.one(seed("s", str(tmp_path), column_types={"zip": "varchar"}, quote_columns=False))
    assert result.status == "success"
    assert engine.query("select * from dev.s") == [(1, "01234")]
    assert engine.one(seed("s", str(tmp_path), quote_columns="maybe"), flags={"FULL_REFRESH": True}).status == "error"


def test_an_empty_seed(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("id,name\n")
    assert engine.one(seed("s", str(tmp_path))).message == "INSERT 0"
    assert engine.query("select count(*) from dev.s") == [(0,)]


def test_a_seed_without_its_file(engine: Engine, tmp_path: Path) -> None:
    result = engine.one(seed("s", str(tmp_path)))
    assert result.status == "error"
    assert "s.csv" in str(result.message)


def test_a_seed_does_not_replace_a_view(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("id\n1\n")
    engine.one(model("s", materialized="view"))
    result = engine.one(seed("s", str(tmp_path)))
    assert "it is a view" in str(result.message)
    assert engine.kinds() == {"s": "view"}


# Tests ---------------------------------------------------------------------------------------------------------

THREE = "select * from range(3)"


@pytest.mark.parametrize(
    ("sql", "config", "status", "message", "failures"),
    [
        ("select 1 where false", {}, "pass", None, 0),
        (THREE, {}, "fail", "Got 3 results, configured to fail if != 0", 3),
        ("select 1", {}, "fail", "Got 1 result, configured to fail if != 0", 1),
        (THREE, {"severity": "warn"}, "warn", "Got 3 results, configured to warn if != 0", 3),
        (THREE, {"error_if": ">5"}, "warn", "Got 3 results, configured to warn if != 0", 3),
        (THREE, {"error_if": ">5", "warn_if": ">4"}, "pass", None, 0),
        (THREE, {"limit": 2}, "fail", "Got 2 results, configured to fail if != 0", 2),
        (THREE, {"fail_calc": "max(range) + 10"}, "fail", "Got 12 results, configured to fail if != 0", 12),
    ],
)
def test_verdicts(
    engine: Engine, sql: str, config: dict[str, Any], status: str, message: str | None, failures: int
) -> None:
    result = engine.one(check("t", sql, (), **config))
    assert (result.status, result.message, result.failures) == (status, message, failures)


def test_warnings_as_errors(engine: Engine) -> None:
    result = engine.one(check("t", THREE, (), severity="warn"), warn_error=True)
    assert (result.status, result.message) == ("fail", "Got 3 results, configured to fail if != 0")


@pytest.mark.parametrize("sql", ["select * from missing", "select 1 as"])
def test_a_test_that_cannot_run(engine: Engine, sql: str) -> None:
    assert engine.one(check("t", sql, ())).status == "error"


def test_a_calculation_without_a_result(engine: Engine) -> None:
    result = engine.one(check("t", "select 1 as n where false", (), fail_calc="sum(n)"))
    assert (result.status, type(result.error)) == ("error", ExecutionError)


@pytest.mark.parametrize(
    ("config", "flag", "kinds"),
    [
        ({"store_failures": True}, False, {"t": "table"}),
        ({"store_failures_as": "view"}, False, {"t": "view"}),
        ({"store_failures_as": "ephemeral"}, True, {}),
        ({"store_failures": False}, True, {}),
        ({}, True, {"t": "table"}),
        ({}, False, {}),
    ],
)
def test_failures_are_stored(engine: Engine, config: dict[str, Any], flag: bool, kinds: dict[str, str]) -> None:
    node = check("t", THREE, (), **config)
    for _ in range(2):  # the second time, what the first one left is replaced
        assert engine.one(node, store_failures=flag).failures == 3
    assert engine.kinds("dev_dbt_test__audit") == kinds
    schemas = [row[0] for row in engine.query("select schema_name from duckdb_schemas() where not internal")]
    assert ("dev_dbt_test__audit" in schemas) is bool(kinds)


def test_a_wrong_place_for_failures(engine: Engine) -> None:
    assert "store_failures_as" in str(engine.one(check("t", THREE, (), store_failures_as="file")).message)


# Contracts, comments, indexes ----------------------------------------------------------------------------------


def contracted(sql: str, materialized: str = "table", **types: str) -> Any:
    columns = {name: {"name": name, "data_type": kind, "constraints": []} for name, kind in types.items()}
    if "id" in columns:
        columns["id"]["constraints"] = [{"type": "not_null"}]
    return model("a", sql, materialized, contract={"enforced": True}, columns=columns)


def test_a_contract_is_kept(engine: Engine) -> None:
    assert engine.one(contracted("select 'x' as name, 1 as id", id="integer", name="varchar")).status == "success"
    assert engine.query("select * from dev.a") == [(1, "x")]
    assert engine.query('select "null" from (describe dev.a)')[0] == ("NO",)
    assert engine.one(contracted("select 1 as id", "view", id="integer")).status == "success"


@pytest.mark.parametrize("materialized", ["table", "view", "incremental"])
def test_a_contract_is_broken(engine: Engine, materialized: str) -> None:
    result = engine.one(contracted("select 1 as id, 2 as other", materialized, id="varchar", name="varchar"))

    assert isinstance(result.error, ContractError)
    message = str(result.message)
    assert "| id          | INTEGER         | VARCHAR       | data type mismatch    |" in message
    assert "| name        |                 | VARCHAR       | missing in definition |" in message
    assert "| other       | INTEGER         |               | missing in contract   |" in message
    assert engine.kinds() == {}


def test_a_contract_without_columns(engine: Engine) -> None:
    assert isinstance(engine.one(contracted("select 1 as id")).error, ContractError)


def test_a_constraint_is_enforced(engine: Engine) -> None:
    result = engine.one(contracted("select null::integer as id", id="integer"))
    assert result.status == "error"
    assert engine.kinds() == {}


def test_docs_are_persisted(engine: Engine) -> None:
    columns = {"n": {"name": "n", "description": "It's n"}, "gone": {"name": "gone", "description": "?"}}
    for kind in ("table", "view"):
        node = model("a", "select 1 as n", kind, persist_docs={"relation": True, "columns": True}, columns=columns)
        node.description = "a's 'words'"
        assert engine.one(node).status == "success"
        source = "duckdb_tables()" if kind == "table" else "duckdb_views()"
        assert engine.query(f"select comment from {source} where schema_name = 'dev'") == [("a's 'words'",)]
        assert engine.query("select comment from duckdb_columns() where schema_name = 'dev'") == [("It's n",)]


def test_indexes(engine: Engine) -> None:
    node = model("a", "select 1 as n", indexes=[{"columns": ["n"], "unique": True}])
    for _ in range(2):
        assert engine.one(node).status == "success"
        assert engine.query("select is_unique from duckdb_indexes()") == [(True,)]
    assert engine.one(model("a", "select 1 as n", indexes=[{"columns": "n"}])).status == "error"


def test_an_unknown_materialization(engine: Engine) -> None:
    result = engine.one(model("a", materialized="tabel"))
    assert "Did you mean 'table'" in str(result.message)


def test_a_python_model(engine: Engine) -> None:
    node = model("a")
    node.language = "python"
    node.raw_code = "raise ValueError('no')"
    assert "ValueError: no" in str(engine.one(node).message)
