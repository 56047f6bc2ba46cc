"""Clones before builds, on a DuckDB with and without transactions: what a failure leaves, and what is sent."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from typing import Any

import pytest
from support.engine import PROJECT, Engine, StubCompiler, model, renderer

from understudy.adapters.duckdb.adapter import DuckDBAdapter
from understudy.adapters.duckdb.profile import Profile
from understudy.core.manifest import Manifest
from understudy.core.nodes import Contract, Node
from understudy.core.relation import Relation, SchemaName
from understudy.defer.clones import Clone, Fate
from understudy.errors import ConnectionFailed
from understudy.execute.cloning import unbound
from understudy.execute.database import RelationCache
from understudy.execute.plan import make_plan
from understudy.execute.results import NodeResult
from understudy.execute.runner import run
from understudy.execute.worker import RunOptions
from understudy.graph.dag import Dag
from understudy.sql.dialect import dialect

GOOD = "select count(*) + 10 as id from {{ this }}"
BAD = "select cast('x' as int) as id"
OUTSIDE = {"pre-hook": [{"sql": "select 1", "transaction": False}]}


@pytest.fixture(params=[True, False], ids=["transactions", "none"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """With a table of two rows in production."""
    found = Engine(adapter=DuckDBAdapter(Profile(disable_transactions=not request.param), ""))
    found.do("create schema prod; create table prod.m as select 1 as id union all select 2; create schema dev")
    return found


def source(kind: Any = "table") -> Relation:
    return dialect("duckdb").relation("memory", "prod", "m", type=kind)


def build(engine: Engine, node: Node, *, command: str = "run", fate: Fate = Fate.CLONED, **options: Any) -> NodeResult:
    """Build a node upon a clone, or only clone it."""
    engine.sent.clear()
    manifest = Manifest(PROJECT, "duckdb", nodes={node.unique_id: node})
    clones = {node.unique_id: Clone(node.unique_id, fate, source(), "prod")}
    plan = make_plan(manifest, Dag.of(manifest), [node.unique_id], command, clones=clones)
    compiler = StubCompiler(manifest, renderer(engine.macros))
    cache = RelationCache(dialect("duckdb"))
    (result,) = run(plan, compiler, engine.adapter, RunOptions(observe=engine.sent.append, **options), cache=cache)
    with ExitStack() as stack:
        known = cache.relations(
            SchemaName("memory", "dev"), lambda: stack.enter_context(closing(engine.adapter.connect()))
        )
    assert {each.identifier: each.type for each in known} == engine.kinds(), "what is believed to be there is there"
    return result


def incremental(sql: str = GOOD, **config: Any) -> Node:
    return model("m", sql, "incremental", **config)


def rows(engine: Engine, name: str = "dev.m") -> list[Any]:
    return sorted(row[0] for row in engine.query(f"select * from {name}"))


@pytest.mark.parametrize("config", [{}, OUTSIDE])
def test_the_query_sees_the_clone(engine: Engine, config: Mapping[str, Any]) -> None:
    result = build(engine, incremental(**config))
    assert (result.status, rows(engine)) == ("success", [1, 2, 12])
    assert result.adapter_response["cloned_from"] == "memory.prod.m"
    assert [timing.name for timing in result.timing] == ["compile", "execute"] * 2
    assert engine.kinds() == {"m": "table"}


@pytest.mark.parametrize("config", [{}, OUTSIDE])
@pytest.mark.parametrize("before", [None, "view"])
@pytest.mark.parametrize("sql", [BAD, "{{ nothing() }}", "select 1 as id from {{ this }} where no_such_column"])
def test_a_failure_leaves_what_was_there(
    engine: Engine, config: Mapping[str, Any], before: str | None, sql: str
) -> None:
    if before:
        engine.do("create view dev.m as select 7 as id")
    result = build(engine, incremental(sql, **config))
    assert (result.status, result.adapter_response) == ("error", {})
    assert engine.kinds() == ({"m": "view"} if before else {})
    result = build(engine, incremental(**config))
    assert (result.status, rows(engine)) == ("success", [1, 2, 12])
    assert engine.kinds() == {"m": "table"}, "nothing that waited is left"


def test_one_transaction_where_there_are_transactions() -> None:
    engine = Engine()
    engine.do("create schema prod; create table prod.m as select 1 as id; create schema dev")
    build(engine, incremental())
    assert engine.purposes().count("commit") == 1
    engine.do("drop table dev.m")
    build(engine, incremental(**OUTSIDE))
    assert engine.purposes().count("commit") == 2, "a hook that belongs outside comes between the two"


def test_a_copy_that_fails(engine: Engine) -> None:
    engine.do("create view dev.m as select 7 as id")
    engine.macros["default__get_clone_query_sql"] = (
        "{% macro default__get_clone_query_sql(defer_relation, limit) %}select nothing{% endmacro %}"
    )
    result = build(engine, incremental())
    assert (result.status, engine.kinds(), rows(engine)) == ("error", {"m": "view"}, [7])
    assert result.message is not None
    assert result.message.startswith("Database error in model m (models/m.sql)")


@pytest.mark.parametrize("left", ["m__dbt_tmp", "m__dbt_backup"])
def test_what_a_killed_run_has_left(engine: Engine, left: str) -> None:
    engine.do(f"create view dev.m as select 7 as id; create table dev.{left} as select 8 as id")
    assert build(engine, incremental(**OUTSIDE)).status == "success"
    assert engine.kinds() == {"m": "table"}


def test_a_clone_that_cannot_be_taken_away_is_told() -> None:
    engine = Engine(adapter=DuckDBAdapter(Profile(disable_transactions=True), ""))
    engine.do("create schema prod; create table prod.m as select 1 as id; create schema dev")
    connect, asked = engine.adapter.connect, []

    def once() -> Any:
        asked.append(1)
        if len(asked) == 3:  # after that of the run, and that of the worker
            raise ConnectionFailed("the server is gone")
        return connect()

    engine.adapter.connect = once  # type: ignore[method-assign]
    result = build(engine, incremental(BAD))
    engine.adapter.connect = connect  # type: ignore[method-assign]
    assert result.message is not None
    assert 'What was cloned into "memory"."dev"."m" could not be taken away: the server is gone' in result.message
    assert rows(engine) == [1]


def test_what_is_not_cloned_is_left_alone(engine: Engine) -> None:
    result = build(engine, incremental(), command="clone", fate=Fate.EXISTS)
    assert (result.status, result.message, engine.purposes()) == ("no-op", "No-op: already exists", [])
    assert engine.kinds() == {}


def test_only_a_clone(engine: Engine) -> None:
    result = build(engine, incremental(BAD), command="clone", clone_limit=1)
    assert (result.status, len(rows(engine))) == ("success", 1)
    assert result.run_sql is not None
    assert "limit 1" in result.run_sql


def test_a_node_without_its_contract() -> None:
    bound = model("m", contract={"enforced": True, "alias_types": True})
    bound.contract = Contract(True, True, "x")
    free = unbound(bound)
    assert (free.config["contract"], free.contract.enforced) == ({"enforced": False, "alias_types": True}, False)  # type: ignore[union-attr]
    assert bound.contract.enforced
    plain = model("m")
    assert unbound(plain) is plain
