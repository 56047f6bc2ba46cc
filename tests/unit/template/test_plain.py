"""Templates that run as they are read give, ask for, and complain of, what they would if Jinja compiled them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.core.nodes import Model
from understudy.errors import UnderstudyError
from understudy.template import environment
from understudy.template.plain import read
from understudy.template.renderer import Renderer
from understudy.template.scope import Lookups
from understudy.template.session import Session

MACROS = """
{% macro cents(column, digits=2) %}round({{ column }} * 100, {{ digits }}){% endmacro %}
{% macro pivot(names) %}{% for n in names %}{{ n }},{% endfor %}{% endmacro %}
{% macro rows() %}{{ return([1, {'a': 'b'}]) }}{% endmacro %}
{% macro fails() %}

{{ 1 / 0 }}{% endmacro %}
"""
PLAIN = [
    "",
    "no Jinja",
    "{{ cents('a') }}",
    "{{ cents(column='a', digits=3,) -}}  \n x",
    "{% set names = ['new', \"paid\"] %}\n{{ pivot(names) }}",
    "{%- set d = {'a': [1, -2, 0.5, none, true], 'b': {}} -%} {{ d.a }} {{ d.b }}{{ d.keys() }}{{ d.nothing }}",
    "{% set a = 'x' %}{% set b = a %}{% set a = [a, b] %}{{ a }}",
    "{{ a }}{% set a = 1 %}{{ a }}",
    "{% set a = a %}{{ a }}",
    "{% set this = 'mine' %}{{ this }}",
    "{{ var('x') }}{{ target.name }} {{ target . schema }} {{ this.identifier }} {{ adapter.quote('q') }}",
    "{{ ref('a') }} {{ ref('p', 'b', v=2) }} {{ source('s', 't') }} {{ config(tags=['x', var('x')]) }}{{ builtins.ref('c') }}",
    "{% if is_incremental() %}where x > {{ var('x') }}{% endif %} end",
    "{% if not is_incremental() -%}\n  a {% if execute %}b{% else -%} c {%- endif %}{# no #}\n{%- else %}d{% endif %}",
    "{% set xs = rows() %}{{ xs }}{% do xs.append('c') %}{{ xs }} {{ xs.pop() }}",
    "{# a comment -#}  \r\n{{ env_var('E', 'no') }}\r\n",
    "{{ nobody }} {{ nobody.at.home(1) }}",
    "{{ range(3) }} {{ dict(a=1) }} {{ namespace(b=2).b }} {{ lipsum.__globals__ }}",
    "{% set x = '\\n\\'\\u00e9' %}{{ x.upper() }}{{ x.format(1) }}",
    "{{ context.update({'late': 1}) }}{{ late }}{{ nobody }}",
    "{{ return('x') }} y",
]
FAILING = [
    "\n\n{{ fails() }}",
    "{% set a = 'x' %}\n{% set b = \n fails() %}",
    "{{ cents(\n 'a',\n\n nope='b') }}",
    "a\n{{ cents\n(fails(),\n1) }}",
    "\n{% if\n fails() %}{% endif %}",
    "{% if true_ %}{% else %}\n\n{{ fails() }}{% endif %}",
    "{#\n\n#}{%- do\n adapter.nothing() %}",
    "\n{{ target.name() }}",
    "{{ var('never set') }}",
    "\n{{ env_var('NEVER_SET') }}",
    "{{ range(10000000) }}",
    "{{ exceptions.raise_compiler_error('no') }}",
    "\n{{ this.__class__() }}",
    "\n{{ ref() }}",
]
NOT_PLAIN = [
    "{% for x in y %}{% endfor %}", "{% set x %}a{% endset %}", "{% set x, y = z %}", "{% set x.y = 1 %}",
    "{% set x = 1 if y else 2 %}", "{% set x = (1, 2) %}", "{% set x = 1, 2 %}", "{% set none = 1 %}", "{% set x == 1 %}",
    "{{ a | upper }}", "{{ a ~ b }}", "{{ a + 1 }}", "{{ a -1 }}", "{{ a[0] }}", "{{ a.0 }}", "{{ a is none }}", "{{ not a }}",
    "{{ a and b }}", "{{ (a) }}", "{{ 'a' }}", "{{ 'a'.upper() }}", "{{ true }}", "{{ self.x() }}", "{{ f(*a) }}",
    "{{ f(**a) }}", "{{ f(a=1, 2) }}", "{{ f(a=1, a=2) }}", "{{ f(x == 1) }}", "{{ f(1 }}", "{{ f(1)) }}", "{{ f('a' 'b') }}",
    "{{ f({[1]: 2}) }}", "{{ f({a: 2}) }}", "{{ f({'a' 2}) }}", "{{ f([1 2]) }}", "{{ f(,) }}", "{{ f(1e3) }}", "{{ a. }}",
    "{{ a² }}", "{{ é }}", "{{+ a }}", "{%+ set a = 1 %}", "{{ }}", "{{ a", "{# a", "{% raw %}{{ a }}{% endraw %}",
    "{% if a %}", "{% endif %}", "{% else %}", "{% if a %}{% elif b %}{% endif %}", "{% if a %}{% else %}{% else %}{% endif %}",
    "{% if a %}{% set b = 1 %}{% endif %}", "{% if a == 1 %}{% endif %}", "{% if not not a %}{% endif %}", "{% do a %}}{{ b +",
    "{% call a() %}{% endcall %}", "{% filter upper %}{% endfilter %}", "{% macro a() %}{% endmacro %}",
    "{% block a %}{% endblock %}", "{% settle = 1 %}", "{% if_ %}", "{{ f(" + "[" * 30 + "]" * 30 + ") }}",
    "{% if a %}" * 30 + "{% endif %}" * 30,
]  # fmt: skip


def outcome(session: Session, text: str) -> object:
    """What comes of a rendering: its text, or its error."""
    try:
        return session.render(text)
    except UnderstudyError as error:
        return type(error), error.message, error.place, error.hint


Both = Callable[[str], None]


@pytest.fixture
def both(
    renderer: Callable[..., Renderer], model: Callable[..., Model], lookups: Lookups, monkeypatch: pytest.MonkeyPatch
) -> Both:
    """Holds a plain template to what Jinja makes of it, while a node is parsed and when it runs."""

    def render(text: str, **modes: Any) -> object:
        made = renderer(MACROS, vars={"x": 7}, env={"E": "set"})
        inputs: set[Any] = set()
        made.watch(inputs)
        session = Session(made._shared, "shop", node=model(), vars={"x": 7}, **modes)
        return outcome(session, text), session.uses, inputs

    def check(text: str) -> None:
        assert read(text) is not None
        running = {"lookups": lookups, "values": {"late": "early"}}
        for modes in ({"parsing": True, "execute": False}, {"execute": False}, running):
            ours = render(text, **modes)
            with monkeypatch.context() as patch:
                patch.setattr(environment.plain, "read", lambda text: None)
                assert ours == render(text, **modes)

    return check


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_template_gives_what_jinja_gives(text: str, both: Both) -> None:
    both(text)


@pytest.mark.parametrize("text", FAILING)
def test_a_plain_template_fails_as_with_jinja_and_in_the_same_line(text: str, both: Both) -> None:
    both(text)


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_anything_else_is_left_to_jinja(text: str) -> None:
    assert read(text) is None


def joined(left: str, right: str) -> st.SearchStrategy[Callable[[str], str]]:
    """What may stand around the inside of a tag."""
    return st.tuples(st.sampled_from(["", "-", "\n", "-\n "]), st.sampled_from([" ", "\n", "-", " -"])).map(
        lambda ends: lambda inside: f"{left}{ends[0]} {inside} {ends[1]}{right}"
    )


NAMES = st.sampled_from(["a", "b", "nobody", "this", "target", "execute", "invocation_id"])
OPERANDS = st.deferred(
    lambda: st.one_of(
        NAMES,
        st.tuples(NAMES, st.sampled_from(["name", "schema", "identifier", "a"])).map(".".join),
        st.tuples(
            st.sampled_from(["cents", "pivot", "rows", "ref", "var", "config", "log", "return", "fails", "a.append"]),
            st.lists(VALUES, max_size=2),
            st.dictionaries(st.sampled_from(["digits", "names", "v", "tags"]), VALUES, max_size=1),
        ).map(lambda t: f"{t[0]}(\n{', '.join([*t[1], *(f'{key}={value}' for key, value in t[2].items())])})"),
    )
)
VALUES: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["'x'", "'a'", "1", "-2", "0.5", "none", "True", "'\\n%}'", '"}}"']),
        OPERANDS,
        st.lists(OPERANDS, max_size=2).map(lambda items: f"[{', '.join(items)}]"),
        OPERANDS.map(lambda item: f"{{'k': {item}, 'l': []}}"),
    )
)
LEAVES = st.one_of(
    st.text("ab \n\r\t-{}%#'", max_size=5),
    st.tuples(joined("{{", "}}"), OPERANDS).map(lambda t: t[0](t[1])),
    st.tuples(joined("{%", "%}"), OPERANDS).map(lambda t: t[0](f"do {t[1]}")),
    st.text("a -{", max_size=4).map(lambda text: f"{{#{text}-#}}"),
)
SETS = st.tuples(joined("{%", "%}"), st.sampled_from("ab"), VALUES).map(lambda t: t[0](f"set {t[1]} = {t[2]}"))
BRANCHES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(joined("{%", "%}"), st.sampled_from(["", "not "]), OPERANDS, inner, inner).map(
        lambda t: f"{t[0](f'if {t[1]}{t[2]}')}{t[3]}{t[0]('else')}{t[4]}{t[0]('endif')}"
    ),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(BRANCHES, SETS), max_size=6).map("".join))
def test_plain_templates_agree_with_jinja(both: Both, text: str) -> None:
    if read(text) is not None:
        both(text)


def test_nothing_is_compiled_of_a_plain_template(
    renderer: Callable[..., Renderer], model: Callable[..., Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = renderer()
    compiled: list[str] = []
    compile_ = environment.Environment.compile
    monkeypatch.setattr(
        environment.Environment,
        "compile",
        lambda self, text, *args: compiled.append(text) or compile_(self, text, *args),
    )
    made.parse("{% set a = var('x', 1) %}{{ a }}", node=model(), package="shop")
    made.parse("{% set a = 1 %}{{ a + 1 }}", node=model(), package="shop")
    assert compiled == ["{% set a = 1 %}{{ a + 1 }}"]
