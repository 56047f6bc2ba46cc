"""The assembled manifest of small projects: what each file and entry gives, both ways."""

from __future__ import annotations

from typing import Any

import pytest
from support.projects import package, parse, settings

from understudy.core.nodes import GenericTest, Model, RefArgs, Snapshot
from understudy.errors import DuplicateError, ErrorList, JinjaError, LinkError, ParseError, UnderstudyError, YamlError


def models(files: dict[str, str], *packages: Any, **options: Any) -> dict[str, Model]:
    manifest = parse(files, settings(*packages, **options)).manifest
    return {node.name: node for node in manifest.nodes.values() if isinstance(node, Model)}


def test_a_model_has_its_ids_paths_and_relation() -> None:
    model = models({"models/a/b/orders.sql": "select * from {{ ref('x', v=2) }}, {{ source('s', 't') }}"})["orders"]
    assert model.unique_id == "model.shop.orders"
    assert model.fqn == ["shop", "a", "b", "orders"]
    assert (model.path, model.original_file_path) == ("a/b/orders.sql", "models/a/b/orders.sql")
    assert (model.refs, model.sources) == ([RefArgs("x", None, 2)], [["s", "t"]])
    assert model.relation_name == '"db"."dev"."orders"'
    assert model.depends_on.nodes == []


def test_config_applies_from_the_general_to_the_particular() -> None:
    tree = {
        "models": {"+tags": "all", "shop": {"marts": {"+materialized": "table", "+tags": ["mart"], "+meta": {"a": 1}}}}
    }
    files = {
        "models/marts/m.sql": "{{ config(tags=['file'], meta={'a': 3}) }} select 1",
        "models/m.yml": "models: [{name: m, config: {materialized: view, tags: [yaml], meta: {a: 2, b: 2}}}]",
    }
    model = models(files, package(configs=tree))["m"]
    assert model.config["materialized"] == "view"
    assert model.config["tags"] == ["all", "mart", "yaml", "file"]
    assert sorted(model.tags) == ["all", "file", "mart", "yaml"]
    assert model.meta == model.config["meta"] == {"a": 3, "b": 2}
    assert model.unrendered_config["materialized"] == "view"


def test_the_root_project_has_the_last_word_on_packages() -> None:
    root = package(configs={"models": {"lib": {"+materialized": "ephemeral"}}})
    lib = package("lib", configs={"models": {"lib": {"+materialized": "table", "+tags": ["lib"]}}})
    given = settings(root, lib)
    parsed = parse({}, given, lib={"models/m.sql": "{{ config(materialized='view') }} select 1"})
    model = parsed.manifest.nodes["model.lib.m"]
    assert (model.materialized, model.tags, model.relation_name) == ("ephemeral", ["lib"], None)


def test_properties_are_rendered_and_kept_raw_in_unrendered_config() -> None:
    files = {
        "models/m.sql": "select 1",
        "models/m.yml": """models: [{name: m, description: "{{ 1 }}", config: {materialized: "{{ 'table' if target.name == 'dev' }}"}}]""",
    }
    model = models(files)["m"]
    assert model.materialized == "table"
    assert model.unrendered_config["materialized"] == "{{ 'table' if target.name == 'dev' }}"
    assert model.description == "1"


def test_disabled_models_stand_apart_and_come_back() -> None:
    files = {
        "models/off.sql": "{{ config(enabled=false) }} select 1",
        "models/by_yaml.sql": "select 1",
        "models/back.sql": "select 1",
        "models/m.yml": "models: [{name: by_yaml, config: {enabled: false}}, {name: back, config: {enabled: true}}]",
    }
    tree = {"models": {"shop": {"back": {"+enabled": False}}}}
    manifest = parse(files, settings(package(configs=tree))).manifest
    assert set(manifest.nodes) == {"model.shop.back"}
    assert set(manifest.disabled) == {"model.shop.off", "model.shop.by_yaml"}


def test_tests_follow_their_columns_and_know_their_model() -> None:
    files = {
        "models/m.sql": "select 1",
        "models/x/m.yml": """
models:
  - name: m
    config: {group: g}
    data_tests: [{relationships: {arguments: {to: ref('m'), field: id}, column_name: id}}]
    columns: [{name: id, quote: true, tags: [t], tests: [unique, {not_null: {severity: warn}}]}]
groups: [{name: g, owner: {name: me}}]
""",
    }
    tests = [node for node in parse(files).manifest.nodes.values() if isinstance(node, GenericTest)]
    assert [test.test_metadata.name for test in tests] == ["unique", "not_null", "relationships"]
    unique, not_null, relationships = tests
    assert unique.fqn == ["shop", "x", unique.name]
    assert (unique.column_name, unique.tags, unique.attached_node, unique.group) == ('"id"', ["t"], "model.shop.m", "g")
    assert unique.depends_on.macros == ["macro.dbt.test_unique"]
    assert not_null.config["severity"] == "warn"
    assert relationships.refs == [RefArgs("m"), RefArgs("m")]
    assert relationships.depends_on.macros == ["macro.dbt.test_relationships", "macro.dbt.get_where_subquery"]


