"""What `Renderer.parse` finds in templates that need rendering."""

from __future__ import annotations

import pytest

from understudy.core.nodes import Checksum, GenericTest, RefArgs, TestMetadata
from understudy.errors import JinjaError


def parse(renderer, model, text, **kwargs):
    return renderer(**kwargs).parse(text, node=model(), package="shop")


def test_calls_config_variables_and_macros_are_noted(renderer, model) -> None:
    text = (
        "{{ config(materialized=var('kind'), schema='x', pre_hook=[\"a\", env_var('E')], meta={'a': 1}) }}"
        "{% for name in ['a', 'b'] %}{{ ref(name) }}{% endfor %}{{ ref('p', 'c', v=1) }}{{ source('s', 't') }}"
        "{% if execute %}{{ ref('never') }}{% endif %}{{ outer() }}{{ var('missing') }}{{ var('d', 5) }}"
    )
    macros = "{% macro outer() %}{{ inner() }}{{ ref('inside') }}{% endmacro %}{% macro inner() %}{% endmacro %}"
    make = renderer(macros, vars={"kind": "table"}, env={"E": "e"})
    found = make.parse(text, node=model(), package="shop")
    assert found.refs == [RefArgs("a"), RefArgs("b"), RefArgs("c", "p", 1), RefArgs("inside")]
    assert found.sources == [["s", "t"]]
    assert found.config == {"materialized": "table", "schema": "x", "pre-hook": ["a", "e"], "meta": {"a": 1}}
    assert found.unrendered_config == {
        "materialized": "{{ var('kind') }}", "schema": "x", "pre-hook": "{{ [\"a\", env_var('E')] }}", "meta": {"a": 1},
    }  # fmt: skip
    assert found.macros == ["macro.shop.outer"]
    assert found.vars == {"kind": "table", "missing": None, "d": 5}
    assert found.env_vars == {"E": "e"}


def test_unknown_names_are_lenient_in_a_node_and_strict_in_a_macro(renderer, model) -> None:
    text = "{{ nothing }}{{ nothing.at.all() }}{{ nothing['x'](1).y }}{% for x in nothing %}{% endfor %}"
    assert parse(renderer, model, text).refs == []
    with pytest.raises(JinjaError, match="'nothing' is undefined"):
        renderer("{% macro a() %}{{ nothing.x }}{% endmacro %}").parse("{{ a() }}", node=model(), package="shop")


def test_the_engine_is_not_asked(renderer, model) -> None:
    text = (
        "{% for c in adapter.get_columns_in_relation(ref('a')) %}{{ fail() }}{% endfor %}"
        "{% if adapter.get_relation('a', 'b', 'c') is none and not run_query('x') %}{{ ref('b') }}{% endif %}"
        "{% for row in run_query('x') %}{{ fail() }}{% endfor %}"
        "{% call statement('s') %}{{ ref('not_rendered') }}{% endcall %}{{ load_result('s') }}{{ config.get('x') }}{{ this.schema }}"
    )
    found = parse(renderer, model, text)
    assert found.refs == [RefArgs("a"), RefArgs("b")]
    assert found.macros == ["macro.dbt.run_query", "macro.dbt.statement"]


def test_a_project_may_override_ref(renderer, model) -> None:
    make = renderer("{% macro ref(name) %}{{ return(builtins.ref('pre_' ~ name)) }}{% endmacro %}")
    found = make.parse("{{ ref('a') }}", node=model(), package="shop")
    assert (found.refs, found.macros) == ([RefArgs("pre_a")], ["macro.shop.ref"])


def test_dispatched_macros_count_when_called_from_the_node(renderer, model) -> None:
    make = renderer("{% macro default__x() %}{% endmacro %}")
    found = make.parse("{{ adapter.dispatch('x')() }}", node=model(), package="shop")
    assert found.macros == ["macro.shop.default__x"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ env_var('NO') }}", "Env var required but not provided: 'NO'"),
        ("{{ env_var('DBT_ENV_SECRET_X', 'd') }}", "Secret env vars are allowed only"),
        ("{{ ref() }}", "at most two arguments"),
        ("{{ ref(1) }}", "must be a string"),
        ("{{ source('a') }}", "exactly two texts"),
        ("{{ config('x') }}", "config"),
        ("{{ foo( }}", "unexpected"),
        ("{% if x %}", "Unexpected end of template"),
        ("{{ adapter.get_relatoin() }}", "no method 'get_relatoin'"),
        ("{{ 1 + 'a' }}", "unsupported operand"),
    ],
)
def test_errors_say_file_and_line(renderer, model, text, words) -> None:
    with pytest.raises(JinjaError, match=words) as caught:
        parse(renderer, model, "select 1\n" + text)
    assert (caught.value.place.path, caught.value.place.line, caught.value.place.node) == (
        "models/m.sql",
        2,
        "model.shop.m",
    )


