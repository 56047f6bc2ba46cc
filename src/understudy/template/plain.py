"""Templates that are plain enough to be run as they are read, without Jinja's parser, its compiler and Python's.

Most templates that ask for more than literal references (`template.literal`) set a list, call a macro or two, or leave a part
out unless a model is incremental. Compiling such a text costs twenty times what running it does. What is understood here:

    {{ operand }}  {% do operand %}  {% set name = value %}  {% if [not] operand %} ... {% else %} ... {% endif %}
    operand: a name, its attributes, and calls, with values as arguments
    value:   an operand or a literal, also of lists and dicts of values

Values are looked up, called and shown by Jinja's own functions, in Jinja's order, so that a template gives what it would
give if it were compiled, and fails in the same line. Anything else is left to Jinja, syntax errors among it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from understudy.template.literal import (
    CONSTANTS,
    DEPTH,
    MARKS,
    NotLiteral,
    comment,
    constant,
    normal_lines,
    separator,
    token,
)

if TYPE_CHECKING:
    from jinja2.runtime import Context
    from jinja2.sandbox import SandboxedEnvironment

NAME = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)(?!\w)")
POSTFIX = re.compile(r"\s*([.(])")
TAG = re.compile(r"\s*(set|do|if|else|endif)(?!\w)")
NOT = re.compile(r"\s*not(?!\w)")
KEYWORD = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(?!=)")
EQUALS = re.compile(r"\s*=(?!=)")
COLON = re.compile(r"\s*:")
ENDS = {"{": re.compile(r"\s*(-?)\}\}"), "%": re.compile(r"\s*(-?)%\}")}
WORDS = frozenset({"not", "and", "or", "if", "else", "is", "in", "self", *CONSTANTS})
"""What is no name, or one with a meaning of its own."""


class Scope:
    """The values of names while a template runs, and the functions by which Jinja reaches other values."""

    __slots__ = ("context", "environment", "names")

    def __init__(self, environment: SandboxedEnvironment, context: Context, names: dict[str, Any]) -> None:
        self.environment = environment
        self.context = context
        self.names = names


class Constant(msgspec.Struct, frozen=True):
    """A text, a number, true, false or none."""

    constant: Any

    def value(self, scope: Scope) -> Any:
        """The constant."""
        return self.constant


class Name(msgspec.Struct, frozen=True):
    """A name."""

    name: str

    def value(self, scope: Scope) -> Any:
        """What it stands for by now."""
        return scope.names[self.name]


class Attribute(msgspec.Struct, frozen=True):
    """`of.name`."""

    of: Value
    name: str

    def value(self, scope: Scope) -> Any:
        """The attribute or the item of that name."""
        return scope.environment.getattr(self.of.value(scope), self.name)


class Call(msgspec.Struct, frozen=True):
    """`of(1, a=2)`."""

    of: Value
    args: Sequence[Value]
    kwargs: dict[str, Value]

    def value(self, scope: Scope) -> Any:
        """What the call gives. Raises what it raises, and SecurityError."""
        called = self.of.value(scope)
        args = [each.value(scope) for each in self.args]
        kwargs = {name: each.value(scope) for name, each in self.kwargs.items()}
        return scope.environment.call(scope.context, called, *args, **kwargs)


class List(msgspec.Struct, frozen=True):
    """`[a, 1]`."""

    items: Sequence[Value]

    def value(self, scope: Scope) -> Any:
        """A new list."""
        return [each.value(scope) for each in self.items]


class Dict(msgspec.Struct, frozen=True):
    """`{'a': b}`."""

    items: Sequence[tuple[Any, Value]]

    def value(self, scope: Scope) -> Any:
        """A new dict."""
        return {key: each.value(scope) for key, each in self.items}


Value = Constant | Name | Attribute | Call | List | Dict


class Show(msgspec.Struct, frozen=True):
    """`{{ value }}`. `line` of a step is the one that Jinja names in errors."""

    value: Value
    line: int


class Do(msgspec.Struct, frozen=True):
    """`{% do value %}`."""

    value: Value
    line: int


class Set(msgspec.Struct, frozen=True):
    """`{% set name = value %}`."""

    name: str
    value: Value
    line: int


class If(msgspec.Struct, frozen=True):
    """`{% if value %}`; with `wanted` off, `{% if not value %}`."""

    value: Value
    wanted: bool
    then: Steps
    otherwise: Steps
    line: int


Step = str | Show | Do | Set | If
Steps = Sequence[Step]


class Plain(msgspec.Struct, frozen=True):
    """A template that was read. `names` are those that it looks up before it sets them; Jinja does so at its beginning."""

    names: Sequence[str]
    steps: Steps


def run(plain: Plain, environment: SandboxedEnvironment, context: Context) -> str:
    """The text of a template. Raises what the template raises."""
    line = 1  # noqa: F841 - shown in errors, see RUNNING
    scope = Scope(environment, context, {name: context.resolve(name) for name in plain.names})
    return "".join(_texts(plain.steps, scope))


def _texts(steps: Steps, scope: Scope) -> Iterator[str]:
    for step in steps:
        if isinstance(step, str):
            yield step
            continue
        line = step.line  # noqa: F841 - shown in errors, see RUNNING
        value = step.value.value(scope)
        if isinstance(step, Show):
            yield str(value)
        elif isinstance(step, Set):
            scope.names[step.name] = value
        elif isinstance(step, If):
            yield from _texts(step.then if bool(value) is step.wanted else step.otherwise, scope)


RUNNING = frozenset({run.__code__, _texts.__code__})
"""The functions whose local `line` says which line of the template runs."""


def read(text: str) -> Plain | None:
    """The steps of a template, or None where Jinja is needed."""
    try:
        return _Reader(normal_lines(text)).template()
    except NotLiteral:
        return None


class _Reader:
    """Reads one template. All methods raise NotLiteral where there is anything that is not plain."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.names: dict[str, None] = {}
        self.made: set[str] = set()
        self._strip = False
        self._line = 1
        self._counted = 0

    def template(self) -> Plain:
        """All of it."""
        steps, end = self._steps(0)
        if end is not None:
            raise NotLiteral
        return Plain(tuple(self.names), steps)

    def _steps(self, depth: int) -> tuple[Steps, str | None]:
        """Up to the tag that ends a branch, or to the end of the text; and that tag."""
        steps: list[Step] = []
        while match := MARKS.search(self.text, self.position):
            self._data(steps, match.start(), match.end())
            kind = match.group(1)
            if kind == "#":
                self.position, self._strip = comment(self.text, self.position)
            elif kind == "{":
                value, line = self._operand()
                self._end("{")
                steps.append(Show(value, line))
            else:
                tag = self._match(TAG)
                line = self._line_at(self.position - 1)
                if tag in ("else", "endif"):
                    self._end("%")
                    return steps, tag
                steps.append(self._tag(tag, line, depth))
        self._data(steps, len(self.text), len(self.text))
        return steps, None

    def _data(self, steps: list[Step], end: int, after: int) -> None:
        """The text before a mark, white-space control applied."""
        data = self.text[self.position : end]
        if self._strip:
            data = data.lstrip()
        if after > end and self.text.startswith("-", after):
            data = data.rstrip()
            after += 1
        if data:
            steps.append(data)
        self.position = after

    def _tag(self, tag: str, line: int, depth: int) -> Step:
        if tag == "if":
            return self._if(line, depth)
        if tag == "do":
            value, _ = self._operand()
            self._end("%")
            return Do(value, line)
        name = self._name()
        self._match(EQUALS)
        value = self._value(0)
        self._end("%")
        if depth:
            raise NotLiteral  # whether there is such a name then depends on the branch
        self.made.add(name)
        return Set(name, value, line)

    def _if(self, line: int, depth: int) -> Step:
        if depth == DEPTH:
            raise NotLiteral
        negated = NOT.match(self.text, self.position)
        if negated is not None:
            self.position = negated.end()
        value, _ = self._operand()
        self._end("%")
        then, end = self._steps(depth + 1)
        otherwise: Steps = ()
        if end == "else":
            otherwise, end = self._steps(depth + 1)
        if end != "endif":
            raise NotLiteral
        return If(value, negated is None, then, otherwise, line)

    def _match(self, wanted: re.Pattern[str]) -> str:
        match = wanted.match(self.text, self.position)
        if match is None:
            raise NotLiteral
        self.position = match.end()
        return match.group(match.lastindex or 0)

    def _end(self, kind: str) -> None:
        """The end of a tag."""
        self._strip = self._match(ENDS[kind]) == "-"

    def _name(self) -> str:
        name = self._match(NAME)
        if name in WORDS:
            raise NotLiteral
        return name

    def _operand(self, depth: int = 0) -> tuple[Value, int]:
        """A name with what follows it, and the line that Jinja counts it to: that of its last part."""
        name = self._name()
        if name not in self.made:
            self.names[name] = None
        value: Value = Name(name)
        line = self._line_at(self.position - 1)
        while (match := POSTFIX.match(self.text, self.position)) is not None:
            line = self._line_at(match.start(1))
            self.position = match.end()
            value = Attribute(value, self._match(NAME)) if match[1] == "." else self._call(value, depth + 1)
        return value, line

    def _call(self, called: Value, depth: int) -> Call:
        args: list[Value] = []
        kwargs: dict[str, Value] = {}
        while not self._closed(")"):
            keyword = KEYWORD.match(self.text, self.position)
            if keyword is not None:
                name = keyword.group(1)
                self.position = keyword.end()
                if name in kwargs or name in WORDS:
                    raise NotLiteral
                kwargs[name] = self._value(depth)
            elif kwargs:
                raise NotLiteral
            else:
                args.append(self._value(depth))
            self._separator(")")
        return Call(called, args, kwargs)

    def _value(self, depth: int) -> Value:
        if depth > DEPTH:
            raise NotLiteral
        kind, text, after = token(self.text, self.position)
        if kind == "name" and text not in CONSTANTS:
            return self._operand(depth)[0]
        self.position = after
        if kind != "mark":
            return Constant(constant(kind, text))
        if text == "[":
            return List(self._items(depth + 1))
        if text == "{":
            return Dict(self._pairs(depth + 1))
        raise NotLiteral

    def _items(self, depth: int) -> list[Value]:
        items: list[Value] = []
        while not self._closed("]"):
            items.append(self._value(depth))
            self._separator("]")
        return items

    def _pairs(self, depth: int) -> list[tuple[Any, Value]]:
        items: list[tuple[Any, Value]] = []
        while not self._closed("}"):
            kind, text, self.position = token(self.text, self.position)
            key = constant(kind, text)
            self._match(COLON)
            items.append((key, self._value(depth)))
            self._separator("}")
        return items

    def _closed(self, mark: str) -> bool:
        """Whether a list ends here; its end is read."""
        _, text, after = token(self.text, self.position)
        if text != mark:
            return False
        self.position = after
        return True

    def _separator(self, closing: str) -> None:
        self.position = separator(self.text, self.position, closing)

    def _line_at(self, position: int) -> int:
        """The line of a position that is not before the last one that was asked for."""
        self._line += self.text.count("\n", self._counted, position)
        self._counted = position
        return self._line
