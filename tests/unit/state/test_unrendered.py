"""Config values in the forms that states hold. The trees are what dbt 1.11 writes for the Jinja beside them."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.state.unrendered import differing, read_tree, same, words

VAR = "Call(node=Name(name='var', ctx='load'), args=[Const(value='x')], kwargs=[], dyn_args=None, dyn_kwargs=None)"
REST = "args=[], kwargs=[], dyn_args=None, dyn_kwargs=None"
TREES: list[tuple[Any, str]] = [
    ("table", "Const(value='table')"),
    (None, "Const(value=None)"),
    (-1, "Neg(node=Const(value=1))"),
    ([1, "x"], "List(items=[Const(value=1), Const(value='x')])"),
    ([1, 2], "Tuple(items=[Const(value=1), Const(value=2)], ctx='load')"),
    ({"k": [2]}, "Dict(items=[Pair(key=Const(value='k'), value=List(items=[Const(value=2)]))])"),
    ("{{ var('x') }}", VAR),
    ('{{ var( "x" )~"_y" }}', f"Concat(nodes=[{VAR}, Const(value='_y')])"),
    (
        "{{ target.name == 'prod' }}",
        "Compare(expr=Getattr(node=Name(name='target', ctx='load'), attr='name', ctx='load'), "
        "ops=[Operand(op='eq', expr=Const(value='prod'))])",
    ),
    ("{{ x is not none }}", f"Not(node=Test(node=Name(name='x', ctx='load'), name='none', {REST}))"),
    (
        "{{ a if b else c }}",
        "CondExpr(test=Name(name='b', ctx='load'), expr1=Name(name='a', ctx='load'), expr2=Name(name='c', ctx='load'))",
    ),
    ("{{ a if b }}", "CondExpr(test=Name(name='b', ctx='load'), expr1=Name(name='a', ctx='load'), expr2=None)"),
    ("{{ z['k'] }}", "Getitem(node=Name(name='z', ctx='load'), arg=Const(value='k'), ctx='load')"),
    ("{{ not q }}", "Not(node=Name(name='q', ctx='load'))"),
    ("{{ -q }}", "Neg(node=Name(name='q', ctx='load'))"),
    (
        "{{ x not in [1, y] }}",
        "Compare(expr=Name(name='x', ctx='load'), ops=[Operand(op='notin', "
        "expr=List(items=[Const(value=1), Name(name='y', ctx='load')]))])",
    ),
    ("{{ y | upper }}", f"Filter(node=Name(name='y', ctx='load'), name='upper', {REST})"),
    (
        "{{ f(k=1) }}",
        "Call(node=Name(name='f', ctx='load'), args=[], kwargs=[Keyword(key='k', value=Const(value=1))], "
        "dyn_args=None, dyn_kwargs=None)",
    ),
    ("{{ (a + 1) * 2 }}", "Mul(left=Add(left=Name(name='a', ctx='load'), right=Const(value=1)), right=Const(value=2))"),
    ("{{ {'a': b} }}", "Dict(items=[Pair(key=Const(value='a'), value=Name(name='b', ctx='load'))])"),
    ("{{ (a, b) }}", "Tuple(items=[Name(name='a', ctx='load'), Name(name='b', ctx='load')], ctx='load')"),
    ("{{ var('x') == True }}", f"Compare(expr={VAR}, ops=[Operand(op='eq', expr=Const(value=True))])"),
]


@pytest.mark.parametrize(("written", "tree"), TREES)
def test_a_tree_is_what_was_written(written: Any, tree: str) -> None:
    assert same(written, f"Keyword(key='k', value={tree})", None, rendered_state=False)


@pytest.mark.parametrize(("written", "tree"), TREES)
def test_and_nothing_else(written: Any, tree: str) -> None:
    text = f"Keyword(key='k', value={tree})"
    for other, _ in TREES:
        assert same(other, text, None, rendered_state=False) == (other == written)
    assert not same("{{ var('z') }}", text, None, rendered_state=False)


@pytest.mark.parametrize(
    "text",
    [
        "Keyword(key=",
        "Keyword(key='k')",
        "Keyword(key='k', value=3)",
        "Keyword(key='k', value=New(node=1))",
        "Keyword(key='k', value=Getattr(node=f(), attr=g()))",
        "Keyword(key=''.join([]), value=__import__('os'))",
        f"Keyword(key='k', value={'Neg(node=' * 2000}Const(value=1){')' * 2000})",
        f"Keyword(key='k', value={'(' * 900}1{')' * 900})",
        "Keyword(key='k', value='" + "x" * 30_000 + "')",
    ],
)
def test_a_tree_that_cannot_be_read_is_like_nothing(text: str) -> None:
    assert read_tree(text) == (True, text)
    assert not same("x", text, None, rendered_state=False)


def test_words() -> None:
    assert words("{{- var( \"x\" , 'it''s') -}}") == words("{{ var('x', 'it''s') }}")
    assert words("{{ True }}") == ["true"]
    assert words('{{ "it\'s" }}') == ['"it\'s"']
    assert words("var('x')") != words("var('y')")


@pytest.mark.parametrize(
    ("new", "old", "rendered", "expected"),
    [
        ("{{ var('x') }}", "bob", "bob", True),
        ("{{ var('x') }}", "bob", "eve", False),
        ("{{ var('n') }}", 5, 5, True),
        ("plain", "bob", "bob", False),
        ({"owner": "{{ var('x') }}", "n": 1}, {"owner": "bob", "n": 1}, {"owner": "bob", "n": 1, "more": 2}, True),
        ({"owner": "{{ var('x') }}", "n": 1}, {"owner": "bob", "n": 2}, {"owner": "bob", "n": 1}, False),
        ({"owner": "{{ var('x') }}"}, {"other": "bob"}, {"owner": "bob"}, False),
        ({"owner": "{{ var('x') }}"}, {"owner": "bob"}, None, False),
        ({"+select": ["{{ var('x') }}"]}, {"+select": ["bob"]}, {"select": ["ann", "bob"]}, True),
        (["{{ var('x') }}", "b"], ["a", "b"], ["z", "a", "b"], True),
        (["{{ var('x') }}", "b", "c"], ["a"], ["a", "b"], False),
        (["a", "{{ var('x') }}"], ["a"], ["a", "b"], True),
        (["a", "{{ var('x') }}"], ["b"], ["a", "b"], False),
        (["a"], [], ["a"], False),
        ("{{ hooks() }}", "select 1", [{"sql": "select 1", "transaction": True, "index": None}], True),
        ("{{ hooks() }}", ["select 1", "select 3"], [{"sql": "select 1", "transaction": True, "index": None}], False),
        ("{{ grants() }}", 3, [{"sql": "select 1", "transaction": True, "index": None}], False),
        ("{{ meta() }}", {"a": 1}, {"a": 1, "b": 2}, True),
        ("{{ meta() }}", {"a": 1}, {"a": 2}, False),
        ("{{ meta() }}", {"c": 1}, {"a": 1}, False),
    ],
)
def test_a_rendered_state(new: Any, old: Any, rendered: Any, expected: bool) -> None:
    assert same(new, old, rendered, rendered_state=True) is expected
    assert same(new, old, rendered, rendered_state=False) is False


def test_keys() -> None:
    new = {"pre_hook": "a", "materialized": "table", "tags": ["x"], "mine": 1}
    old = {"pre-hook": "a", "materialized": "view", "theirs": None}
    assert list(differing(new, old, {}, rendered_state=False, left_out=frozenset({"tags"}))) == [
        ("materialized", "view", "table"),
        ("mine", None, 1),
        ("theirs", None, None),
    ]
    assert list(differing(new, old, {}, rendered_state=False, only=frozenset({"mine"}))) == [("mine", None, 1)]


def test_a_hook_alone_is_a_list_of_one_where_values_are_rendered() -> None:
    """dbt up to 1.8 wrote it so; a state of raw values holds what is written, and there the two differ as in dbt."""

    def found(old: object, new: object, *, rendered_state: bool) -> list[str]:
        return [key for key, _, _ in differing({"pre_hook": new}, {"pre-hook": old}, {}, rendered_state=rendered_state)]

    assert found(["select 1"], "select 1", rendered_state=True) == []
    assert found(["select 1"], "select 2", rendered_state=True) == ["pre-hook"]
    assert found(["select 1", "select 2"], "select 1", rendered_state=True) == ["pre-hook"]
    assert found(["select 1"], "select 1", rendered_state=False) == ["pre-hook"]