def test_errors_inside_macros_name_the_chain(renderer, model) -> None:
    macros = "\n{% macro deep() %}\n\n{{ exceptions.raise_compiler_error('boom') }}{% endmacro %}\n"
    macros += "{% macro outer() %}{{ deep() }}{% endmacro %}"
    with pytest.raises(JinjaError) as caught:
        renderer(macros).parse("{{ 1 }}\n{{ outer() }}", node=model(), package="shop")
    error = caught.value
    assert error.message.splitlines() == [
        "boom",
        "  in macro deep (macros/m.sql:4)",
        "  called by macro outer (macros/m.sql:5)",
        "  called by model.shop.m (models/m.sql:2)",
    ]
    assert (error.place.path, error.place.line) == ("macros/m.sql", 4)


def test_endless_recursion_is_an_error(renderer, model) -> None:
    with pytest.raises(JinjaError, match="without an end"):
        renderer("{% macro a() %}{{ a() }}{% endmacro %}").parse("{{ a() }}", node=model(), package="shop")


def generic(name: str, raw_code: str = "", **kwargs) -> GenericTest:
    return GenericTest(
        database="db", schema="audit", name="t", package_name="shop", path="t.sql", original_file_path="models/s.yml",
        unique_id="test.shop.t", fqn=["shop", "t"], alias="t", checksum=Checksum("none", ""), config={},
        raw_code=raw_code or f"{{{{ test_{name}(**_dbt_generic_test_kwargs) }}}}{{{{ config(severity=\"warn\") }}}}",
        test_metadata=TestMetadata(name=name, kwargs=kwargs),
    )  # fmt: skip


def returns_model(context, model, **kwargs):
    return f"select * from {model}"


def test_generic_tests_render_their_arguments(renderer) -> None:
    macros = "{% test mine(model, column_name, to, n) %}{{ config(limit=n) }}{{ column_name }} {{ model }} {{ to }}{% endtest %}"
    make = renderer(macros, builtins={"get_where_subquery": lambda context, relation: relation}, vars={"n": 2})
    node = generic(
        "mine", model="{{ get_where_subquery(ref('a')) }}", column_name="{{ x }}", to="ref('b')", n="{{ var('n') }}"
    )
    found = make.parse(node.raw_code, node=node, package="shop")
    assert found.refs == [RefArgs("a"), RefArgs("b")]
    assert found.config == {"limit": 2, "severity": "warn"}
    assert found.macros == ["macro.shop.test_mine", "macro.dbt.get_where_subquery"]


def test_unique_and_not_null_are_read_without_rendering(renderer) -> None:
    make = renderer(builtins={"test_unique": returns_model})
    node = generic("unique", model="{{ get_where_subquery(source('s', 't')) }}", column_name="id")
    found = make.parse(node.raw_code, node=node, package="shop")
    assert (found.sources, found.macros, found.config) == (
        [["s", "t"]],
        ["macro.dbt.test_unique"],
        {"severity": "warn"},
    )
    overridden = renderer(
        "{% test unique(model, column_name) %}{{ ref('more') }}{% endtest %}",
        builtins={"get_where_subquery": lambda c, r: r},
    )
    assert overridden.parse(node.raw_code, node=node, package="shop").refs == [RefArgs("more")]


def test_the_source_of_a_config_call_and_what_dbt_records_of_it() -> None:
    from understudy.template.syntax import config_source, dbt_keyword

    text = "{{ config(a=var('x', 'y'), b=['l', 1], c='t', d=f(a=1, b=[2, ')']), **more) }}{{ x.config(e=1) }}{{ config(c=2) }}"
    found = config_source(text)
    assert found == {"a": "{{ var('x', 'y') }}", "b": ["l", 1], "c": 2, "d": "{{ f(a=1, b=[2, ')']) }}"}
    assert (
        config_source(f"{{# config(z=1) #}}config {text} config {{{{ 'as far as config is named' }}}}{{{{ 'never ended")
        == found
    )
    # as dbt 1.11.16's statically_parse_unrendered_config answers
    assert dbt_keyword("a", found["a"]) == (
        "Keyword(key='a', value=Call(node=Name(name='var', ctx='load'), args=[Const(value='x'), Const(value='y')], "
        "kwargs=[], dyn_args=None, dyn_kwargs=None))"
    )
    assert dbt_keyword("c", "t") == "Keyword(key='c', value=Const(value='t'))"
