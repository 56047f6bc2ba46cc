"""Plain templates as steps and values that are run without being compiled; `template.plain_reader` reads them.

Values are looked up, called, filtered, tested and shown by Jinja's own functions, in Jinja's order, so that a template gives
what it would give if it were compiled, and fails in the same line.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from jinja2.runtime import Context
    from jinja2.sandbox import SandboxedEnvironment

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge, "in": lambda one, other: one in other, "not in": lambda one, other: one not in other,
}  # fmt: skip
UNARY: dict[str, Callable[[Any], Any]] = {"-": operator.neg, "+": operator.pos, "not": operator.not_}


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


def _arguments(args: Sequence[Value], kwargs: Mapping[str, Value], scope: Scope) -> tuple[list[Any], dict[str, Any]]:
    return [each.value(scope) for each in args], {name: each.value(scope) for name, each in kwargs.items()}


class Call(msgspec.Struct, frozen=True):
    """`of(1, a=2)`."""

    of: Value
    args: Sequence[Value]
    kwargs: dict[str, Value]

    def value(self, scope: Scope) -> Any:
        """What the call gives. Raises what it raises, and SecurityError."""
        called = self.of.value(scope)
        args, kwargs = _arguments(self.args, self.kwargs, scope)
        return scope.environment.call(scope.context, called, *args, **kwargs)


class Item(msgspec.Struct, frozen=True):
    """`of[key]`."""

    of: Value
    key: Value

    def value(self, scope: Scope) -> Any:
        """The item or the attribute of that name."""
        return scope.environment.getitem(self.of.value(scope), self.key.value(scope))


class Applied(msgspec.Struct, frozen=True):
    """What is done to a value by a name, with arguments."""

    of: Value
    name: str
    args: Sequence[Value]
    kwargs: dict[str, Value]

    def given(self, scope: Scope) -> tuple[Any, list[Any], dict[str, Any]]:
        """The value and the arguments."""
        return self.of.value(scope), *_arguments(self.args, self.kwargs, scope)


class Filter(Applied, frozen=True):
    """`of | name(1, a=2)`."""

    def value(self, scope: Scope) -> Any:
        """What the filter makes of it."""
        return scope.environment.call_filter(self.name, *self.given(scope), context=scope.context)


class Test(Applied, frozen=True):
    """`of is name(1, a=2)`."""

    def value(self, scope: Scope) -> Any:
        """What the test says of it."""
        return scope.environment.call_test(self.name, *self.given(scope), context=scope.context)


class Unary(msgspec.Struct, frozen=True):
    """`not of`, `-of`, `+of`."""

    operator: str
    of: Value

    def value(self, scope: Scope) -> Any:
        """What Python makes of it."""
        return UNARY[self.operator](self.of.value(scope))


class Binary(msgspec.Struct, frozen=True):
    """`left + right`, and so on."""

    operator: str
    left: Value
    right: Value

    def value(self, scope: Scope) -> Any:
        """What Python makes of them."""
        return BINARY[self.operator](self.left.value(scope), self.right.value(scope))


class Logical(msgspec.Struct, frozen=True):
    """`left and right`, `left or right`."""

    operator: str
    left: Value
    right: Value

    def value(self, scope: Scope) -> Any:
        """The left one where that decides, else the right one."""
        left = self.left.value(scope)
        return self.right.value(scope) if bool(left) is (self.operator == "and") else left


class Compared(msgspec.Struct, frozen=True):
    """`first < second <= third`."""

    first: Value
    rest: Sequence[tuple[str, Value]]

    def value(self, scope: Scope) -> Any:
        """As in Python: up to the first comparison that does not hold."""
        left, found, last = self.first.value(scope), None, len(self.rest)
        for number, (sign, each) in enumerate(self.rest, 1):
            right = each.value(scope)
            found = BINARY[sign](left, right)
            if number < last and not found:
                break
            left = right
        return found


class Joined(msgspec.Struct, frozen=True):
    """`a ~ b ~ c`."""

    items: Sequence[Value]

    def value(self, scope: Scope) -> str:
        """Their texts, one after the other."""
        return "".join(map(str, [each.value(scope) for each in self.items]))


class Choice(msgspec.Struct, frozen=True):
    """`then if test else otherwise`."""

    test: Value
    then: Value
    otherwise: Value

    def value(self, scope: Scope) -> Any:
        """One of the two."""
        return (self.then if self.test.value(scope) else self.otherwise).value(scope)


class Tuple(msgspec.Struct, frozen=True):
    """`(a, 1)`."""

    items: Sequence[Value]

    def value(self, scope: Scope) -> Any:
        """The tuple."""
        return tuple([each.value(scope) for each in self.items])


class List(msgspec.Struct, frozen=True):
    """`[a, 1]`."""

    items: Sequence[Value]

    def value(self, scope: Scope) -> Any:
        """A new list."""
        return [each.value(scope) for each in self.items]


class Dict(msgspec.Struct, frozen=True):
    """`{'a': b}`."""

    items: Sequence[tuple[Value, Value]]

    def value(self, scope: Scope) -> Any:
        """A new dict."""
        return {key.value(scope): each.value(scope) for key, each in self.items}


Value = (
    Constant | Name | Attribute | Item | Call | Filter | Test | Unary | Binary | Logical | Compared | Joined | Choice
    | Tuple | List | Dict
)  # fmt: skip


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
    """`{% if value %}`, or `{% elif value %}` as the only step of what is done otherwise."""

    value: Value
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
            yield from _texts(step.then if value else step.otherwise, scope)


RUNNING = frozenset({run.__code__, _texts.__code__})
"""The functions whose local `line` says which line of the template runs."""
