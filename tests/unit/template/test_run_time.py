"""Rendering with references, an engine, variables and macros."""

from __future__ import annotations

import pytest

from understudy.core.relation import Relation
from understudy.core.statement import Result
from understudy.errors import DatabaseError, JinjaError


@pytest.fixture
def render(renderer, model, lookups, database):
    def run(text: str, macros: str = "", config=None, **kwargs) -> str:
        return renderer(macros, **kwargs).session(model(**(config or {})), lookups, database=database).render(text)

    return run


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("select * from {{ ref('a') }}\n", 'select * from "db"."dev"."a"'),
        ("{{ ref('a', v=2) }} {{ source('s', 't') }}", '"db"."dev"."a_v2" "db"."s"."t"'),
        ("{{ ref('a').include(database=false) }} {{ ref('a').identifier }} {{ ref('a').quote(schema=false) }}", '"dev"."a" a "db".dev."a"'),
        ("{{ this }} {{ this.schema }}.{{ this.name }} {{ schema }} {{ database }} {{ this.is_view }}",
            '"db"."dev"."m" dev.m dev db False'),
        ("{{ this is mapping }} {{ this.get('metadata').type }} {{ this.without_identifier() }}", 'True Relation "db"."dev"'),
        ("{{ api.Relation.create(schema='s', identifier='i', type='view').is_view }} {{ api.Relation.View }}", "True view"),
        (
            "{{ api.Column.create('a', 'string').data_type }} {{ api.Column('n', 'varchar', 9).data_type }}",
            "character varying(256) character varying(9)",
        ),
        ("{{ target.name }} {{ target.type }} {{ target.path }} {{ target.password }}|", "dev duckdb x.db |"),
        ("{{ model.name }} {{ model['config'].materialized }} {{ context.model.name }} {{ project_name }}", "m view m shop"),
        ("{{ config.get('materialized') }} {{ config.get('x', 'd') }} {{ config.require('tags') }}", "view d []"),
        ("{{ flags.STORE_FAILURES }} {{ flags.NO_SUCH }}|", "False |"),
        ("{{ execute }} {{ dbt_version[:4] }} {{ flags.FULL_REFRESH }} {{ run_started_at.strftime('%Y') }}", "True 1.11 True 2026"),
        ("{{ tojson({'b': 1}) }} {{ fromjson('[1]')[0] }} {{ fromjson('x', 'd') }}", '{"b": 1} 1 d'),
        ("{{ fromyaml('a: [1]').a[0] }} {{ toyaml({'a': 1}) }}", "1 a: 1\n"),
        ("{{ set([1, 1]) | length }} {{ set(1, 'd') }} {{ zip([1], [2]) | list }} {{ local_md5('a') }}",
            "1 d [(1, 2)] 0cc175b9c0f1b6a831c399e269772661"),
        ("{{ modules.re.sub('a', 'b', 'aa') }} {{ modules.datetime.date(2026, 1, 2) }}", "bb 2026-01-02"),
        ("{{ modules.pytz.utc }} {{ modules.itertools.chain([1], [2]) | list }}", "UTC [1, 2]"),
        ("{{ adapter.quote('a\"b') }} {{ adapter.type() }} {{ adapter.quote_as_configured('x', 'schema') }}", '"a""b" duckdb "x"'),
        ("{% set r = adapter.get_relation('db', 'dev', 't') %}{{ r.is_table }} {{ adapter.get_relation('db', 'dev', 'u') }}", "True None"),
        ("{% for c in adapter.get_columns_in_relation(this) %}{{ c.name }}:{{ c.data_type }};{% endfor %}",
            "id:INTEGER;name:VARCHAR(10);"),
        ("{% set r = run_query('q') %}{{ r.columns[0].values() }} {{ r.rows[1]['n'] }} {{ r | length }}", "(1, 2) 2 2"),
        ("{% call statement('s', fetch_result=true) %}q{% endcall %}{{ load_result('s').data }} {{ load_result('none') }}",
            "[(1,), (2,)] None"),
        ("{% do [].append(1) %}{% set ns = namespace(x=1) %}{% set ns.x = 2 %}{{ ns.x }}", "2"),
        ("{% for i in [1, 2, 3] %}{{ i }}{% break %}{% endfor %}", "1"),
        ("{{ '3' | as_number + 'x' }} {{ 'a' | as_text }}", "3x a"),
        ("{{ render('{{ 1 + 1 }}') }}", "2"),
        ("a\r\nb{{ 1 }}\n\n", "a\nb1\n"),
        ("no jinja }} \n", "no jinja }} \n"),
    ],
)  # fmt: skip
def test_the_context(render, text: str, answer: str) -> None:
    assert render(text, flags={"full_refresh": True}) == answer


