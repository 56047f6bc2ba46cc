"""Nodes compile against the resolution; nothing else decides where a reference goes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from understudy.compile.compiler import Compiler
from understudy.core.config import DEFAULTS
from understudy.core.manifest import Manifest
from understudy.core.nodes import (
    Analysis,
    Checksum,
    DependsOn,
    GenericTest,
    Model,
    Node,
    Operation,
    SingularTest,
    Source,
    TestMetadata,
)  # fmt: skip
from understudy.core.project import Package, Settings, Target
from understudy.core.relation import Relation
from understudy.defer.decide import Reason
from understudy.defer.resolution import Decision, Resolution
from understudy.defer.resolution import Names as DeferNames
from understudy.errors import JinjaError, LinkError
from understudy.graph.names import Names
from understudy.sql.dialect import dialect
from understudy.template.macros import MacroIndex
from understudy.template.renderer import Renderer

DUCKDB = dialect("duckdb")
KINDS: dict[str, type] = {"model": Model, "analysis": Analysis, "test": SingularTest, "operation": Operation}


def node(unique_id: str, code: str, parents: Sequence[str] = (), kind: type | None = None, **fields: Any) -> Node:
    resource_type, package, name = unique_id.split(".", 2)
    config = {**DEFAULTS[resource_type], **fields.pop("config", {})}
    return (kind or KINDS[resource_type])(
        **{
            "database": "db", "schema": "dev", "name": name, "package_name": package, "path": f"{name}.sql",
            "original_file_path": f"models/{name}.sql", "unique_id": unique_id, "fqn": [package, name], "alias": name,
            "checksum": Checksum("none", ""), "config": config, "raw_code": code,
            "depends_on": DependsOn(nodes=[f"model.shop.{p}" if "." not in p else p for p in parents]), **fields,
        }
    )  # fmt: skip


SOURCE = Source(
    database="db", schema="raw", name="o", package_name="shop", path="s.yml", original_file_path="models/s.yml",
    unique_id="source.shop.raw.o", fqn=["shop", "raw", "o"], source_name="raw", identifier="orders",
        quoting={"identifier": False}, config={},
)  # fmt: skip
EPHEMERAL = {"materialized": "ephemeral"}


def compiler(
    *nodes: Node,
    prior: dict[str, Relation] | None = None,
    quoting: dict[str, bool] | None = None,
    builtins: Any = None,
    **more: Any,
) -> Compiler:
    root = Package("shop", ".", quoting=quoting or {})
    settings = Settings(root, (root,), Target("shop", "dev", "duckdb", "db", "dev", 1, {}), {}, {}, {}.get)
    manifest = Manifest("shop", "duckdb", nodes={n.unique_id: n for n in nodes}, sources={SOURCE.unique_id: SOURCE})
    decisions = {
        unique_id: Decision(unique_id, relation, Reason.MISSING, state="prod", prior=relation)
        for unique_id, relation in (prior or {}).items()
    }
    index = MacroIndex({}, builtins or {}, "shop", ["shop"], (), "duckdb")
    resolution = Resolution(decisions, manifest, DeferNames(DUCKDB, quoting or {}))
    return Compiler(manifest, Names(manifest), resolution, Renderer(settings, index, DUCKDB), DUCKDB, **more)


PROD = {"model.shop.a": DUCKDB.relation("prod_db", "prod", "a_then")}


def test_references_own_deferred_and_sources() -> None:
    found = compiler(
        node("model.shop.a", "select 1"), node("model.shop.b", "select 2"),
        node("model.shop.c", "{{ ref('a') }} {{ ref('shop', 'b') }} {{ source('raw', 'o') }} {{ this }}", ["a", "b"]),
        prior=PROD,
    ).compile("model.shop.c", None)  # fmt: skip
    assert found.sql == '"prod_db"."prod"."a_then" "db"."dev"."b" "db"."raw".orders "db"."dev"."c"'
    assert [decision.unique_id for decision in found.deferred] == ["model.shop.a"]


def test_a_literal_and_a_rendered_template_go_the_same_way() -> None:
    nodes = [
        node("model.shop.a", "select 1"),
        node("model.shop.l", "{{ ref('a') }}", ["a"]),
        node("model.shop.r", "{% if true %}{{ ref('a') }}{% endif %}", ["a"]),
    ]
    both = compiler(*nodes, prior=PROD)
    assert (
        both.compile("model.shop.l", None).sql == both.compile("model.shop.r", None).sql == '"prod_db"."prod"."a_then"'
    )


def test_this_is_never_deferred() -> None:
    found = compiler(node("model.shop.a", "{{ this }} {{ this.schema }}"), prior=PROD)
    assert found.compile("model.shop.a", None).sql == '"db"."dev"."a" dev'
    assert found.session("model.shop.a", None).render("{{ this }}") == '"db"."dev"."a"'
    assert found.relation("model.shop.a").schema == "dev"


def test_quoting_of_the_project_and_of_the_node() -> None:
    found = compiler(
        node("model.shop.a", "", config={"quoting": {"identifier": True}}), node("model.shop.b", "{{ ref('a') }} {{ this }}", ["a"]),
        quoting={"database": False, "identifier": False},
    )  # fmt: skip
    assert found.compile("model.shop.b", None).sql == 'db."dev"."a" db."dev".b'


def ephemerals() -> list[Node]:
    return [
        node("model.shop.a", "select 1"),
        node("model.shop.e1", "select * from {{ ref('a') }}", ["a"], config=EPHEMERAL),
        node("model.shop.e2", "with x as (select * from {{ ref('e1') }}) select * from x", ["e1"], config=EPHEMERAL, alias="e two"),
        node("model.shop.m", "select * from {{ ref('e2') }} join {{ ref('e1') }}", ["e1", "e2"]),
        node("test.shop.t", "with y as (select * from {{ ref('e1') }}) select 1", ["e1"]),
    ]  # fmt: skip


def test_ephemeral_models_become_ctes_and_their_references_are_deferred() -> None:
    found = compiler(*ephemerals(), prior=PROD).compile("model.shop.m", None)
    assert found.sql == (
        'with __dbt__cte__e1 as (\nselect * from "prod_db"."prod"."a_then"\n),  "__dbt__cte__e two" as (\n'
        "with x as (select * from __dbt__cte__e1) select * from x\n) "
        'select * from "__dbt__cte__e two" join __dbt__cte__e1'
    )
    assert [unique_id for unique_id, _ in found.ctes] == ["model.shop.e1", "model.shop.e2"]
    assert [decision.unique_id for decision in found.deferred] == ["model.shop.a"]
    assert found.query.startswith("select * from ")


def test_ctes_go_into_an_existing_with() -> None:
    found = compiler(*ephemerals()).compile("test.shop.t", None)
    assert (
        found.sql
        == 'with  __dbt__cte__e1 as (\nselect * from "db"."dev"."a"\n), y as (select * from __dbt__cte__e1) select 1'
    )


def test_a_long_chain_of_ephemeral_models_needs_no_recursion() -> None:
    chain = [node("model.shop.e0", "select 1", config=EPHEMERAL)]
    chain += [
        node(f"model.shop.e{n}", f"select * from {{{{ ref('e{n - 1}') }}}}", [f"e{n - 1}"], config=EPHEMERAL)
        for n in range(1, 1500)
    ]
    assert len(compiler(*chain).compile("model.shop.e1499", None).ctes) == 1499


def test_versions() -> None:
    versions = [
        node(f"model.shop.v.v{n}", f"select {n}", name="v", alias=f"v_v{n}", version=n, latest_version=2) for n in (1, 2)
    ]  # fmt: skip
    user = node(
        "model.shop.u",
        "{{ ref('v') }} {{ ref('v', v=1) }} {{ ref('shop', 'v', version=2) }}",
        ["model.shop.v.v1", "model.shop.v.v2"],
    )
    assert (
        compiler(*versions, user).compile("model.shop.u", None).sql
        == '"db"."dev"."v_v2" "db"."dev"."v_v1" "db"."dev"."v_v2"'
    )


def test_a_reference_that_parsing_did_not_see_is_an_error_with_the_hint() -> None:
    found = compiler(node("model.shop.a", ""), node("model.shop.b", "{% if execute %}{{ ref('a') }}{% endif %}"))
    with pytest.raises(LinkError, match="unable to infer all dependencies") as caught:
        found.compile("model.shop.b", None)
    assert "-- depends_on: {{ ref('a') }}" in caught.value.hint
    assert str(caught.value.place) == "model.shop.b (models/b.sql:1)"


def test_names_of_nothing_are_errors_with_the_nearest_name() -> None:
    with pytest.raises(LinkError, match="named 'orderz'") as caught:
        compiler(node("model.shop.orders", ""), node("model.shop.b", "{{ ref('orderz') }}")).compile(
            "model.shop.b", None
        )
    assert "orders" in caught.value.hint
    with pytest.raises(LinkError, match=r"source named 'raw\.x'"):
        compiler(node("model.shop.b", "{{ source('raw', 'x') }}")).compile("model.shop.b", None)


def test_generic_tests_render_their_arguments() -> None:
    def test_within(context: Any, model: Any, column_name: str, to: Any, limit: int) -> str:
        return f"select {column_name} from {model}, {to} limit {limit + 1}"

    def get_where_subquery(context: Any, relation: Any) -> Any:
        return f"(select * from {relation} where {context.config.get('where')}) dbt_subquery"

    kwargs = {"model": "{{ get_where_subquery(ref('a')) }}", "column_name": "{{ id }}", "to": "ref('e1')", "limit": 4}
    test = node(
        "test.shop.w", "{{ test_within(**_dbt_generic_test_kwargs) }}{{ config(where='x > 1') }}", ["a", "e1"], GenericTest,
        test_metadata=TestMetadata(name="within", kwargs=kwargs), config={"where": "x > 1"},
    )  # fmt: skip
    found = compiler(
        *ephemerals(), test, prior=PROD, builtins={"test_within": test_within, "get_where_subquery": get_where_subquery}
    )
    assert found.compile("test.shop.w", None).sql == (
        'with __dbt__cte__e1 as (\nselect * from "prod_db"."prod"."a_then"\n) '
        'select {{ id }} from (select * from "prod_db"."prod"."a_then" where x > 1) dbt_subquery, __dbt__cte__e1 limit 5'
    )


def test_hooks_read_the_resolution_and_cannot_inline() -> None:
    hook = node("operation.shop.h", "insert into log select * from {{ ref('a') }}, {{ this }}", ["a"])
    found = compiler(*ephemerals(), hook, prior=PROD)
    assert (
        found.session("operation.shop.h", None).render(hook.raw_code)
        == 'insert into log select * from "prod_db"."prod"."a_then", None'
    )
    with pytest.raises(LinkError, match="can not ref"):
        found.session(None, None).render("{{ ref('e1') }}")
    assert found.session(None, None).render("{{ ref('a') }}") == '"prod_db"."prod"."a_then"'


def test_graph_shows_the_manifest_and_what_is_deferred() -> None:
    text = (
        "{{ graph.nodes['model.shop.a'].defer_relation.relation_name }} {{ graph.nodes | length }} "
        "{{ graph.sources.values() | map(attribute='identifier') | join }} {{ selected_resources }}"
    )
    found = compiler(node("model.shop.a", ""), node("analysis.shop.g", text), prior=PROD, selected=["model.shop.a"])
    assert found.compile("analysis.shop.g", None).sql == '"prod_db"."prod"."a_then" 2 orders [\'model.shop.a\']'


def test_foreign_keys_go_through_the_resolution() -> None:
    a, b = node("model.shop.a", ""), node("model.shop.b", "", ["a"])
    found = compiler(a, b, prior=PROD)
    assert str(found.reference("ref('a')", b)) == '"prod_db"."prod"."a_then"'
    assert str(found.reference("source('raw', 'o')", b)) == '"db"."raw".orders'
    for wrong in ("a", "ref(a)", "ref('a') ~ 'x'", "config(x=1)"):
        with pytest.raises(JinjaError, match="neither a ref nor a source"):
            found.reference(wrong, b)


def test_each_node_is_rendered_once_by_any_number_of_threads() -> None:
    calls: list[str] = []

    def note(context: Any) -> str:
        calls.append(context.model["name"])
        return "1"

    nodes = [node("model.shop.e", "select {{ note() }}", config=EPHEMERAL)]
    nodes += [node(f"model.shop.m{n}", "select {{ note() }} from {{ ref('e') }}", ["e"]) for n in range(20)]
    found = compiler(*nodes, builtins={"note": note})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: found.compile(f"model.shop.m{n % 20}", None), range(100)))
    assert sorted(calls) == sorted(each.name for each in nodes)
