"""What can be known of a template from its syntax alone: a macro's name, arguments and calls, the text of a `config()` call.

The answers depend on the text only, so each text is looked at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jinja2
import jinja2.nodes as n
import msgspec

from understudy.core.config import combine_calls, listed
from understudy.errors import JinjaError, ParseError, Place
from understudy.template import environment as env
from understudy.template.literal import NotLiteral, literal

PARSER = env.Environment(undefined=jinja2.Undefined)
OWN_NAMES = frozenset({"source", "ref", "config"})
BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


class Dispatch(msgspec.Struct, frozen=True):
    """One `adapter.dispatch('name', 'namespace')` call, as far as it is literal."""

    name: str
    namespace: str | None


class MacroSyntax(msgspec.Struct, frozen=True):
    """One macro block: its name (`test_x`, `materialization_x_default`), arguments, languages, and what it calls.

    `calls` holds names (`run_query`, `dbt_utils.star`) and dispatches in the order of the syntax tree; `ref`, `source`
    and `config` are left out (dbt 1.11: statically_extract_macro_calls).
    """

    name: str
    arguments: tuple[str, ...]
    languages: tuple[str, ...] | None
    calls: tuple[str | Dispatch, ...]


@lru_cache(maxsize=16384)
def macro_syntax(text: str) -> MacroSyntax | None:
    """The macro that a block defines; None when it defines none. Raises jinja2.TemplateSyntaxError."""
    tree = PARSER.parse(text)
    macro = next(tree.find_all(n.Macro), None)
    if macro is None or not macro.name.startswith(env.MACRO):
        return None
    name = macro.name.removeprefix(env.MACRO)
    arguments = tuple(argument.name for argument in macro.args)
    return MacroSyntax(name, arguments, _languages(name, macro), _calls(tree))


def syntax_error(
    error: jinja2.TemplateSyntaxError, path: str | None, first_line: int = 1, node: str | None = None
) -> JinjaError:
    """Jinja's complaint with the line in the user's file; the template starts at `first_line` of it."""
    place = Place(path=path, line=error.lineno + first_line - 1, node=node)
    return JinjaError(error.message or "The template cannot be understood", place=place)


def _languages(name: str, macro: n.Macro) -> tuple[str, ...] | None:
    if not name.startswith("materialization_") or not macro.defaults or not isinstance(macro.defaults[-1], n.List):
        return None
    return tuple(str(item.value) for item in macro.defaults[-1].items if isinstance(item, n.Const))


def _calls(tree: n.Template) -> tuple[str | Dispatch, ...]:
    found: dict[str | Dispatch, None] = {}
    for call in tree.find_all(n.Call):
        function = call.node
        if isinstance(function, n.Name):
            if function.name not in OWN_NAMES:
                found[function.name] = None
        elif isinstance(function, n.Getattr) and isinstance(function.node, n.Name):
            if function.node.name != "adapter":
                found[f"{function.node.name}.{function.attr}"] = None
            elif function.attr == "dispatch" and (dispatch := _dispatch(call)):
                found[dispatch.name] = None
                found[dispatch] = None
    return tuple(found)


def _dispatch(call: n.Call) -> Dispatch | None:
    values = [argument.value if isinstance(argument, n.Const) else None for argument in call.args[:2]]
    given = dict(zip(("macro_name", "macro_namespace"), values, strict=False))
    given |= {k.key: k.value.value for k in call.kwargs if isinstance(k.value, n.Const)}
    name, namespace = given.get("macro_name"), given.get("macro_namespace")
    if not isinstance(name, str):
        return None
    return Dispatch(name, namespace if isinstance(namespace, str) else None)


def config_source(text: str) -> dict[str, Any]:
    """The keyword arguments of the `config()` calls of a template as they are written.

    A literal is given as its value, anything else as its Jinja (`{{ var('x') }}`); several calls add up as the values do
    (`combine_calls`). Calls in branches that this target does not take are seen, too.
    """
    if "config" not in text:
        return {}
    found: dict[str, Any] = {}
    tokens = list(_tokens(text, "config"))
    position = 0
    while position < len(tokens):
        if tokens[position] == ("name", "config") and not _is_attribute(tokens, position):
            start = _next(tokens, position + 1)
            if start < len(tokens) and tokens[start][1] == "(":
                position = _keywords(tokens, start + 1, found)
        position += 1
    return found


def _tokens(text: str, word: str) -> Iterator[tuple[str, str]]:
    """The tokens of a template, up to the end of the tag in which a word stands for the last time."""
    left = text.count(word)
    for _, kind, value in PARSER.lexer.tokeniter(text, None):
        yield kind, value
        left -= value.count(word)
        if left <= 0 and kind in ("variable_end", "block_end"):
            return


def _is_attribute(tokens: list[tuple[str, str]], position: int) -> bool:
    before = position - 1
    while before >= 0 and tokens[before][0] == "whitespace":
        before -= 1
    return before >= 0 and tokens[before][1] in (".", "|")


def _next(tokens: list[tuple[str, str]], position: int) -> int:
    while position < len(tokens) and tokens[position][0] == "whitespace":
        position += 1
    return position


def _keywords(tokens: list[tuple[str, str]], position: int, found: dict[str, Any]) -> int:
    """Read `a=1, b=var('x'))` into `found`; gives the position of the closing parenthesis."""
    depth, argument = 1, list[tuple[str, str]]()
    while position < len(tokens):
        kind, value = tokens[position]
        depth += BRACKETS.get(value, 0) if kind == "operator" else 0
        if depth == 0 or (depth == 1 and value == "," and kind == "operator"):
            _keyword(argument, found)
            argument = []
        else:
            argument.append((kind, value))
        if depth == 0:
            break
        position += 1
    return position


def _keyword(argument: list[tuple[str, str]], found: dict[str, Any]) -> None:
    name = _next(argument, 0)
    equals = _next(argument, name + 1)
    if equals >= len(argument) or argument[name][0] != "name" or argument[equals][1] != "=":
        return
    source = "".join(value for _, value in argument[equals + 1 :]).strip()
    key = argument[name][1]
    if key in ("pre_hook", "post_hook"):
        key = key.replace("_", "-")
    value: Any
    try:
        value = literal(source)
    except NotLiteral:
        value = f"{{{{ {source} }}}}"
    found[key] = _both(key, found[key], value) if key in found else value


def _both(key: str, first: Any, second: Any) -> Any:
    """A key of two calls: what they say together; where that is not known before rendering, both texts."""
    try:
        return combine_calls({key: first}, {key: second})[key]
    except ParseError:
        return [*listed(first), second]


def dbt_keyword(key: str, value: Any) -> str:
    """The text that dbt 1.11 records for a key of `config()` under state_modified_compare_more_unrendered_values.

    `value` is what `config_source` gives for the key: a literal's value, or raw Jinja.
    """
    raw = isinstance(value, str) and value.startswith("{{ ") and value.endswith(" }}")
    expression = value[3:-3] if raw else repr(value)
    call = next(PARSER.parse(f"{{{{ config({key}={expression}) }}}}").find_all(n.Call))
    return str(call.kwargs[0])