def test_macros_return_call_and_take_arguments(render) -> None:
    macros = """{% macro values() %}{{ return([1, two()]) }}{% endmacro %}{% macro two() %}{{ return(2) }}{% endmacro %}
{% macro wrap(tag, end=none) %}<{{ tag }}>{{ caller(1) }}</{{ end or tag }}>{% endmacro %}
{% macro many(a) %}{{ a }} {{ varargs }} {{ kwargs }}{% endmacro %}"""
    assert render("{{ values()[1] }} {{ values() | sum }} {{ shop.two() }} {{ context['two']() }}", macros) == "2 3 2 2"
    assert (
        render("{% call(x) wrap('b', end='c') %}{{ x }}{% endcall %} {{ many(1, 2, k=3) }}", macros)
        == "<b>1</c> 1 (2,) {'k': 3}"
    )


def test_macros_fill_the_lists_of_their_callers(render) -> None:
    """Found with codegen's generate_model_yaml: a copy of the list would stay empty."""
    macros = """{% macro outer(found) %}{{ return(adapter.dispatch('inner')(found, names=found)) }}{% endmacro %}
{% macro default__inner(found, names) %}{% do found.append(ref('a')) %}{% do names.append(1) %}{{ return(found) }}{% endmacro %}"""
    text = "{% set mine = [] %}{% set got = outer(mine) %}{{ mine | length }} {{ got is sameas mine }} {{ mine[0].identifier }}"
    assert render(text, macros) == "2 True a"


def test_builtin_macros_get_the_context_and_give_relations(renderer, model, lookups, database) -> None:
    def beside(context, relation, suffix):
        assert context.execute
        assert context.this.identifier == "m"
        assert context.config.get("materialized") == "table"
        assert context.variable("sql") == "select 1"
        assert context.call("name") == "mine"
        return Relation("db", "dev", relation.identifier + suffix)

    session = renderer(
        "{% macro name() %}mine{% endmacro %}", builtins={"beside": beside, "name": lambda c: "ours"}
    ).session(model(materialized="table"), lookups, database=database)
    session.set("sql", "select 1")
    assert session.render("{{ beside(this, suffix='_x').include(schema=false) }} {{ dbt.name() }}") == '"db"."m_x" ours'
    assert session.call("beside", session.this, "_y").identifier == "m_y"
    assert session.uses.macros == ["macro.dbt.beside", "macro.dbt.name"]


def test_relations_reach_jinja_macros_as_objects(renderer, model, lookups) -> None:
    session = renderer("{% macro m(r) %}{{ r.include(database=false) }}{% endmacro %}").session(
        model(), lookups, database=None
    )
    assert session.call("m", Relation("db", "s", "i")) == '"s"."i"'
    with pytest.raises(JinjaError, match="no macro named 'mm'"):
        session.call("mm")


def test_changes_of_the_database_go_through_macros(renderer, model, lookups, database) -> None:
    seen = []
    builtins = {"create_schema": lambda context, relation: seen.append(str(relation)) or ""}
    session = renderer(builtins=builtins).session(model(), lookups, database=database)
    session.render("{% do adapter.create_schema(this.without_identifier()) %}")
    assert seen == ['"db"."dev"']


def test_variables_and_their_order(renderer, model, lookups) -> None:
    make = renderer(
        vars={"a": "root", "b": "root", "c": "root", "pkg": {"b": "scoped", "a": "scoped"}}, cli_vars={"a": "cli"},
        package_vars={"d": "own", "c": "own"}, pkg="",
    )  # fmt: skip
    text = "{{ var('a') }} {{ var('b') }} {{ var('c') }} {{ var('d', 'default') }} {{ var.has_var('d') }}"
    assert make.session(model("pkg"), lookups, database=None).render(text) == "cli scoped root own True"
    session = make.session(model(), lookups, database=None)
    assert session.render(text) == "cli root root default False"
    assert session.uses.vars == {"a": "cli", "b": "root", "c": "root", "d": "default"}
    with pytest.raises(JinjaError, match="Required var 'aa' not found in config") as caught:
        session.render("{{ var('aa') }}")
    assert caught.value.hint == "Did you mean 'a'?"


def test_a_variable_may_be_a_template(renderer, model, lookups) -> None:
    assert (
        renderer(vars={"a": "{{ target.name }}"}).session(model(), lookups, database=None).render("{{ var('a') }}")
        == "dev"
    )


