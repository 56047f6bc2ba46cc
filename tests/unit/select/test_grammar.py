"""Text to tree: operators, methods, unions and intersections; what is wrong is told with its place and the next step."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.errors import SelectorError
from understudy.select.grammar import METHODS, Criterion, Group, command_line, parse, parse_criterion
from understudy.select.methods import METHODS as IMPLEMENTED


def fqn(value: str, **operators: Any) -> Criterion:
    return Criterion("fqn", value, (), **operators)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", fqn("a")),
        ("+a", fqn("a", parents=True)),
        ("2+a", fqn("a", parents=True, parents_depth=2)),
        ("a+", fqn("a", children=True)),
        ("a+12", fqn("a", children=True, children_depth=12)),
        ("0+a+0", fqn("a", parents=True, parents_depth=0, children=True, children_depth=0)),
        ("@a", fqn("a", childrens_parents=True)),
        ("@+a", fqn("a", childrens_parents=True, parents=True)),
        ("a+b", fqn("a+b")),
        ("a.b.*", fqn("a.b.*")),
        ("1a", fqn("1a")),
        ("tag:a", Criterion("tag", "a")),
        ("tag:c++", Criterion("tag", "c+", children=True)),
        ("tag:@home", Criterion("tag", "@home")),
        ("fqn:a:b", fqn("a:b")),
        ("+config.meta.owner:me+1", Criterion("config", "me", ("meta", "owner"), False, True, None, True, 1)),
        ("models/a", Criterion("path", "models/a")),
        ("models/a:b.sql", Criterion("path", "models/a:b.sql")),
        ("a.sql", Criterion("file", "a.sql")),
        ("a.SQL", Criterion("file", "a.SQL")),
        ("a.py", Criterion("file", "a.py")),
        ("a.csv+", Criterion("file", "a.csv", children=True)),
        ("a.yml", fqn("a.yml")),
        ("state:modified.body+", Criterion("state", "modified.body", children=True)),
    ],
)
def test_a_criterion_has_operators_around_a_method_and_a_value(text: str, expected: Criterion) -> None:
    assert parse_criterion(text) == expected


def test_spaces_unite_and_commas_intersect() -> None:
    tree = parse(["a b,tag:c", " d\t"])
    assert str(tree) == "fqn:a fqn:b,tag:c fqn:d"
    assert [part.expected for part in tree.parts if isinstance(part, Group)] == ["a", "b,tag:c", "d"]


def test_an_empty_argument_selects_nothing_rather_than_everything() -> None:
    (part,) = parse(["  "]).parts
    assert part == Group("union", ())
    assert parse([]) == Group("union", ())


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "a name, or method:value, is missing, at character 1", None),
        ("+", "a name, or method:value, is missing, at character 2", None),
        ("a,,b", "a name, or method:value, is missing, at character 3", None),
        ("b tag:", "'tag:' has no value, at character 7", None),
        ("x @a+1", "'@' in front and '+' behind exclude each other, at character 5", "@ has the children in it."),
        ("++a", "'+' stands where a name is expected, at character 2", "@a, +a, a+"),
        ("@@a", "'@' stands where a name is expected, at character 2", "@a, +a, a+"),
        ("+@a", "'@' stands where a name is expected, at character 2", "@a, +a, a+"),
        ("a++", "'+' stands where a name is expected, at character 2", "@a, +a, a+"),
        ("tga:x", "'tga' is no selection method, at character 1", "Did you mean 'tag'"),
        ("a my-method:x", "'my-method' is no selection method, at character 3", "The methods are: access, config"),
        ("config:x", "'config' names no key of the config", "config.materialized:table"),
        ("config.a..b:x", "'config.a..b' names no key of the config", "config.materialized:table"),
        ("a,tag.x:y", "the method 'tag' takes nothing after a dot, at character 6", None),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(SelectorError) as caught:
        parse([text or ","], flag="--exclude")
    assert message in caught.value.message
    assert caught.value.message.startswith("--exclude")
    assert (hint or "") in (caught.value.hint or "")
    assert hint is not None or caught.value.hint is None


def test_without_a_selection_everything_is_meant() -> None:
    included, excluded = command_line(None, ()).parts
    assert str(included) == "fqn:* source:* exposure:* metric:* semantic_model:*"
    assert excluded == Group("union", ())
    assert command_line(["a"], ["b"]).parts == (parse(["a"]), parse(["b"]))


def test_every_method_of_the_grammar_is_implemented() -> None:
    assert tuple(IMPLEMENTED) == METHODS
