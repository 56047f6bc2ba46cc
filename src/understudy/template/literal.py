"""Templates that hold nothing but literal `ref()`, `source()` and `config()` calls, read without Jinja.

Most models of most projects are such texts, and this is what makes reading ten thousand of them cheap: one regular
expression and a small reader of literals. The answer is exactly what rendering would give, or None where there is
anything that rendering is needed for: a statement, another name, a filter, an operator. Jinja is not imported here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from understudy.core.config import combine_calls
from understudy.core.nodes import RefArgs
from understudy.errors import ParseError
from understudy.template.scope import Captured

MARKS = re.compile(r"[{]([{%#])")
CALL = re.compile(r"\s*(ref|source|config)\s*\(")
OF_ONE_NAME = re.compile(r"""\s*ref\s*\(\s*(?:'([^'\\]+)'|"([^"\\]+)")\s*\)\s*(-?)\}\}""")
"""`ref('a') }}`: what most calls are, read at once."""
CLOSE = re.compile(r"\s*(-?)\}\}")
TOKEN = re.compile(
    r"""\s*(?:(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""|(?P<float>-?\d+\.\d+(?![\w.]))|(?P<integer>-?(?:0|[1-9]\d*)(?![\w.]))"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<mark>[][{}(),:=]))""",
    re.DOTALL,
)
NEWLINE = re.compile(r"\r\n|\r")
CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None}
RESERVED = frozenset({"not", "and", "or", "if", "else", "is", "in", *CONSTANTS})
CLOSING = {"[": "]", "{": "}"}
DEPTH = 20


class NotLiteral(Exception):
    """The text at hand is not a literal."""


class Call(msgspec.Struct, frozen=True):
    """One literal call: `name` is ref, source or config."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def pieces(text: str) -> list[str | Call] | None:
    """The text cut into plain text and literal calls, white-space control applied; None when it needs Jinja.

    Joining the plain texts with what the calls give is what Jinja would render (its treatment of line ends included).
    """
    if not MARKS.search(text):
        return [text]
    text = normal_lines(text)
    found: list[str | Call] = []
    position, strip_next = 0, False
    try:
        while match := MARKS.search(text, position):
            data = text[position : match.start()]
            position = match.end()
            strip_before = text.startswith("-", position)
            if strip_next:
                data = data.lstrip()
            found.append(data.rstrip() if strip_before else data)
            kind = match.group(1)
            if kind == "{":
                call, position, strip_next = _call(text, position + strip_before)
                found.append(call)
            elif kind == "#":
                position, strip_next = comment(text, position + strip_before)
            else:
                return None
    except NotLiteral:
        return None
    rest = text[position:]
    found.append(rest.lstrip() if strip_next else rest)
    return found


def normal_lines(text: str) -> str:
    """The text as Jinja reads it: `\\n` ends lines, and one line end at the very end is dropped."""
    if "\r" in text:
        text = NEWLINE.sub("\n", text)
    return text[:-1] if text.endswith("\n") else text


def scan(text: str) -> Captured | None:
    """What the template asks for, or None when it has to be rendered (see the module).

    The caller makes sure that the project defines no macros named ref, source or config.
    """
    found = pieces(text)
    if found is None:
        return None
    captured = Captured()
    try:
        for piece in found:
            if isinstance(piece, Call):
                RECORD[piece.name](captured, piece)
    except NotLiteral:
        return None
    captured.unrendered_config = dict(captured.config)
    return captured


def _call(text: str, position: int) -> tuple[Call, int, bool]:
    if match := OF_ONE_NAME.match(text, position):
        return Call("ref", (match[1] or match[2],), {}), match.end(), bool(match[3])
    match = CALL.match(text, position)
    if match is None:
        raise NotLiteral
    args, kwargs, position = _arguments(text, match.end())
    close = CLOSE.match(text, position)
    if close is None:
        raise NotLiteral
    return Call(match.group(1), args, kwargs), close.end(), bool(close.group(1))


def comment(text: str, position: int) -> tuple[int, bool]:
    """Where a comment ends, and whether the white space after it goes. Raises NotLiteral when it has no end."""
    end = text.find("#}", position)
    if end < 0:
        raise NotLiteral
    return end + 2, end > position and text[end - 1] == "-"


def token(text: str, position: int) -> tuple[str, str, int]:
    """The kind of the next token, its text, and its end. Raises NotLiteral when it is none of a literal's."""
    match = TOKEN.match(text, position)
    if match is None or match.lastgroup is None:
        raise NotLiteral
    return match.lastgroup, match.group(match.lastgroup), match.end()


def _arguments(text: str, position: int) -> tuple[tuple[Any, ...], dict[str, Any], int]:
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    while True:
        kind, value, after = token(text, position)
        if value == ")" and kind == "mark":
            return tuple(args), kwargs, after
        if kind == "name" and value not in CONSTANTS:
            mark_kind, mark, after = token(text, after)
            if (mark_kind, mark) != ("mark", "=") or value in kwargs or value in RESERVED:
                raise NotLiteral
            kwargs[value], position = _value(text, after)
        elif kwargs:
            raise NotLiteral
        else:
            argument, position = _value(text, position)
            args.append(argument)
        position = separator(text, position, ")")


