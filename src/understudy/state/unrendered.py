"""Comparing unrendered config values in each form that a state may hold.

Ours are as their author wrote them: a literal is its value, anything else its Jinja text. dbt writes one of two other forms:

- with `state_modified_compare_more_unrendered_values`: the in-file values of a rendered model are the text of Jinja's
  syntax tree (`Keyword(key='x', value=Call(...))`), and those of properties files raw Jinja;
- without it (its default): both are rendered values; only those of `dbt_project.yml` are raw.

Which of the two holds is decided once per state (`Prior.rendered_config`). In the first form a tree is turned back into a
literal or into the expression's words. In the second, a value of ours that holds Jinja is the same as the state's when
today it renders to the state's; so the same project, read by both engines, shows no difference either way. (In the first
form a list of a properties file stands there twice, rendered and raw, since dbt merges the two; ours do, too.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ast

from understudy.core.config import HOOKS, hook, hook_name, listed
from understudy.errors import ParseError

TREE = "Keyword(key="
JINJA = re.compile(r"\{\{|\{%|\{#")
WORD = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[\w.]+|[=!<>]=|//|\*\*|[^\s\w(),'"]""", re.DOTALL)
OUTPUT = re.compile(r"\{\{[-+]?(.*?)[-+]?\}\}", re.DOTALL)
WORDS_OF_LITERALS = {"True": "true", "False": "false", "None": "none"}
LONGEST_TREE = 20_000
"""Characters of a syntax tree that are read; a longer one is compared as text."""


def differing(
    new: Mapping[str, Any],
    old: Mapping[str, Any],
    rendered: Mapping[str, Any],
    *,
    rendered_state: bool,
    left_out: frozenset[str] = frozenset(),
    only: frozenset[str] | None = None,
) -> Iterator[tuple[str, Any, Any]]:
    """(key, old value, new value) of every config key whose values differ, None for one that is absent.

    Args:
        rendered: today's config, as values.
        rendered_state: the state's form (`Prior.rendered_config`).
        left_out: keys that belong to another check.
        only: the only keys that count; None: all.
    """
    mine, theirs = (_by_name(values, lists=rendered_state) for values in (new, old))
    for key in dict.fromkeys((*mine, *theirs)):
        if key in left_out or (only is not None and key not in only):
            continue
        on_both = key in mine and key in theirs
        if not on_both or not same(mine[key], theirs[key], rendered.get(key), rendered_state=rendered_state):
            yield key, theirs.get(key), mine.get(key)


def _by_name(values: Mapping[str, Any], *, lists: bool) -> dict[str, Any]:
    """Values under the keys' one spelling. `lists`: a hook alone is a list of one, as dbt up to 1.8 wrote it."""
    named = {hook_name(key): value for key, value in values.items()}
    return {key: listed(value) if lists and key in HOOKS else value for key, value in named.items()}


def same(new: Any, old: Any, rendered: Any, *, rendered_state: bool) -> bool:
    """Whether one value is the same on both sides; `rendered` is what ours is today."""
    if new == old:
        return True
    if isinstance(old, str) and old.startswith(TREE):
        literal, value = read_tree(old)
        return bool(value == (new if literal else words(new) if isinstance(new, str) else None))
    return rendered_state and _renders_to(new, old, rendered)


def _renders_to(new: Any, old: Any, rendered: Any) -> bool:
    """Whether `old` is what `new` renders to. Layers add up in `rendered`, so `old` may be a part of it."""
    if new == old:
        return True
    if isinstance(new, str):
        return JINJA.search(new) is not None and _within(old, rendered)
    if isinstance(new, dict) and isinstance(old, dict) and new.keys() == old.keys():
        values = rendered if isinstance(rendered, dict) else {}
        return all(_renders_to(new[key], old[key], values.get(key.lstrip("+"))) for key in new)
    if isinstance(new, list) and isinstance(old, list) and len(new) in (len(old), 2 * len(old)):
        times = len(new) // max(len(old), 1)
        return all(_renders_to(mine, theirs, rendered) for mine, theirs in zip(new, old * times, strict=True))
    return False


def _within(old: Any, rendered: Any) -> bool:
    if old == rendered:
        return True
    if isinstance(old, dict) and isinstance(rendered, dict):
        return all(key in rendered and _within(value, rendered[key]) for key, value in old.items())
    if isinstance(rendered, list):
        return all(item in rendered or _hook(item) in rendered for item in listed(old))
    return False


def _hook(value: Any) -> dict[str, Any] | None:
    try:
        return hook(value)
    except ParseError:
        return None


def words(text: str) -> list[str]:
    """The words of a Jinja expression, without white space, grouping and the kind of quotes.

    `{{ var( "x" ) ~ '_y' }}` and `{{ var('x')~'_y' }}` have the same words. So have two expressions that differ in
    parentheses only: a price for reading trees, which have none.
    """
    output = OUTPUT.fullmatch(text.strip())
    return [_word(found) for found in WORD.findall(output.group(1) if output else text)]


