"""state: selection, kind by kind, both ways of each rule of the design."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest
from support.graphs import manifest, model, seed, singular, state

from understudy.artifacts.metadata import values
from understudy.core.manifest import Manifest, Uses
from understudy.core.nodes import (
    Checksum,
    Contract,
    DependsOn,
    Exposure,
    Function,
    GenericTest,
    Macro,
    MacroDependsOn,
    Source,
    TestMetadata,
)
from understudy.errors import SelectorError, StateError
from understudy.state.change import Change
from understudy.state.diff import SELECTORS, Comparison, ContractBreak, compare
from understudy.state.fingerprint import digest, fingerprint
from understudy.state.prior import VALUES, WRITER, Prior, decode_prior


def generic() -> GenericTest:
    return GenericTest(
        database="db", schema="dev", name="unique_a_id", package_name="shop", path="unique_a_id.sql",
        original_file_path="models/s.yml", unique_id="test.shop.unique_a_id.1", fqn=["shop", "unique_a_id"],
        alias="unique_a_id", checksum=Checksum("none", ""), config={"materialized": "test"}, raw_code="{{ test_unique() }}",
        test_metadata=TestMetadata("unique", {}), depends_on=DependsOn(macros=["macro.dbt.test_unique"]),
    )  # fmt: skip


def source() -> Source:
    return Source(
        database="db", schema="raw", name="users", package_name="shop", path="m.yml", original_file_path="m.yml",
        unique_id="source.shop.raw.users", fqn=["shop", "raw", "users"], source_name="raw", identifier="users",
        config={"enabled": True}, unrendered_schema="{{ var('raw') }}", quoting={"identifier": None},
    )  # fmt: skip


def exposure() -> Exposure:
    return Exposure(
        name="e", package_name="shop", path="m.yml", original_file_path="m.yml", unique_id="exposure.shop.e",
        fqn=["shop", "e"], type="dashboard", owner={"name": "x", "email": None}, config={},
        depends_on=DependsOn(nodes=["model.shop.a", "model.shop.b"]),
    )  # fmt: skip


def macro(name: str, *calls: str, package: str = "shop", text: str = "x") -> Macro:
    return Macro(
        name=name, package_name=package, path="m.sql", original_file_path="m.sql",
        unique_id=f"macro.{package}.{name}", macro_sql=text, depends_on=MacroDependsOn(list(calls)),
    )  # fmt: skip


METRIC = {"unique_id": "metric.shop.m", "resource_type": "metric", "name": "m", "type": "simple", "label": "M",
          "description": "", "unrendered_config": {"group": "g"}, "config": {}, "fqn": ["shop", "m"]}  # fmt: skip
SEMANTIC = {"unique_id": "semantic_model.shop.s", "resource_type": "semantic_model", "model": "ref('a')", "entities": [],
            "config": {"meta": {}}}  # fmt: skip
QUERY = {"unique_id": "saved_query.shop.q", "resource_type": "saved_query", "query_params": {"metrics": ["m"]},
         "exports": [{"name": "x", "unrendered_config": {"alias": "y"}}], "tags": []}  # fmt: skip
UNIT = {"unique_id": "unit_test.shop.a.u", "resource_type": "unit_test", "model": "a", "given": [
        {"input": "ref('b')", "rows": [{"id": 1}], "format": "dict", "fixture": None}],
        "expect": {"rows": [{"id": 1}], "format": "dict"}, "overrides": None, "versions": None,
        "depends_on": {"macros": [], "nodes": []}}  # fmt: skip


def function() -> Function:
    return Function(
        database="db", schema="dev", name="f", package_name="shop", path="f.sql", original_file_path="functions/f.sql",
        unique_id="function.shop.f", fqn=["shop", "f"], alias="f", checksum=Checksum("none", ""), config={},
        arguments=[{"name": "x", "data_type": "int"}], returns={"data_type": "int"},
    )  # fmt: skip


def shop() -> Manifest:
    """One of everything."""
    a = model("a", config={"persist_docs": {}})
    a.depends_on.macros.append("macro.shop.outer")
    c = model("c", columns={"id": {"name": "id", "data_type": "varchar(10)", "constraints": [{"type": "not_null"}]}})
    c.config["materialized"] = "table"
    c.contract, c.constraints = Contract(enforced=True, checksum="1"), [{"type": "unique", "columns": ["id"]}]
    return copy.deepcopy(
        manifest(
            a, model("b"), c, seed("s"), singular("t"), generic(),
            sources={"source.shop.raw.users": source()},
            exposures={"exposure.shop.e": exposure()},
            macros={m.unique_id: m for m in (
                macro("outer", "macro.shop.inner"), macro("inner", "macro.dbt.own"), macro("unused"),
                macro("own", package="dbt"), macro("test_unique", package="dbt"),
            )},
            metrics={"metric.shop.m": METRIC}, semantic_models={"semantic_model.shop.s": SEMANTIC},
            saved_queries={"saved_query.shop.q": QUERY}, unit_tests={"unit_test.shop.a.u": UNIT},
            functions={"function.shop.f": function()},
        )
    )  # fmt: skip


A, B, C, SEED, T, G = "model.shop.a", "model.shop.b", "model.shop.c", "seed.shop.s", "test.shop.t", generic().unique_id
SRC, EXP, FUN = "source.shop.raw.users", "exposure.shop.e", "function.shop.f"
ALL = [
    *shop().nodes,
    SRC,
    EXP,
    FUN,
    "metric.shop.m",
    "semantic_model.shop.s",
    "saved_query.shop.q",
    "unit_test.shop.a.u",
]


def after(edit: Callable[[Manifest], Any], *, before: Callable[[Manifest], Any] | None = None) -> Comparison:
    old, new = shop(), shop()
    if before:
        before(old)
        before(new)
    edit(new)
    return compare(new, state(old, env={"understudy": "0.1.0"}))


def selected(comparison: Comparison, selector: str = "modified") -> set[str]:
    manifest = comparison.manifest
    parts = (manifest.nodes, manifest.sources, manifest.exposures, manifest.functions, manifest.metrics,
             manifest.semantic_models, manifest.saved_queries, manifest.unit_tests)  # fmt: skip
    return {i for part in parts for i in part if comparison.matches(selector, i)}


def put(unique_id: str, **fields: Any) -> Callable[[Manifest], Any]:
    def edit(of: Manifest) -> None:
        node = of.get(unique_id) or of.functions.get(unique_id)
        for name, value in fields.items():
            setattr(node, name, value)

    return edit


def config(unique_id: str, **values: Any) -> Callable[[Manifest], Any]:
    def edit(of: Manifest) -> None:
        node: Any = of.get(unique_id) or of.functions[unique_id]
        node.unrendered_config = {**node.unrendered_config, **values}

    return edit


def test_a_manifest_beside_itself() -> None:
    comparison = after(lambda new: None)
    assert selected(comparison) == set()
    assert selected(comparison, "unmodified") == set(ALL) == selected(comparison, "old")
    for selector in set(SELECTORS) - {"old", "unmodified"}:
        assert selected(comparison, selector) == set(), selector
    assert comparison.removed() == ()
    assert comparison.contract_breaks() == ()
    assert comparison.warnings == ()


PERSIST = {"persist_docs": {"relation": True, "columns": True}}
EDITS: list[tuple[Callable[[Manifest], Any], str, list[str]]] = [
    (put(A, raw_code="select 2"), A, ["body: raw_code: select 'a' -> select 2"]),
    (put(T, raw_code="select 2"), T, ["body: raw_code: select 't' -> select 2"]),
    (put(SEED, checksum=Checksum("sha256", "2")), SEED, ["body: checksum: s -> 2"]),
    (config(A, materialized="table"), A, ["configs: materialized: nothing -> table"]),
    (config(A, meta={"x": 1}), A, ["configs: meta: nothing -> {'x': 1}"]),
    (config(A, alias="z", tags=["q"], group="g"), A, ["relation: alias: nothing -> z"]),
    (config(A, schema="z", database="y"), A, ["relation: database: nothing -> y", "relation: schema: nothing -> z"]),
    (put(A, fqn=["shop", "x", "a"]), A, ["fqn: ['shop', 'a'] -> ['shop', 'x', 'a']"]),
    (put(A, latest_version=2), A, ["reference: latest_version: nothing -> 2"]),
    (put(A, access="public"), A, ["reference: access: protected -> public"]),
    (put(A, deprecation_date="2027-01-01"), A, ["reference: deprecation_date: nothing -> 2027-01-01T00:00:00+00:00"]),
    (put(A, deprecation_date="soon"), A, ["reference: deprecation_date: nothing -> soon"]),
    (config(T, severity="warn", meta={}), T, ["configs: severity: nothing -> warn"]),
    (config(G, where="id > 1"), G, ["configs: where: nothing -> id > 1"]),
    (put(G, fqn=["shop", "x"]), G, ["fqn: ['shop', 'unique_a_id'] -> ['shop', 'x']"]),
    (
        put(FUN, returns={"data_type": "text"}),
        FUN,
        ["signature: returns: {'data_type': 'int'} -> {'data_type': 'text'}"],
    ),
    (put(SRC, identifier="people"), SRC, ["relation: identifier: users -> people"]),
    (put(SRC, unrendered_schema="raw"), SRC, ["relation: schema: {{ var('raw') }} -> raw"]),
    (put(SRC, loaded_at_field="at"), SRC, ["freshness: loaded_at_field: nothing -> at"]),
    (put(SRC, freshness={"warn_after": {"count": 1, "period": "day"}}), SRC, ["freshness"]),
    (put(SRC, quoting={"identifier": True}), SRC, ["quoting: nothing -> {'identifier': True}"]),
    (put(SRC, external={"location": "x"}), SRC, ["external: nothing -> {'location': 'x'}"]),
    (config(SRC, tags=["x"]), SRC, ["configs: tags: nothing -> ['x']"]),
    (put(EXP, url="u"), EXP, ["properties: url: nothing -> u"]),
    (put(EXP, owner={"name": "y"}), EXP, ["properties: owner: {'name': 'x'} -> {'name': 'y'}"]),
    (put(EXP, depends_on=DependsOn(nodes=[A])), EXP, ["properties: depends_on"]),
    (config(EXP, meta={"a": 1}), EXP, ["configs: meta: nothing -> {'a': 1}"]),
    (lambda m: m.metrics["metric.shop.m"].update(label="N"), "metric.shop.m", ["properties: label: M -> N"]),
    (
        lambda m: m.metrics["metric.shop.m"].update(unrendered_config={"meta": {"a": 1}}),
        "metric.shop.m",
        ["configs: meta: nothing -> {'a': 1}"],
    ),
    (
        lambda m: m.semantic_models["semantic_model.shop.s"].update(model="z"),
        "semantic_model.shop.s",
        ["properties: model"],
    ),
    (
        lambda m: m.saved_queries["saved_query.shop.q"].update(query_params={}),
        "saved_query.shop.q",
        ["properties: metrics"],
    ),
    (lambda m: m.saved_queries["saved_query.shop.q"].update(exports=[]), "saved_query.shop.q", ["properties: exports"]),
    (lambda m: m.unit_tests["unit_test.shop.a.u"].update(model="b"), "unit_test.shop.a.u", ["definition"]),
]


@pytest.mark.parametrize(("edit", "unique_id", "reasons"), EDITS)
def test_what_counts(edit: Callable[[Manifest], Any], unique_id: str, reasons: list[str]) -> None:
    comparison = after(edit)
    assert selected(comparison) == {unique_id}
    assert selected(comparison, "unmodified") == set(ALL) - {unique_id}
    changes = comparison.changes(unique_id)
    assert len(changes) == len(reasons)
    assert all(str(change).startswith(reason) for change, reason in zip(changes, reasons, strict=True)), changes


@pytest.mark.parametrize(
    "edit",
    [
        put(A, raw_code="\n select 'a'  "),
        put(A, description="new", columns={"id": {"name": "id", "description": "x"}}, tags=["x"], meta={"x": 1}),
        put(A, database="other", schema="other", alias="other"),
        config(A, tags=["x"], group="g"),
        config(G, tags=["x"], meta={"a": 1}, schema="z"),
        put(G, raw_code="other", database="x"),
        put(
            SRC,
            description="x",
            loader="y",
            columns={"a": {}},
            schema="other",
            quoting={},
            freshness={"warn_after": {}},
        ),
        config(SRC, meta={}, tags=[], loaded_at_field=None),
        put(EXP, tags=["x"], meta={"x": 1}, owner={"name": "x"}, depends_on=DependsOn(nodes=[B, A])),
        put(SEED, raw_code="x", description="y"),
        lambda m: m.metrics["metric.shop.m"].update(unrendered_config={"group": "h"}, meta={"x": 1}),
        lambda m: m.unit_tests["unit_test.shop.a.u"].update(description="x", versions={}, overrides={"macros": {}}),
        lambda m: m.macros["macro.shop.unused"].__setattr__("macro_sql", "y"),
        lambda m: m.macros.pop("macro.shop.unused"),
        lambda m: m.macros.update({"macro.shop.another": macro("another")}),
        lambda m: m.macros["macro.dbt.own"].__setattr__("macro_sql", "y"),
        lambda m: m.macros.pop("macro.dbt.own"),
    ],
)
def test_what_does_not_count(edit: Callable[[Manifest], Any]) -> None:
    assert selected(after(edit)) == set()


@pytest.mark.parametrize(
    ("persist", "edit", "expected"),
    [
        ({"relation": True}, put(A, description="new"), "persisted_descriptions: description:  -> new"),
        ({"relation": True}, put(A, columns={"id": {"name": "id", "description": "x"}}), None),
        (
            {"columns": True},
            put(A, columns={"id": {"name": "id", "description": "x"}}),
            "persisted_descriptions: columns: {} -> {'id': 'x'}",
        ),
        ({"columns": True}, put(A, description="new"), None),
        ("no map", put(A, description="new"), None),
    ],
)
def test_persisted_descriptions(persist: Any, edit: Callable[[Manifest], Any], expected: str | None) -> None:
    comparison = after(edit, before=lambda m: m.nodes[A].config.__setitem__("persist_docs", persist))
    assert [str(change) for change in comparison.changes(A)] == ([expected] if expected else [])
    assert selected(comparison, "modified.persisted_descriptions") == ({A} if expected else set())


@pytest.mark.parametrize(
    ("edit", "sub_selector", "unique_id"),
    [
        (put(A, raw_code="x"), "body", A),
        (put(G, raw_code="x"), "body", G),
        (put(SEED, checksum=Checksum("sha256", "2")), "body", SEED),
        (config(A, materialized="x"), "configs", A),
        (config(SRC, enabled=False), "configs", SRC),
        (config(EXP, enabled=False), "configs", EXP),
        (config(A, alias="x"), "relation", A),
        (config(G, alias="x"), "relation", G),
        (put(SRC, identifier="x"), "relation", SRC),
        (put(C, contract=Contract(enforced=False)), "contract", C),
    ],
)
def test_sub_selectors(edit: Callable[[Manifest], Any], sub_selector: str, unique_id: str) -> None:
    comparison = after(edit)
    for check in ("body", "configs", "relation", "persisted_descriptions", "contract", "macros"):
        expected = {unique_id} if check == sub_selector else set()
        assert selected(comparison, f"modified.{check}") == expected, check


def test_new_and_removed() -> None:
    comparison = compare(shop(), state(manifest(model("gone")), env={"understudy": "0"}))
    everything, nodes = set(ALL), {*shop().nodes, FUN}
    assert selected(comparison, "new") == everything
    assert selected(comparison, "old") == set()
    assert selected(comparison) == {*nodes, "unit_test.shop.a.u"}
    assert selected(comparison, "unmodified") == everything - nodes - {"unit_test.shop.a.u"}
    assert selected(comparison, "modified.body") == nodes == selected(comparison, "modified.contract")
    assert selected(comparison, "modified.configs") == everything - {"unit_test.shop.a.u"}
    assert selected(comparison, "modified.relation") == {*nodes, SRC}
    assert comparison.changes(B) == (Change("new", ""),)
    assert comparison.removed() == ("model.shop.gone",)
    with pytest.raises(KeyError):
        comparison.changes("model.shop.gone")


def test_a_changed_macro_reaches_its_callers() -> None:
    comparison = after(lambda m: m.macros["macro.shop.inner"].__setattr__("macro_sql", "y"))
    assert selected(comparison) == {A} == selected(comparison, "modified.macros")
    assert comparison.changes(A) == (Change("macros", "macro.shop.inner", "x", "y"),)


def test_circles_of_macros() -> None:
    def circle(of: Manifest) -> None:
        of.macros["macro.shop.inner"].depends_on.macros.append("macro.shop.outer")

    comparison = after(lambda m: m.macros["macro.shop.outer"].__setattr__("macro_sql", "y"), before=circle)
    assert selected(comparison) == {A}


def test_a_macro_that_comes_or_goes() -> None:
    assert selected(after(lambda m: m.macros.pop("macro.shop.inner"))) == {A}
    assert selected(after(lambda m: m.nodes[B].depends_on.macros.append("macro.shop.unused"))) == set()  # type: ignore[union-attr]


def test_what_a_project_does_in_the_place_of_the_engine_s_macros() -> None:
    """The engine's macro looks for it by name, so those that call the engine's call it (dbt: by dispatch)."""

    def adds(name: str, package: str = "shop") -> set[str]:
        return selected(
            after(lambda m: m.macros.update({f"macro.{package}.{name}": macro(name, package=package)})),
            "modified.macros",
        )

    test = {i for i, node in shop().nodes.items() if "macro.dbt.test_unique" in node.depends_on.macros}  # type: ignore[union-attr]
    assert adds("default__test_unique") == adds("duckdb__test_unique") == test != set()
    assert adds("snowflake__test_unique") == adds("default__nothing") == adds("default__test_unique", "lib") == set()


def test_a_state_that_names_unknown_macros() -> None:
    def unknown(of: Manifest) -> None:
        of.nodes[B].depends_on.macros += ["macro.shop.nowhere"]  # type: ignore[union-attr]

    comparison = after(lambda m: None, before=unknown)
    with pytest.raises(StateError, match=r"model.shop.b, which uses the unknown macro 'macro.shop.nowhere'"):
        comparison.changes(B)
    after(lambda m: None, before=lambda m: m.nodes[B].depends_on.macros.append("macro.dbt_spark.x")).changes(B)


def test_an_unknown_selector() -> None:
    comparison = after(lambda m: None)
    with pytest.raises(SelectorError, match=r"Did you mean 'modified.body'"):
        comparison.matches("modified.boddy", A)
    with pytest.raises(SelectorError, match="Known: state:new, state:old"):
        comparison.matches("x", A)


def raw(of: Manifest) -> dict[str, Any]:
    from support.graphs import state_bytes

    decoded: dict[str, Any] = msgspec.json.decode(state_bytes(of))
    return decoded


def prior_of(document: dict[str, Any]) -> Prior:
    return decode_prior(msgspec.json.encode(document), origin="m.json")


def test_old_states_have_no_unrendered_names_of_sources() -> None:
    document = raw(shop())
    old = document["sources"][SRC]
    del old["unrendered_schema"], old["unrendered_database"]
    assert selected(compare(shop(), prior_of(document))) == set()
    old["schema"] = "elsewhere"
    comparison = compare(shop(), prior_of(document))
    assert comparison.changes(SRC) == (Change("relation", "schema", "elsewhere", "raw"),)


def test_old_names_of_the_code() -> None:
    document = raw(shop())
    for node in document["nodes"].values():
        node["raw_sql"] = node.pop("raw_code")
    assert selected(compare(shop(), prior_of(document))) == set()


def test_large_seeds_of_dbt() -> None:
    document = raw(shop())
    document["nodes"][SEED]["checksum"] = {"name": "path", "checksum": "seeds/s.csv"}
    comparison = compare(shop(), prior_of(document))
    assert comparison.changes(SEED) == ()
    assert [warning.name for warning in comparison.warnings] == ["SeedExceedsLimitSamePath"]
    document["nodes"][SEED]["checksum"]["checksum"] = "seeds/old/s.csv"
    assert len(compare(shop(), prior_of(document)).changes(SEED)) == 1


def test_a_rendered_state_is_compared_as_rendered() -> None:
    today, document = shop(), raw(shop())
    today.nodes[A].unrendered_config = {"schema": "{{ var('x') }}", "meta": {"by": "{{ var('y') }}"}}
    today.nodes[A].config |= {"schema": "sales", "meta": {"by": "bob", "more": 1}}
    document["nodes"][A]["unrendered_config"] = {"schema": "sales", "meta": {"by": "bob"}}
    assert compare(today, prior_of(document)).changes(A) == ()
    document["nodes"][A]["unrendered_config"] = {"schema": "other", "meta": {"by": "eve"}}
    assert {c.key for c in compare(today, prior_of(document)).changes(A)} == {"schema", "meta"}
    document["metadata"]["env"] = {"understudy": "0.1.0"}
    document["nodes"][A]["unrendered_config"] = {"schema": "sales", "meta": {"by": "bob"}}
    assert len(compare(today, prior_of(document)).changes(A)) == 2


# Contracts


def contracted(**fields: Any) -> Callable[[Manifest], Any]:
    return put(C, contract=Contract(enforced=True, checksum="2"), **fields)


def column(data_type: str = "varchar(10)", *constraints: str) -> dict[str, Any]:
    return {"name": "id", "data_type": data_type, "constraints": [{"type": kind, "name": None} for kind in constraints]}


@pytest.mark.parametrize(
    ("edit", "keys", "breaking"),
    [
        (contracted(), [], False),
        (contracted(columns={"id": column("VARCHAR(20)", "not_null")}), ["columns.id.data_type"], False),
        (contracted(columns={"id": column("int", "not_null")}), ["columns.id.data_type"], True),
        (contracted(columns={"id": column()}), ["columns.id.constraints"], True),
        (contracted(columns={"id": column("varchar(10)", "not_null", "unique")}), ["columns.id.constraints"], False),
        (contracted(columns={}), ["columns.id"], True),
        (
            contracted(columns={"id": column("varchar(10)", "not_null"), "n": {"name": "n", "data_type": "int"}}),
            ["columns.n"],
            False,
        ),
        (contracted(constraints=[]), ["constraints"], True),
        (contracted(constraints=[{"type": "unique", "columns": ["id"], "warn_unenforced": True}]), [], False),
        (put(C, contract=Contract(enforced=False)), ["enforced"], True),
        (put(C, contract=Contract(enforced=False), columns={"id": column("int")}), None, True),
        (
            put(C, contract=Contract(enforced=False), columns={"id": column("varchar(9)", "not_null", "check")}),
            ["enforced"],
            True,
        ),
        (put(A, contract=Contract(enforced=True, checksum="9")), ["enforced"], False),
    ],
)
def test_contracts(edit: Callable[[Manifest], Any], keys: list[str] | None, breaking: bool) -> None:
    comparison = after(edit)
    unique_id = A if keys == ["enforced"] and not breaking else C
    changes = [change for change in comparison.changes(unique_id) if change.check == "contract"]
    if keys is not None:
        assert [change.key for change in changes] == keys
    assert comparison.matches("modified.contract", unique_id) == bool(changes)
    broken = comparison.contract_breaks()
    assert bool(broken) == breaking
    assert all(b.unique_id == C and not b.versioned for b in broken)


def materialize(written: str, name: str) -> Callable[[Manifest], Any]:
    def edit(of: Manifest) -> None:
        contracted()(of)
        of.nodes[C].config["materialized"] = name
        of.nodes[C].unrendered_config = {"materialized": written}

    return edit


def test_the_written_materialization_is_part_of_a_contract_and_the_rendered_is_not() -> None:
    changes = after(materialize("view", "view")).changes(C)
    assert [(c.check, c.key, c.breaking) for c in changes] == [
        ("configs", "materialized", False),
        ("contract", "materialized", True),
    ]
    before = lambda m: m.nodes[C].unrendered_config.__setitem__("materialized", "{{ var('m') }}")  # noqa: E731
    assert after(materialize("{{ var('m') }}", "view"), before=before).changes(C) == ()


def test_without_constraints_a_view_breaks_nothing() -> None:
    def bare(of: Manifest) -> None:
        put(C, constraints=[], columns={"id": column("int")})(of)

    comparison = after(materialize("view", "view"), before=bare)
    assert [c.breaking for c in comparison.changes(C) if c.check == "contract"] == [False]
    view = lambda m: put(C, config={"materialized": "view"})(m)  # noqa: E731
    assert after(contracted(constraints=[]), before=view).changes(C) == ()
    assert [c.key for c in after(materialize("incremental", "incremental")).changes(C) if c.check == "contract"]


def test_contracts_without_checksums_are_compared_by_their_parts() -> None:
    def unsummed(of: Manifest) -> None:
        of.nodes[C].contract = Contract(enforced=True)  # type: ignore[union-attr]

    assert after(lambda m: None, before=unsummed).changes(C) == ()
    assert after(put(C, columns={"id": column("int", "not_null")}), before=unsummed).changes(C) != ()


@pytest.mark.parametrize(
    ("now", "deprecated", "broken"),
    [
        (None, None, True),
        ("2026-11-21", None, True),
        ("2026-11-21", "2026-01-01", False),
        ("2026-11-21", "2027-01-01", True),
    ],
)
def test_a_contracted_model_that_is_gone(now: str | None, deprecated: str | None, broken: bool) -> None:
    before = put(C, deprecation_date=deprecated, version=2)
    gone = after(lambda m: m.nodes.pop(C), before=before).contract_breaks(now)
    change = Change("contract", "model", "enforced", "deleted or renamed", breaking=True)
    assert gone == ((ContractBreak(C, True, (change,)),) if broken else ())
    disabled = after(lambda m: m.disabled.update({C: [m.nodes.pop(C)]}), before=before).contract_breaks(now)
    assert [b.changes[0].new for b in disabled] == (["disabled"] if broken else [])
    assert after(lambda m: m.nodes.pop(B)).contract_breaks(now) == ()


def test_other_engines_enforce_less() -> None:
    old, new = shop(), shop()
    contracted(columns={"id": column()}, constraints=[])(new)
    new.adapter_type = "spark"
    comparison = compare(new, state(old))
    assert [c.breaking for c in comparison.changes(C) if c.check == "contract"] == [False, False]
    new.adapter_type = "exasol"
    assert [c.breaking for c in compare(new, state(old)).changes(C) if c.check == "contract"] == [True, False]


# Fingerprints


def test_fingerprints_have_named_parts() -> None:
    today = shop()
    parts = fingerprint(today.nodes[A])
    assert list(parts) == ["body", "configs", "persisted_descriptions", "fqn", "relation", "contract", "reference"]
    assert parts["body"] == {"raw_code": "select 'a'"}
    assert parts["relation"] == {"database": None, "schema": None, "alias": None}
    assert digest(parts) == digest(fingerprint(shop().nodes[A]))
    put(A, raw_code="x")(today)
    assert digest(parts) != digest(fingerprint(today.nodes[A]))
    for unique_id in ALL:
        found: Any = today.get(unique_id) or next(
            p[unique_id] for p in (today.metrics, today.semantic_models, today.saved_queries, today.unit_tests, today.functions)
            if unique_id in p
        )  # fmt: skip
        assert len(digest(fingerprint(found))) == 64


def test_changes_read_as_sentences() -> None:
    assert str(Change("new", "")) == "new"
    assert str(Change("body", "raw_code", "a" * 80, "b\nc")) == f"body: raw_code: {'a' * 59}… -> b c"
    assert str(Change("fqn", "fqn", ["a"], ["b"])) == "fqn: ['a'] -> ['b']"


def test_it_is_known_whether_contracts_were_looked_at() -> None:
    today = manifest(model("a"))
    comparison = compare(today, state(today))
    assert not comparison.matches("new", "model.shop.a")
    assert not comparison.matches("removed", "model.shop.a")
    assert not comparison.asked_contracts
    comparison.matches("unmodified", "model.shop.a")
    assert comparison.asked_contracts


SAME = {"rate": 1, "day": date(2026, 1, 1)}


def recorded(vars: dict[str, Any], env: dict[str, str]) -> dict[str, str]:
    """`metadata.env` of a state of ours in which A looked these up."""
    return {WRITER: "1", VALUES: values({A: Uses(vars, env)})}


def looked_up(env: dict[str, str] | None) -> Comparison:
    """A looks up `rate`, `day` and ZONE = x today, and `new` is new; `env` is the state's `metadata.env`."""
    today = shop()
    today.uses[A] = Uses(SAME, {"ZONE": "x"})
    today.nodes["model.shop.new"] = model("new")
    return compare(today, state(shop(), env=env))


def test_other_values_are_found_when_they_are_asked_for() -> None:
    comparison = looked_up(recorded(SAME, {"ZONE": "x"}))
    assert selected(comparison, "modified.vars") == selected(comparison, "modified.env") == {"model.shop.new"}
    other = looked_up(recorded({**SAME, "rate": 2, "gone": 0}, {"ZONE": "x"}))
    assert other.reasons(A) == ()
    assert selected(other, "modified.vars") == {"model.shop.new", A}
    assert selected(other, "modified.env") == {"model.shop.new"}
    assert other.reasons(A) == (Change("vars", "gone", 0, None), Change("vars", "rate", 2, 1))
    assert other.changes(A) == ()
    assert selected(looked_up({WRITER: "1"}), "modified.env") == {"model.shop.new", A}


def test_values_that_nobody_recorded() -> None:
    with pytest.raises(StateError, match=r"state:modified.vars needs a state that says which values"):
        looked_up(None).matches("modified.vars", A)
    with pytest.raises(StateError, match=r"damaged at metadata\.env"):
        looked_up({WRITER: "1", VALUES: "["}).matches("modified.env", A)