def separator(text: str, position: int, closing: str) -> int:
    """After an item: past the comma, or before the closing mark."""
    kind, value, after = token(text, position)
    if kind != "mark" or value not in (",", closing):
        raise NotLiteral
    return after if value == "," else position


def _value(text: str, position: int, depth: int = 0) -> tuple[Any, int]:
    kind, value, after = token(text, position)
    if kind != "mark":
        return constant(kind, value), after
    if value in CLOSING and depth < DEPTH:
        return _list(text, after, depth + 1) if value == "[" else _dict(text, after, depth + 1)
    raise NotLiteral


def constant(kind: str, text: str) -> Any:
    """The value of a token. Raises NotLiteral when it has none of its own."""
    if kind == "string":
        return _string(text)
    if kind == "integer":
        return int(text)
    if kind == "float":
        return float(text)
    if kind == "name" and text in CONSTANTS:
        return CONSTANTS[text]
    raise NotLiteral


def _string(quoted: str) -> str:
    if "\\" not in quoted:
        return quoted[1:-1]
    try:
        return quoted[1:-1].encode("ascii", "backslashreplace").decode("unicode-escape")
    except UnicodeDecodeError:
        raise NotLiteral from None


def _list(text: str, position: int, depth: int) -> tuple[list[Any], int]:
    items: list[Any] = []
    while True:
        kind, value, after = token(text, position)
        if kind == "mark" and value == "]":
            return items, after
        item, position = _value(text, position, depth)
        items.append(item)
        position = separator(text, position, "]")


def _dict(text: str, position: int, depth: int) -> tuple[dict[Any, Any], int]:
    items: dict[Any, Any] = {}
    while True:
        kind, value, after = token(text, position)
        if kind == "mark" and value == "}":
            return items, after
        key, position = _value(text, position, depth)
        if isinstance(key, (list, dict)):
            raise NotLiteral
        mark_kind, mark, position = token(text, position)
        if (mark_kind, mark) != ("mark", ":"):
            raise NotLiteral
        items[key], position = _value(text, position, depth)
        position = separator(text, position, "}")


WHERE = "get_where_subquery"
TESTED = re.compile(rf"\{{\{{ {WHERE}\((.*)\) \}}\}}", re.DOTALL)
"""How a generic test names what it looks at."""


def tested(text: str) -> Call | None:
    """The literal `ref()` or `source()` in `{{ get_where_subquery(...) }}`, or None for any other text."""
    found = TESTED.fullmatch(text)
    inner = None if found is None else pieces(f"{{{{ {found[1]} }}}}")
    call = inner[1] if inner is not None and len(inner) == 3 and not (inner[0] or inner[2]) else None
    return call if isinstance(call, Call) and call.name in ("ref", "source") else None


def literal(text: str) -> Any:
    """The value of a literal expression. Raises NotLiteral when it is anything else."""
    value, position = _value(text, 0)
    if text[position:].strip():
        raise NotLiteral
    return value


def ref_args(args: tuple[Any, ...], kwargs: dict[str, Any]) -> RefArgs:
    """The target of `ref(...)` (dbt 1.11: BaseRefResolver). Raises NotLiteral when the arguments are not acceptable."""
    version = kwargs.get("version") or kwargs.get("v")
    package, name = (None, *args) if len(args) == 1 else args if len(args) == 2 else (None, None)
    if not isinstance(name, str) or not isinstance(package, str | None):
        raise NotLiteral
    if not isinstance(version, str | int | float | None) or isinstance(version, bool):
        raise NotLiteral
    return RefArgs(name=name, package=package, version=version)


def config_values(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The values of `config(...)`: one dict or keywords; `pre_hook` and `post_hook` become dbt's `pre-hook`, `post-hook`.

    Raises NotLiteral when the call is neither, or names a hook in both spellings (dbt 1.11: ParseConfigObject).
    """
    if len(args) == 1 and not kwargs and isinstance(args[0], dict):
        values = dict(args[0])
    elif kwargs and not args:
        values = dict(kwargs)
    else:
        raise NotLiteral
    for old, new in (("pre_hook", "pre-hook"), ("post_hook", "post-hook")):
        if old in values:
            if new in values:
                raise NotLiteral
            values[new] = values.pop(old)
    return values


def _record_ref(captured: Captured, call: Call) -> None:
    if not set(call.kwargs) <= {"v", "version"}:
        raise NotLiteral
    captured.refs.append(ref_args(call.args, call.kwargs))


def _record_source(captured: Captured, call: Call) -> None:
    if len(call.args) != 2 or call.kwargs or not all(isinstance(arg, str) for arg in call.args):
        raise NotLiteral
    captured.sources.append(list(call.args))


def _record_config(captured: Captured, call: Call) -> None:
    values = config_values(call.args, call.kwargs)
    try:
        captured.config = combine_calls(captured.config, values)
    except ParseError:
        raise NotLiteral from None  # rendering says what is wrong, and where


RECORD: dict[str, Callable[[Captured, Call], None]] = {
    "ref": _record_ref,
    "source": _record_source,
    "config": _record_config,
}