def _word(found: str) -> str:
    if found[0] == '"' and "'" not in found and "\\" not in found:
        return f"'{found[1:-1]}'"
    return WORDS_OF_LITERALS.get(found, found)


def read_tree(text: str) -> tuple[bool, Any]:
    """What dbt's text of a syntax tree says: (True, the literal's value) or (False, the words of the expression).

    A tree that cannot be read is its own text, which is like no value.
    """
    import ast

    if len(text) > LONGEST_TREE:
        return True, text
    try:
        value = _fields(ast.parse(text, mode="eval").body)["value"]
        try:
            return True, _literal(value)
        except _NoLiteral:
            return False, words(_expression(value))
    except (SyntaxError, ValueError, KeyError, AttributeError, TypeError, RecursionError, MemoryError):
        return True, text


class _NoLiteral(Exception):
    """The tree is an expression. Never leaves this module."""


def _fields(node: ast.expr) -> dict[str, ast.expr]:
    return {keyword.arg or "": keyword.value for keyword in node.keywords}  # type: ignore[attr-defined]


def _kind(node: ast.expr) -> str:
    return str(node.func.id)  # type: ignore[attr-defined]


def _items(node: ast.expr) -> list[ast.expr]:
    return list(node.elts)  # type: ignore[attr-defined]


def _value(node: ast.expr) -> Any:
    """A plain Python value within the tree."""
    import ast

    return ast.literal_eval(node)


def _literal(node: ast.expr) -> Any:
    kind, fields = _kind(node), _fields(node)
    match kind:
        case "Const":
            return _value(fields["value"])
        case "Neg":
            return -_literal(fields["node"])
        case "List" | "Tuple":
            return [_literal(item) for item in _items(fields["items"])]
        case "Dict":
            pairs = [_fields(pair) for pair in _items(fields["items"])]
            return {_literal(pair["key"]): _literal(pair["value"]) for pair in pairs}
    raise _NoLiteral


OPERATORS = {
    "Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "**", "And": "and", "Or": "or",
}  # fmt: skip
COMPARISONS = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<=", "in": "in", "notin": "not in"}


def _expression(node: ast.expr) -> str:
    """The tree as Jinja text, without parentheses where they only group."""
    kind, fields = _kind(node), _fields(node)
    if kind in OPERATORS:
        return f"{_expression(fields['left'])} {OPERATORS[kind]} {_expression(fields['right'])}"
    match kind:
        case "Const":
            return repr(_value(fields["value"]))
        case "Name":
            return str(_value(fields["name"]))
        case "Getattr":
            return f"{_expression(fields['node'])}.{_value(fields['attr'])}"
        case "Getitem":
            return f"{_expression(fields['node'])}[{_expression(fields['arg'])}]"
        case "Call":
            return f"{_expression(fields['node'])} {_arguments(fields)}"
        case "Filter":
            return f"{_expression(fields['node'])} | {_value(fields['name'])} {_arguments(fields)}"
        case "Test":
            return f"{_expression(fields['node'])} is {_value(fields['name'])} {_arguments(fields)}"
        case "Concat":
            return " ~ ".join(_expression(item) for item in _items(fields["nodes"]))
        case "Compare":
            operands = [_fields(operand) for operand in _items(fields["ops"])]
            rest = (f" {COMPARISONS[_value(o['op'])]} {_expression(o['expr'])}" for o in operands)
            return _expression(fields["expr"]) + "".join(rest)
        case "CondExpr":
            otherwise = fields["expr2"]
            tail = f" else {_expression(otherwise)}" if hasattr(otherwise, "func") else ""
            return f"{_expression(fields['expr1'])} if {_expression(fields['test'])}{tail}"
        case "Not" if _kind(fields["node"]) == "Test":
            return _expression(fields["node"]).replace(" is ", " is not ", 1)
        case "Not" | "Neg" | "Pos":
            sign = {"Not": "not ", "Neg": "-", "Pos": "+"}[kind]
            return sign + _expression(fields["node"])
        case "List" | "Tuple":
            brackets = "[{}]" if kind == "List" else "{}"
            return brackets.format(" ".join(_expression(item) for item in _items(fields["items"])))
        case "Dict":
            pairs = [_fields(pair) for pair in _items(fields["items"])]
            inner = " ".join(f"{_expression(pair['key'])}: {_expression(pair['value'])}" for pair in pairs)
            return f"{{{inner}}}"
    raise ValueError(kind)


def _arguments(fields: dict[str, ast.expr]) -> str:
    named = [_fields(keyword) for keyword in _items(fields["kwargs"])]
    texts = [_expression(item) for item in _items(fields["args"])]
    texts += [f"{_value(pair['key'])} = {_expression(pair['value'])}" for pair in named]
    return " ".join(texts)