def test_a_primary_key_is_what_tests_say_is_unique() -> None:
    files = {
        "models/m.sql": "select 1",
        "models/m.yml": "models: [{name: m, columns: [{name: a, tests: [unique, not_null]}, {name: b, tests: [unique]}]}]",
    }
    assert models(files)["m"].primary_key == ["a"]


def test_an_overridden_test_is_rendered() -> None:
    files = {
        "tests/generic/t.sql": "{% test unique(model, column_name) %}{{ config(severity='warn') }} {{ ref('other') }}{% endtest %}",
        "models/m.sql": "select 1",
        "models/m.yml": "models: [{name: m, columns: [{name: a, tests: [unique]}]}]",
    }
    test = next(node for node in parse(files).manifest.nodes.values() if isinstance(node, GenericTest))
    assert test.depends_on.macros[0] == "macro.shop.test_unique"
    assert test.config["severity"] == "warn"
    assert RefArgs("other") in test.refs


VERSIONED = """
models:
  - name: m
    latest_version: 1
    description: base
    columns: [{name: a, tests: [unique]}, {name: b}]
    versions:
      - {v: 1}
      - {v: 2, defined_in: next, description: two, columns: [{include: '*', exclude: [a]}, {name: c}], config: {tags: [new]}}
"""


def test_versions_are_nodes_of_their_own() -> None:
    files = {"models/m.sql": "select 1", "models/next.sql": "select 2", "models/m.yml": VERSIONED}
    manifest = parse(files).manifest
    one, two = manifest.nodes["model.shop.m.v1"], manifest.nodes["model.shop.m.v2"]
    assert isinstance(one, Model)
    assert isinstance(two, Model)
    assert (one.name, one.version, one.latest_version, one.alias, one.fqn) == ("m", 1, 1, "m_v1", ["shop", "m", "v1"])
    assert (two.alias, two.description, list(two.columns), two.tags) == ("m_v2", "two", ["b", "c"], ["new"])
    tests = [node for node in manifest.nodes.values() if isinstance(node, GenericTest)]
    assert [(test.name, test.attached_node) for test in tests] == [("unique_m_v1_a", "model.shop.m.v1")]


def test_a_version_may_have_tests_of_its_own() -> None:
    yml = """
models:
  - name: m
    tests: [unique: {column_name: a}]
    versions: [{v: 1}, {v: 2, tests: [not_null: {column_name: b}]}, {v: 3, data_tests: []}, {v: 4, tests: []}]
"""
    files = {f"models/m_v{n}.sql": "select 1" for n in (1, 2, 3, 4)} | {"models/m.yml": yml}
    tests = [node.name for node in parse(files).manifest.nodes.values() if isinstance(node, GenericTest)]
    assert tests == ["unique_m_v1_a", "not_null_m_v2_b", "unique_m_v4_a"]  # dbt 1.11 overlooks an empty `tests`


def test_contracts_have_a_checksum_that_columns_change() -> None:
    yml = "models: [{name: m, config: {contract: {enforced: true}}, columns: [{name: a, data_type: %s}]}]"
    first = models({"models/m.sql": "select 1", "models/m.yml": yml % "int"})["m"]
    second = models({"models/m.sql": "select 1", "models/m.yml": yml % "text"})["m"]
    assert first.contract.enforced
    assert first.contract.checksum is not None
    assert first.contract.checksum != second.contract.checksum


def test_snapshots_come_from_blocks_and_from_yaml() -> None:
    files = {
        "snapshots/s.sql": "\n{% snapshot a %}{{ config(strategy='check', unique_key='i', check_cols='all') }} select 1{% endsnapshot %}",
        "snapshots/s.yml": (
            "snapshots: [{name: b, relation: ref('m'), config: {strategy: timestamp, unique_key: i, updated_at: u, "
            "target_schema: snap}}]"
        ),
    }
    nodes = parse(files).manifest.nodes
    block, entry = nodes["snapshot.shop.a"], nodes["snapshot.shop.b"]
    assert isinstance(entry, Snapshot)
    assert block.fqn == ["shop", "s", "a"]
    assert (entry.raw_code, entry.refs, entry.schema) == ("select * from {{ ref('m') }}", [RefArgs("m")], "snap")


