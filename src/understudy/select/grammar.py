"""The grammar of `--select` and `--exclude`: text becomes a tree. All input is read, or it is a SelectorError.

union         = intersection { space intersection }
intersection  = criterion { "," criterion }
criterion     = [ "@" ] [ [ number ] "+" ] [ method { "." argument } ":" ] value [ "+" [ number ] ]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from understudy.errors import SelectorError, did_you_mean

Indirect = Literal["eager", "cautious", "buildable", "empty"]
"""Which tests come along with the nodes that they look at: of any, of all, of all or of what is above them, none."""
INDIRECT: tuple[Indirect, ...] = ("eager", "cautious", "buildable", "empty")

METHODS = (
    "access", "config", "exposure", "file", "fqn", "group", "metric", "name", "package", "path", "resource_type", "result",
    "saved_query", "semantic_model", "source", "source_status", "state", "tag", "test_name", "test_type", "unit_test",
    "version",
)  # fmt: skip

_CRITERION = re.compile(
    r"(?P<at>@)?(?:(?P<parents_depth>\d*)(?P<parents>\+))?(?:(?P<method>[\w.]+):)?(?P<value>.*?)"
    r"(?P<children>\+(?P<children_depth>\d*))?",
    re.DOTALL,
)


class Criterion(msgspec.Struct, frozen=True):
    """One method with its value, and how far around its nodes the selection goes.

    A depth of None is without limit. `indirect` None: as the run says. `value` is text on the command line; a
    `selectors.yml` may compare a config with a number or a boolean.
    """

    method: str
    value: Any
    arguments: tuple[str, ...] = ()
    childrens_parents: bool = False
    parents: bool = False
    parents_depth: int | None = None
    children: bool = False
    children_depth: int | None = None
    indirect: Indirect | None = None

    def __str__(self) -> str:
        """The criterion as one writes it; `parse` reads it back."""
        method = ".".join((self.method, *self.arguments))
        before = f"{'' if self.parents_depth is None else self.parents_depth}+" if self.parents else ""
        after = f"+{'' if self.children_depth is None else self.children_depth}" if self.children else ""
        return f"{'@' if self.childrens_parents else ''}{before}{method}:{self.value}{after}"


class Group(msgspec.Struct, frozen=True, eq=False):
    """Several selections combined: all of them, what is common to them, or the first less the others.

    `indirect` None: as the run says. `expected` is what a person wrote; when it matches nothing, that is worth a warning.
    """

    operator: Literal["union", "intersection", "difference"]
    parts: tuple[Tree, ...]
    indirect: Indirect | None = None
    expected: str | None = None
    """No part of what is selected."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Group) and self._selects() == other._selects()

    def __hash__(self) -> int:
        return hash(self._selects())

    def _selects(self) -> tuple[object, ...]:
        return self.operator, self.parts, self.indirect

    def __str__(self) -> str:
        """Unions and intersections as one writes them; the command line has no expression for a difference."""
        return ("," if self.operator == "intersection" else " ").join(str(part) for part in self.parts)


Tree = Criterion | Group


def parse(arguments: Iterable[str], *, flag: str = "--select") -> Group:
    """The union of all arguments, each of which may hold several selections with spaces between them.

    A union always has intersections for its parts, as dbt 1.11 has them (parse_union): there tests are looked at again.
    Raises SelectorError.
    """
    parts: list[Tree] = []
    for argument in arguments:
        for word in re.finditer(r"\S+", argument):
            criteria = tuple(_criteria(argument, word.group(), word.start(), flag))
            parts.append(Group("intersection", criteria, expected=word.group()))
        if not argument.strip():
            parts.append(Group("union", (), expected=argument))
    return Group("union", tuple(parts))


def _criteria(argument: str, word: str, start: int, flag: str) -> Iterator[Criterion]:
    for text in word.split(","):
        try:
            yield parse_criterion(text)
        except Misread as error:
            raise SelectorError(
                f"{flag} {argument!r}: {error.problem}, at character {start + error.position + 1}",
                hint=error.advice,
            ) from None
        start += len(text) + 1


class Misread(Exception):
    """What is wrong with one criterion, and where in its text."""

    def __init__(self, problem: str, position: int = 0, advice: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.position = position
        self.advice = advice


def parse_criterion(text: str) -> Criterion:
    """One criterion, from its text as on the command line. Raises Misread."""
    match = _CRITERION.fullmatch(text)
    assert match is not None  # every part may be empty, and the value takes whatever is left
    value: str = match["value"]
    at_value = match.start("value")
    if not value:
        what = f"'{match['method']}:' has no value" if match["method"] else "a name, or method:value, is missing"
        raise Misread(what, at_value)
    if match["at"] and match["children"]:
        raise Misread(
            "'@' in front and '+' behind exclude each other", match.start("children"), "@ has the children in it."
        )
    if match["method"]:
        method, arguments = split_method(match["method"], match.start("method"))
    else:
        method, arguments = _method_of(value, at_value), ()
    return Criterion(
        method, value, arguments, bool(match["at"]), bool(match["parents"]), _depth(match["parents_depth"]),
        bool(match["children"]), _depth(match["children_depth"]),
    )  # fmt: skip


def _depth(digits: str | None) -> int | None:
    return int(digits) if digits else None


def _method_of(value: str, position: int) -> str:
    """The method of a value without one: a path has a slash, a file a suffix, and anything else is a name (dbt 1.11:
    default_method). What an operator left behind is none of these.
    """
    for operator in "@+":
        if value.startswith(operator) or (operator == "+" and value.endswith(operator)):
            place = position if value.startswith(operator) else position + len(value) - 1
            raise Misread(
                f"'{operator}' stands where a name is expected", place, "It may stand there once: @a, +a, a+."
            )
    method, colon, _ = value.partition(":")
    if colon and "/" not in method:
        raise unknown_method(method, position)
    if "/" in value:
        return "path"
    return "file" if value.lower().endswith((".sql", ".py", ".csv")) else "fqn"


def split_method(text: str, position: int = 0) -> tuple[str, tuple[str, ...]]:
    """A method and its arguments: `config.meta.owner`. Raises Misread."""
    method, *arguments = text.split(".")
    if method not in METHODS:
        raise unknown_method(method, position)
    if method == "config":
        if not arguments or not all(arguments):
            raise Misread(
                f"'{text}' names no key of the config", position + len(method), "Write config.materialized:table."
            )
    elif arguments:
        raise Misread(f"the method '{method}' takes nothing after a dot", position + len(method))
    return method, tuple(arguments)


def unknown_method(method: str, position: int = 0) -> Misread:
    """The error for a method that is none."""
    advice = f"The methods are: {', '.join(METHODS)}."
    near = did_you_mean(method, METHODS)
    return Misread(f"'{method}' is no selection method", position, f"{near} {advice}" if near else advice)


DEFAULT = ("fqn:*", "source:*", "exposure:*", "metric:*", "semantic_model:*")
"""What is selected when nothing is said (dbt 1.11: DEFAULT_INCLUDES)."""


def command_line(select: Sequence[str] | None, exclude: Sequence[str] | None) -> Group:
    """The tree of `--select` and `--exclude`; without a selection it is everything. Raises SelectorError.

    Tests are not looked at again after the exclusion (dbt 1.11: parse_difference leaves its mode at eager).
    """
    if select:
        included = parse(select)
    else:
        included = Group("union", tuple(Group("intersection", (parse_criterion(text),)) for text in DEFAULT))
    return Group("difference", (included, parse(exclude or (), flag="--exclude")), indirect="eager")
