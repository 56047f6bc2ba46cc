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
from understudy.template.plain import Plain
from understudy.template.plain_reader import read as read_plain
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
ENGINE = environment.Engine()


def read(text: str) -> Plain | None:
    return read_plain(text, ENGINE.text.filters, ENGINE.text.tests)


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
    "{{ 'a' }}{{ 1 }}{{ true }}{{ none }}{{ [1, (2,), ()] }}{{ {'a': 1, target.name: b} }}{{ ('x') }}{{ 'a' 'b' \"c\" }}",
    "{{ 1 + 2 * 3 - 4 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ 7 // 2 }} {{ 7 % 4 }} {{ 1 / 4 }} {{ (1 + 2) * 3 }} {{ 5 -1 }}",
    "{{ - 1 }} {{ +1 }} {{ -(2 + 1) | abs }} {{ - -1 }} {{ 1 - -1 }} {{ a ~ 1 + 2 ~ 'b' ~ none }}{{ 'a' * 3 }}",
    "{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 in [1] }} {{ 1 not  in [1] }} {{ 1 == 1 != 2 }} {{ 2 >= 1 }} {{ 'a' <= 'b' }}",
    "{{ not true }} {{ not not a }} {{ not 1 == 2 }} {{ a or 'x' }} {{ 0 and nobody.x.y }} {{ 1 and 2 or 3 }} {{ (not a) or b }}",
    "{{ 'x' if execute else 'y' }} {{ 1 if 0 else 2 if 0 else 3 }} {{ (a if b else c) }} {{ 1 if 1 else 2 if 1 else 3 }}",
    "{{ var('x') | int + 1 }} {{ 'A' | lower }} {{ [3, 1] | sort(reverse=true) | join(', ') }} {{ 'x' | as_bool }}",
    "{{ a is defined }} {{ 'x' is not none }} {{ 4 is divisibleby(2) and 1 is odd }} {{ not a is none }} {{ b is string or 1 }}",
    "{{ ', '.join(['a', 'b']) }} {{ {'a': {'b': 2}}['a']['b'] }} {{ [1, 2][0] }} {{ 'abc'[1] }} {{ target['name'] }} {{ {'a': 1}.a }}",
    "{{ {'f': [1]}.f | list | first }} {{ ([1] | first).__class__ }} {{ namespace(x='y') | attr('x') }}",
    "{% if var('x') == 7 and not nobody %}a{% elif execute %}b{% elif 1 %}c{% else %}d{% endif %}{% if a is none %}e{% endif %}",
    "{% set x = 1 if execute else (2, 3) %}{{ x }}{% set y = x ~ 'z' %}{% do [].append(y) %}{{ config(enabled=var('x') | as_bool) }}",
    "{{ a -}} b {{- 1 -}} c {%- set d = 5 - 3 -%} {{ d % 2 }}{% if d % 2 %}odd{% endif %}",
    "{{ ref('a' ~ 'b') }} {{ source(['s'][0], 't') }} {{ dict([('k', 1)]) }} {{ (1, 2)[1] }} {{ range(2) | list + [7] }}",
    "{{ this is mapping }} {{ target.name in ['dev', 'prod'] }} {{ 'd' not in target.name and 'x' }} {{ {'a': 1, 'a': 2} }}",
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
    "\n{{ 1\n + \n 'a' }}",
    "{{ a\n ~ \n fails() }}",
    "{{\n\n1 + 1\n + 'x' + 2 }}",
    "{{ 1\n == 1\n < fails()\n }}",
    "{{\n not\n fails() }}",
    "{{ -\n fails()\n | abs }}",
    "{{ 1\n or 1 / 0 }}{{ 0\n or 1 / 0 }}",
    "{{ 0\n or 0\n or 1 / 0 }}",
    "{{ (1,\n 2) +\n 1 }}",
    "{{\n (1 / 0) }}",
    "{{\n (\n1 / 0,) }}",
    "{{ (1 / 0\n, 2\n,\n) }}",
    "{{ (\n1 / 0\n, 2) }}",
    "{{ 'x'\n | int(\nfails()) }}",
    "{{ 'x'\n |\n round }}",
    "{{ 'x'\n is\n divisibleby(0) }}",
    "{{ 'x'\n is not\n divisibleby('a') }}",
    "{{ [1]\n[fails()] }}",
    "{{ 'a'\n if fails()\n else 1 }}",
    "{{ [\n1 / 0\n] }}",
    "{{ {'a':\n 1 / 0} }}",
    "{% if 0 %}{%\n elif fails() %}{% endif %}",
    "{% if 0 %}{% elif 1 %}\n{{ fails() }}{% endif %}",
    "{{ [] | first | upper(1, 2) }}",
    "{{ none | abs }}",
    "{{ this.__class__ | attr('__mro__') }}{{ ''['__class__'].x }}",
]
NOT_PLAIN = [
    "{% for x in y %}{% endfor %}", "{% set x %}a{% endset %}", "{% set x, y = z %}", "{% set x.y = 1 %}",
    "{% set x = 1, 2 %}", "{% set none = 1 %}", "{% set x == 1 %}", "{{ a, b }}", "{{ 'a' if b }}", "{% if a if b else c %}{% endif %}",
    "{% if a, b %}{% endif %}", "{{ a.0 }}", "{{ a[1:] }}", "{{ a[:] }}", "{{ a[1, 2] }}", "{{ a[] }}", "{{ a | nothing }}",
    "{{ a | f.g }}", "{{ a is nothing }}", "{{ a is divisibleby 3 }}", "{{ a is defined if b else c }}", "{{ a is none is none }}",
    "{{ a | join.x }}", "{{ a | upper.b }}", "{{ a == not b }}", "{{ a + not b }}", "{{ self.x() }}", "{{ f(*a) }}", "{{ f(**a) }}",
    "{{ f(a=1, 2) }}", "{{ f(a=1, a=2) }}", "{{ f(1 }}", "{{ f(1)) }}", "{{ f({[1]: 2}) }}", "{{ f({{}: 2}) }}", "{{ f({'a' 2}) }}",
    "{{ f([1 2]) }}", "{{ f(,) }}", "{{ (,) }}", "{{ (1 }}", "{{ f(1e3) }}", "{{ 0x1f }}", "{{ 1_0 }}", "{{ 1. }}", "{{ a. }}",
    "{{ a² }}", "{{ é }}", "{{+ a }}", "{%+ set a = 1 %}", "{{ }}", "{{ a", "{# a", "{% raw %}{{ a }}{% endraw %}", "{{ a and }}",
    "{{ a = b }}", "{{ a ! b }}", "{{ a <> b }}", "{{ a && b }}", "{{ a ? b : c }}", "{{ not }}", "{{ a if }}", "{{ if a else b }}",
    "{{ a |  }}", "{{ a || b }}", "{{ a is }}", "{{ a is not }}", "{{ - }}", "{{ a b }}", "{{ 'a }}", "{{ a if b else }}",
    "{% if a %}", "{% endif %}", "{% else %}", "{% elif a %}", "{% if a %}{% elif %}{% endif %}",
    "{% if a %}{% else %}{% elif b %}{% endif %}", "{% if a %}{% else %}{% else %}{% endif %}", "{% if a %}{% elif b %}",
    "{% if a %}{% set b = 1 %}{% endif %}", "{% if a %}{% elif b %}{% set b = 1 %}{% endif %}", "{% do a %}}{{ b +",
    "{% call a() %}{% endcall %}", "{% filter upper %}{% endfilter %}", "{% macro a() %}{% endmacro %}",
    "{% block a %}{% endblock %}", "{% settle = 1 %}", "{% if_ %}", "{{ f(" + "[" * 30 + "]" * 30 + ") }}", "{{ " + "not " * 30 + "a }}",
    "{% if a %}" * 30 + "{% endif %}" * 30, "{{ " + "- " * 30 + "1 }}", "{{ " + "(" * 30 + "1" + ")" * 30 + " }}",
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
                patch.setattr(environment.plain_reader, "read", lambda *_: None)
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
        st.tuples(NAMES, VALUES).map(lambda t: f"{t[0]}[{t[1]}]"),
        st.tuples(
            st.sampled_from(["cents", "pivot", "rows", "ref", "var", "config", "log", "return", "fails", "a.append"]),
            st.lists(VALUES, max_size=2),
            st.dictionaries(st.sampled_from(["digits", "names", "v", "tags"]), VALUES, max_size=1),
        ).map(lambda t: f"{t[0]}(\n{', '.join([*t[1], *(f'{key}={value}' for key, value in t[2].items())])})"),
    )
)
SIGNS = st.sampled_from(
    [
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "~",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "in",
        "not in",
        "and",
        "or",
        "\nand",
        "~\n",
        "**",
    ]
)
BEHIND = st.sampled_from(
    [
        "| upper",
        "| default('x')",
        "|\nint",
        "| join(a)",
        "| length",
        "| nothing",
        "is none",
        "is not\ndefined",
        "is string",
        "is in(b)",
    ]
)
LITERALS = st.sampled_from(["'x'", "'a'", "1", "-2", "0.5", "none", "True", "'\\n%}'", '"}}"', "'a' 'b'", "()"])
VALUES: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        LITERALS,
        OPERANDS,
        st.lists(VALUES, max_size=2).map(lambda items: f"[{', '.join(items)}]"),
        VALUES.map(lambda item: f"{{'k': {item}, 'l': []}}"),
        st.tuples(st.one_of(LITERALS, OPERANDS), SIGNS, st.one_of(LITERALS, OPERANDS)).map(" ".join),
        st.tuples(OPERANDS, SIGNS, LITERALS, SIGNS, OPERANDS).map(" ".join),
        st.tuples(st.sampled_from(["not", "-", "+", "not\nnot"]), OPERANDS).map(" ".join),
        st.tuples(OPERANDS, BEHIND, st.sampled_from(["", "~ 1", "| list", "or a"])).map(" ".join),
        st.tuples(OPERANDS, VALUES, VALUES).map(lambda t: f"{t[1]} if {t[0]} else {t[2]}"),
        st.tuples(VALUES, st.sampled_from(["", ",", ", 1"])).map(lambda t: f"({t[0]}{t[1]})"),
    )
)
LEAVES = st.one_of(
    st.text("ab \n\r\t-{}%#'", max_size=5),
    st.tuples(joined("{{", "}}"), VALUES).map(lambda t: t[0](t[1])),
    st.tuples(joined("{%", "%}"), VALUES).map(lambda t: t[0](f"do {t[1]}")),
    st.text("a -{", max_size=4).map(lambda text: f"{{#{text}-#}}"),
)
SETS = st.tuples(joined("{%", "%}"), st.sampled_from("ab"), VALUES).map(lambda t: t[0](f"set {t[1]} = {t[2]}"))
BRANCHES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(joined("{%", "%}"), VALUES, inner, VALUES, inner).map(
        lambda t: f"{t[0](f'if {t[1]}')}{t[2]}{t[0](f'elif {t[3]}')}{t[4]}{t[0]('else')}{t[2]}{t[0]('endif')}"
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    made.parse("{% for a in [1] %}{{ a }}{% endfor %}", node=model(), package="shop")
    assert compiled == ["{% for a in [1] %}{{ a }}{% endfor %}"]