SOURCES = """
sources:
  - name: s
    schema: "{{ target.schema }}_raw"
    tags: [b]
    freshness: {warn_after: {count: 1, period: day}}
    tables:
      - {name: one, config: {tags: [a], freshness: {error_after: {count: 2, period: day}}}}
      - {name: two, freshness: null, identifier: zwei}
      - {name: three, config: {enabled: false}}
"""


def test_sources_merge_what_stands_on_source_and_table() -> None:
    manifest = parse({"models/s.yml": SOURCES}).manifest
    one, two = manifest.sources["source.shop.s.one"], manifest.sources["source.shop.s.two"]
    assert (one.schema, one.unrendered_schema, one.tags) == ("dev_raw", "{{ target.schema }}_raw", ["a", "b"])
    assert one.freshness == {
        "warn_after": {"count": 1, "period": "day"},
        "error_after": {"count": 2, "period": "day"},
        "filter": None,
    }
    assert (two.freshness, two.relation_name) == (None, '"db"."dev_raw"."zwei"')
    assert list(manifest.disabled) == ["source.shop.s.three"]


def test_descriptions_find_their_docs_blocks() -> None:
    files = {
        "models/m.sql": "select 1",
        "models/d.md": "{% docs one %} One. {% enddocs %}",
        "models/m.yml": """
models:
  - name: m
    description: "It: {{ doc('one') }}"
    columns: [{name: a, description: "{{ doc('shop', 'one') }}"}]
""",
    }
    model = models(files)["m"]
    assert (model.description, model.doc_blocks) == ("It: One.", ["doc.shop.one"])
    assert (model.columns["a"]["description"], model.columns["a"]["doc_blocks"]) == ("One.", ["doc.shop.one"])


def test_hooks_of_the_project_are_operations() -> None:
    given = settings(package(on_run_start=("select 1",), on_run_end=("select * from {{ ref('m') }}",)))
    nodes = parse({}, given).manifest.nodes
    assert list(nodes) == ["operation.shop.shop-on-run-start-0", "operation.shop.shop-on-run-end-0"]
    assert nodes["operation.shop.shop-on-run-end-0"].refs == [RefArgs("m")]


def test_python_models_are_read_from_their_syntax() -> None:
    text = "def model(dbt, session):\n    dbt.config(tags=['py'])\n    return f(dbt.ref('a'), dbt.source('s', 't'))\n"
    model = models({"models/p.py": text})["p"]
    assert (model.language, model.materialized, model.tags) == ("python", "table", ["py"])
    assert (model.refs, model.sources) == ([RefArgs("a")], [["s", "t"]])


def test_exposures_depend_on_calls_without_braces() -> None:
    yml = "exposures: [{name: e, type: ml, owner: {name: me}, depends_on: [ref('a'), \"source('s', 't')\", \"ref('b', v=1)\"]}]"
    exposure = parse({"models/e.yml": yml}).manifest.exposures["exposure.shop.e"]
    assert exposure.refs == [RefArgs("a"), RefArgs("b", None, 1)]
    assert exposure.sources == [["s", "t"]]


@pytest.mark.parametrize("more", ["", "{{ 'rendered' }} "])
def test_config_calls_of_one_file_add_up(more: str) -> None:
    """Whether the file is scanned or rendered (dbt 1.11: merge_config_dicts)."""
    first = "{{ config(tags='a', meta={'x': 1, 'y': 1}, post_hook='one', materialized='view') }}"
    second = "{{ config(tags=['b'], meta={'y': 2}, post_hook=['two'], materialized='table') }}"
    model = models({"models/m.sql": f"{more}{first}{second} select 1"})["m"]
    assert model.config["tags"] == ["a", "b"]
    assert model.config["meta"] == {"x": 1, "y": 2}
    assert [hook["sql"] for hook in model.config["post-hook"]] == ["one", "two"]
    assert model.config["materialized"] == "table"
    assert model.unrendered_config["tags"] == ["a", "b"]


def test_a_map_of_config_calls_that_is_none_is_told_with_its_file() -> None:
    text = "{{ config(meta={'a': 1}) }}{{ config(meta='b') }}"
    with pytest.raises(JinjaError, match="'meta' must be a map") as caught:
        models({"models/m.sql": text})
    assert caught.value.place is not None
    assert caught.value.place.path == "models/m.sql"


def test_variables_that_a_model_used_are_noted() -> None:
    given = settings(package(vars={"v": 1}), env={"E": "x"})
    manifest = parse({"models/m.sql": "select {{ var('v') }}, '{{ env_var('E') }}'"}, given).manifest
    assert manifest.uses["model.shop.m"].vars == {"v": 1}
    assert manifest.uses["model.shop.m"].env_vars == {"E": "x"}