def test_messages_reach_the_listener(renderer, model, lookups) -> None:
    heard = []
    make = renderer(notify=lambda kind, message, place: heard.append((kind, message, place.node)))
    text = "{{ log('a') }}{{ log('b', info=true) }}{{ print('c') }}{{ exceptions.warn('d') }}"
    assert make.session(model(), lookups, database=None).render(text) == ""
    assert heard == [
        (kind, text, "model.shop.m") for kind, text in (("debug", "a"), ("info", "b"), ("print", "c"), ("warn", "d"))
    ]


def test_without_an_engine_questions_are_errors(renderer, model, lookups) -> None:
    with pytest.raises(JinjaError, match="not connected"):
        renderer().session(model(), lookups, database=None).render("{{ run_query('x') }}")


def test_errors_of_the_engine_keep_their_class(renderer, model, lookups, database) -> None:
    def refuse(statement):
        raise DatabaseError("no such table")

    database.execute = refuse
    with pytest.raises(DatabaseError, match="no such table") as caught:
        renderer().session(model(), lookups, database=database).render("\n{{ run_query('x') }}")
    assert str(caught.value.place) == "model.shop.m (models/m.sql)"


def test_stored_results_are_loaded_once(render) -> None:
    with pytest.raises(JinjaError, match="already been loaded"):
        render("{{ store_raw_result('a', message='OK') }}{{ load_result('a').response }}{{ load_result('a') }}")


def test_agate_has_the_values_that_dbt_makes_of_the_engines(renderer, model, lookups, database) -> None:
    import datetime
    import decimal

    kept = (1, decimal.Decimal("1.50"), "x", None, True, datetime.date(2026, 1, 2))
    row = (*kept, [1], {"a": 1})
    database.rows = Result(tuple("abcdefgg"), (), (row,))
    session = renderer().session(model(), lookups, database=database)
    assert session.render("{% set r = run_query('q') %}{{ r.column_names }} {{ r.rows[0].values() }}") == (
        "('a', 'b', 'c', 'd', 'e', 'f', 'g', 'g_2') " + str((*kept, "[1]", '{"a": 1}'))
    )


def test_a_project_may_stand_before_ref(renderer, model, lookups) -> None:
    macros = "{% macro ref(name) %}{{ return(builtins.ref(name).include(database=false)) }}{% endmacro %}"
    session = renderer(macros).session(model(), lookups, database=None)
    assert session.render("{{ ref('a') }}") == '"dev"."a"'


def test_a_function_may_fail_with_another_message(renderer, model, lookups) -> None:
    session = renderer("{% macro half(x) %}{{ x / 2 }}{% endmacro %}").session(model(), lookups, database=None)
    assert session.render("{{ try_or_compiler_error('odd', half, 2) }}") == "1.0"
    with pytest.raises(JinjaError, match="odd"):
        session.render("{{ try_or_compiler_error('odd', half, 'x') }}")
    with pytest.raises(JinjaError, match=r"Write adapter.dispatch\('star', 'dbt_utils'\)"):
        session.render("{{ adapter_macro('dbt_utils.star') }}")
    with pytest.raises(JinjaError, match="can only load_agate_table for seeds"):
        session.render("{{ load_agate_table() }}")


def test_what_the_adapter_lacks_may_be_asked_for_but_not_used(renderer, model, lookups, database) -> None:
    session = renderer().session(model(), lookups, database=database)
    assert session.render("{{ adapter.no_such is defined }}") == "False"
    with pytest.raises(JinjaError, match=r"adapter has no method 'get_relatoin'\. Did you mean 'get_relation'"):
        session.render("{{ adapter.get_relatoin('a') }}")


def test_generated_names_follow_overrides(renderer, model) -> None:
    from understudy.stdlib.names import MACROS

    plain = renderer(builtins=MACROS)
    assert [plain.generate_name(kind, custom, model()) for kind in ("schema", "alias", "database") for custom in (None, " x ")] == [
        "dev", "dev_x", "m", "x", "db", "x",
    ]  # fmt: skip
    root = "{% macro generate_schema_name(custom_schema_name, node) %} {{ node.name }}_{{ custom_schema_name }} {% endmacro %}"
    own = "{% macro generate_schema_name(custom, node) %}own_{{ node.config.materialized }}_{{ env_var('E') }}{% endmacro %}"
    made = renderer(root, builtins=MACROS, pkg=own, other="", env={"E": "e"})
    names = [made.generate_name("schema", "c", model(package)) for package in ("shop", "pkg", "other")]
    assert names == ["m_c", "own_view_e", "m_c"]
    assert made.naming.env_vars == {"E": "e"}
    assert made.generate_name("alias", None, model()) == "m"
