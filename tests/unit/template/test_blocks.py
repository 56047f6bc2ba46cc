"""Blocks are cut out of files as dbt cuts them."""

from __future__ import annotations

import pytest

from understudy.errors import JinjaError
from understudy.template.blocks import blocks

MACROS = {"macro", "test", "materialization"}


def test_blocks_carry_name_text_line_and_contents() -> None:
    text = "\n{% macro a(x) %}\n  {{ x }}\n{% endmacro %}\n\n{%- test t(model) -%} b {%- endtest -%}\n"
    first, second = blocks(text, MACROS)
    assert (first.kind, first.name, first.line, first.contents) == ("macro", "a", 2, "\n  {{ x }}\n")
    assert first.text == "{% macro a(x) %}\n  {{ x }}\n{% endmacro %}"
    assert (second.kind, second.name, second.contents) == ("test", "t", "b")
    assert second.text == "\n\n{%- test t(model) -%} b {%- endtest -%}\n"  # dbt 1.11: `-` takes the white space along


@pytest.mark.parametrize(
    "hidden",
    [
        "{# {% macro no() %} #}",
        "{% raw %}{% macro no() %}{% endraw %}",
        "{{ '{% macro no() %}' }}",
        "{% set x = '{% macro no() %}' %}",
        "{% do f(\"%}\", '{% macro no() %}') %}",
    ],
)
def test_what_is_hidden_is_no_block(hidden: str) -> None:
    assert [block.name for block in blocks(hidden + "{% macro yes() %}{% endmacro %}", MACROS)] == ["yes"]


def test_a_comment_may_hold_half_a_quote() -> None:
    text = "{# it's #}{% macro a() %}{{ \"it's }}\" }}{% endmacro %}"
    assert [block.name for block in blocks(text, MACROS)] == ["a"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("\n{% macro a() %}", 2, "not closed"),
        ("{% if x %}{% macro a() %}{% endmacro %}{% endif %}", 1, "inside of a if block"),
        ("{% macro a() %}\n{% macro b() %}{% endmacro %}", 2, "inside of a macro block"),
        ("{% endif %}", 1, "no if is open"),
        ("{% for x in y %}{% endif %}", 1, "expected endfor"),
        ("{# x {% macro a() %}", 1, "comment is not closed"),
        ("{% macro a(x='%}{% endmacro %}", 1, "string is not closed"),
        ("{{ x {% macro a() ", 1, "expression is not closed"),
        ("{% raw %}{% macro", 1, "raw block is not closed"),
        ("{% macro %}{% endmacro %}", 1, "needs a name"),
    ],
)
def test_broken_files_are_errors_with_a_line(text: str, line: int, words: str) -> None:
    with pytest.raises(JinjaError, match=words) as caught:
        blocks(text, MACROS, path="macros/x.sql")
    assert (caught.value.place.path, caught.value.place.line) == ("macros/x.sql", line)