def test_variables_that_properties_used_are_noted() -> None:
    files = {
        "models/m.sql": "select 1",
        "models/m.yml": """models: [{name: m, config: {alias: "{{ env_var('E') }}"}}]""",
    }
    manifest = parse(files, settings(env={"E": "x"})).manifest
    assert manifest.nodes["model.shop.m"].alias == "x"
    assert manifest.uses["model.shop.m"].env_vars == {"E": "x"}


def test_warnings_have_dbts_names() -> None:
    files = {
        "models/m.sql": "select 1",
        "seeds/s.csv": "",
        "models/m.yml": "models: [{name: gone}]\nmacros: [{name: gone}]\nseeds: [{name: m}]\nfunctions: [{name: f}]",
    }
    tree = {"models": {"shop": {"nowhere": {"+materialized": "table"}}}}
    warnings = parse(files, settings(package(configs=tree))).warnings
    assert [warning.name for warning in warnings] == [  # by file, then by name
        "UnusedResourceConfigPath",
        "MacroNotFoundForPatch",
        "NoNodeForYamlKey",
        "NoNodeForYamlKey",
        "WrongResourceSchemaFile",
    ]
    assert "models.shop.nowhere" in warnings[0].message


M = {"models/m.sql": "select 1"}


@pytest.mark.parametrize(
    ("files", "error", "words", "place"),
    [
        ({"models/a/m.sql": "select 1", **M}, DuplicateError, "models/a/m.sql and models/m.sql", "models/m.sql"),
        ({**M, "models/n.sql": "{{ config(alias='m') }}"}, DuplicateError, "are the relation", "models/n.sql"),
        ({**M, "models/a.yml": "models: [{name: m}, {name: m}]"}, DuplicateError, "two entries", "models/a.yml:1"),
        ({"models/a.yml": "sources: [{name: s, tables: [{name: t}, {name: t}]}]"}, DuplicateError, "s.t", "models/a.yml"),
        ({"models/d.md": "{% docs a %}{% enddocs %}{% docs a %}{% enddocs %}"}, DuplicateError, "docs block", "models/d.md"),
        ({"models/m.sql": "select\n{% if %}"}, JinjaError, "Expected an expression", "models/m.sql:2"),
        ({"models/m.sql": "{{ config(enabled='x') }}"}, ParseError, "'enabled' must be true or false", "models/m.sql"),
        ({"models/m.sql": "{{ config(group='g') }}"}, ParseError, "group 'g'", "models/m.sql"),
        ({"models/m.sql": "{{ config(access='open') }}"}, ParseError, "access must be one of", "models/m.sql"),
        ({**M, "models/a.yml": "models:\n- name: m\n  columns: [{name: a, tests: [nope]}]"}, LinkError, "'nope'", "models/a.yml:3"),
        ({**M, "models/a.yml": "models:\n- {name: m, description: \"{{ doc('x') }}\"}"}, LinkError, "docs block 'x'", "models/a.yml"),
        ({**M, "models/a.yml": "models:\n- {name: m, meta: {}, config: {meta: {}}}"}, YamlError, "both", "models/a.yml:2"),
        ({**M, "models/a.yml": "models:\n- {name: m, columns: x}"}, YamlError, "must be a list", "models/a.yml:2"),
        ({**M, "models/a.yml": "models:\n- {name: m, versions: [{v: 1}, {v: 1}]}"}, YamlError, "twice", "models/a.yml:2"),
        ({**M, "models/a.yml": "models:\n- {name: m, latest_version: 3, versions: [{v: 1}]}"}, YamlError, "no version", "models/a.yml:2"),
        ({"models/a.yml": "exposures:\n- {name: e, type: x, owner: {name: a}}"}, YamlError, "type of the exposure", "models/a.yml:2"),
        ({"snapshots/s.sql": "{% snapshot a %}select 1{% endsnapshot %}"}, ParseError, "'strategy'", "snapshots/s.sql"),
        ({"models/p.py": "def other(): pass"}, ParseError, "function 'model'", "models/p.py"),
        ({"models/p.py": "def model(dbt, session):\n  x = dbt.ref(y)\n  return x"}, ParseError, "literals", "models/p.py:2"),
        ({"models/has space.sql": "select 1"}, ParseError, "holds a space", "models/has space.sql"),
    ],
)  # fmt: skip
def test_errors_say_what_and_where(files: dict[str, str], error: type[UnderstudyError], words: str, place: str) -> None:
    with pytest.raises(error, match=words) as caught:
        parse(files)
    assert place in str(caught.value)


def test_errors_of_one_step_come_together() -> None:
    with pytest.raises(ErrorList) as caught:
        parse({"models/a.sql": "{{ config(group='g') }}", "models/b.sql": "{{ config(group='h') }}"})
    assert len(caught.value.errors) == 2
