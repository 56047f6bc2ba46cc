"""Reads templates that are plain enough to be run as they are read, without Jinja's parser, its compiler and Python's.

Most templates that ask for more than literal references (`template.literal`) set a list, call a macro or two, or leave a part
out unless a model is incremental. Compiling such a text costs twenty times what running it does. What is understood here:

    {{ value }}  {% do value %}  {% set name = value %}  {% if value %} ... {% elif value %} ... {% else %} ... {% endif %}

where values are Jinja's expressions: literals, names, attributes, items, calls, filters, tests, operators. Not `*args`, slices,
`a if b` without `else`, and what else is rare. Loops, blocks and all other tags are left to Jinja, syntax errors among them.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence

from understudy.template.literal import (
    CONSTANTS,
    DEPTH,
    MARKS,
    RESERVED,
    NotLiteral,
    comment,
    constant,
    normal_lines,
    separator,
    token,
)
from understudy.template.plain import (
    Attribute,
    Binary,
    Call,
    Choice,
    Compared,
    Constant,
    Dict,
    Do,
    Filter,
    If,
    Item,
    Joined,
    List,
    Logical,
    Name,
    Plain,
    Set,
    Show,
    Step,
    Steps,
    Test,
    Tuple,
    Unary,
    Value,
)

SPACE = re.compile(r"\s*")
NAME = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)(?!\w)")
POSTFIX = re.compile(r"\s*([.(\[])")
TAG = re.compile(r"\s*(set|do|if|elif|else|endif)(?!\w)")
NOT = re.compile(r"\s*(not)(?!\w)")
SIGN = re.compile(r"\s*(\+|-(?!\d))")
IF = re.compile(r"\s*if(?!\w)")
ELSE = re.compile(r"\s*else(?!\w)")
CALL = re.compile(r"\s*\(")
FILTER = re.compile(r"\s*(?:(\|)|(is)(?!\w)(\s+not(?!\w))?)")
NO_ARGUMENT = re.compile(r"\s*(?:(?:and|or|else)(?!\w)|[^\w\s'\"(\[{])")
"""What may follow a test that is given nothing to compare with."""
OPERATOR = re.compile(r"\s*(\*\*|//|[=!<>]=|-(?!\}\}|%\})|%(?!\})|[+*/~<>]|(?:or|and|in)(?!\w)|not\s+in(?!\w))")
KEYWORD = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(?!=)")
EQUALS = re.compile(r"\s*=(?!=)")
COLON = re.compile(r"\s*:")
ENDS = {"{": re.compile(r"\s*(-?)\}\}"), "%": re.compile(r"\s*(-?)%\}")}
OR, AND, NEGATION, COMPARISON, SUM, CONCATENATION, PRODUCT, POWER = range(1, 9)
"""How strongly operators bind, from the weakest."""
BINDING = {
    "or": OR, "and": AND, "==": COMPARISON, "!=": COMPARISON, "<": COMPARISON, "<=": COMPARISON, ">": COMPARISON,
    ">=": COMPARISON, "in": COMPARISON, "not in": COMPARISON, "+": SUM, "-": SUM, "~": CONCATENATION, "*": PRODUCT,
    "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "**": POWER,
}  # fmt: skip
WORDS = RESERVED | {"self"}
"""What is no name, or one with a meaning of its own."""


def read(text: str, filters: Container[str], tests: Container[str]) -> Plain | None:
    """The steps of a template, or None where Jinja is needed. `filters`, `tests`: the names of those there are."""
    try:
        return _Reader(normal_lines(text), filters, tests).template()
    except NotLiteral:
        return None


Read = tuple[Value, int]
"""A value, and the place in the text whose line Jinja gives to it."""


class _Reader:
    """Reads one template. All methods raise NotLiteral where there is anything that is not plain."""

    def __init__(self, text: str, filters: Container[str], tests: Container[str]) -> None:
        self.text = text
        self.position = 0
        self.names: dict[str, None] = {}
        self.made: set[str] = set()
        self._filters, self._tests = filters, tests
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
            elif self.text.startswith("+", match.end()):
                raise NotLiteral  # a mark of white-space control, and no sign
            elif kind == "{":
                value, place = self._expression(0)
                self._end("{")
                steps.append(Show(value, self._line_at(place)))
            else:
                tag = self._match(TAG)
                if tag in ("else", "endif"):
                    self._end("%")
                if tag in ("elif", "else", "endif"):
                    return steps, tag
                steps.append(self._tag(tag, depth))
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

    def _tag(self, tag: str, depth: int) -> Step:
        line = self._line_at(self.position - 1)
        if tag == "if":
            return self._if(line, depth)
        if tag == "do":
            value, _ = self._expression(0)
            self._end("%")
            return Do(value, line)
        name = self._name()
        self._match(EQUALS)
        value, _ = self._expression(0)
        self._end("%")
        if depth:
            raise NotLiteral  # whether there is such a name then depends on the branch
        self.made.add(name)
        return Set(name, value, line)

    def _if(self, line: int, depth: int) -> Step:
        value, _ = self._operation(OR, self._deeper(depth))
        self._end("%")
        then, end = self._steps(depth + 1)
        otherwise: Steps = ()
        if end == "elif":
            return If(value, then, (self._if(self._line_at(self.position - 1), depth + 1),), line)
        if end == "else":
            otherwise, end = self._steps(depth + 1)
        if end != "endif":
            raise NotLiteral
        return If(value, then, otherwise, line)

    def _match(self, wanted: re.Pattern[str]) -> str:
        match = wanted.match(self.text, self.position)
        if match is None:
            raise NotLiteral
        self.position = match.end()
        return match.group(match.lastindex or 0)

    def _skip(self, wanted: re.Pattern[str]) -> bool:
        """Whether that comes next; it is read."""
        match = wanted.match(self.text, self.position)
        if match is None:
            return False
        self.position = match.end()
        return True

    def _end(self, kind: str) -> None:
        """The end of a tag."""
        self._strip = self._match(ENDS[kind]) == "-"

    def _name(self) -> str:
        name = self._match(NAME)
        if name in WORDS:
            raise NotLiteral
        return name

    def _next(self) -> int:
        """Where the next token is."""
        match = SPACE.match(self.text, self.position)
        return match.end() if match is not None else self.position

    def _deeper(self, depth: int) -> int:
        if depth == DEPTH:
            raise NotLiteral
        return depth + 1

    def _expression(self, depth: int) -> Read:
        """A value, or one of two: `a if b else c`, whose names Jinja looks up with those of `b` first."""
        start, known = self._next(), len(self.names)
        value, place = self._operation(OR, self._deeper(depth))
        while self._skip(IF):
            names = list(self.names)
            self.names = dict.fromkeys(names[:known])
            test, _ = self._operation(OR, depth + 1)
            self.names.update(dict.fromkeys(names[known:]))
            if not self._skip(ELSE):
                raise NotLiteral
            value, place = Choice(test, value, self._expression(depth + 1)[0]), start
        return value, place

    def _operation(self, least: int, depth: int) -> Read:
        """A value with the operators behind it that bind at least so strongly."""
        start = self._next()
        if least <= NEGATION and self._skip(NOT):
            value: Value = Unary("not", self._operation(NEGATION, self._deeper(depth))[0])
            place = start
        else:
            value, place = self._operand(depth)
        while (sign := self._operator(least)) is not None:
            binding, place = BINDING[sign[0]], start
            rest = list(self._operations(binding, depth))
            if binding == COMPARISON:
                value, place = Compared(value, [(each, right) for each, right, _ in rest]), self._next()
            elif binding == CONCATENATION:
                value = Joined([value, *(right for _, right, _ in rest)])
            else:
                for each, right, _ in rest:
                    value = Logical(each, value, right) if binding <= AND else Binary(each, value, right)
                if len(rest) > 1:
                    place = rest[-1][2]
        return value, place

    def _operator(self, least: int) -> tuple[str, int, int] | None:
        """The operator that comes next, where it is and ends, if it binds at least so strongly."""
        match = OPERATOR.match(self.text, self.position)
        if match is None:
            return None
        sign = "not in" if match.group(1).startswith("not") else match.group(1)
        return (sign, match.start(1), match.end()) if BINDING[sign] >= least else None

    def _operations(self, binding: int, depth: int) -> Iterator[tuple[str, Value, int]]:
        """Operators that bind equally strongly, with what stands right of each, and where each is."""
        while (found := self._operator(binding)) is not None and BINDING[found[0]] == binding:
            self.position = found[2]
            right, _ = self._operation(binding + 1, self._deeper(depth))
            yield found[0], right, found[1]

    def _operand(self, depth: int) -> Read:
        """A value without operators, but with a sign, filters and tests."""
        value, place = self._signed(depth)
        while True:
            if (match := CALL.match(self.text, self.position)) is not None:  # of what a filter gave
                self.position, place = match.end(), match.end() - 1
                value = Call(value, *self._arguments(depth))
            elif (match := FILTER.match(self.text, self.position)) is None:
                return value, place
            elif match.group(1):
                self.position = match.end()
                place = self._next()
                value = Filter(value, self._known(self._filters), *self._given(depth))
            else:
                self.position, place = match.end(), match.start(2)
                value = self._test(value, depth)
                if match.group(3):
                    value = Unary("not", value)

    def _signed(self, depth: int) -> Read:
        start = self._next()
        if (match := SIGN.match(self.text, self.position)) is None:
            return self._postfix(*self._primary(depth), depth)
        self.position = match.end()
        value, _ = self._signed(self._deeper(depth))
        return Unary(match.group(1), value), start

    def _known(self, names: Container[str]) -> str:
        """The name of a filter or test; Jinja complains of one that there is not, and knows some with dots."""
        name = self._match(NAME)
        if name not in names or self.text.startswith(".", self._next()):
            raise NotLiteral
        return name

    def _test(self, value: Value, depth: int) -> Value:
        name = self._known(self._tests)
        args, kwargs = self._given(depth)
        if not (args or kwargs) and NO_ARGUMENT.match(self.text, self.position) is None:
            raise NotLiteral  # an argument without parentheses
        return Test(value, name, args, kwargs)

    def _primary(self, depth: int) -> Read:
        start = self._next()
        kind, text, after = token(self.text, start)
        if kind == "name" and text not in CONSTANTS:
            name = self._name()
            if name not in self.made:
                self.names[name] = None
            return Name(name), start
        self.position = after
        if kind == "mark":
            return self._several(text, start, depth)
        value = constant(kind, text)
        while kind == "string" and self.text.startswith(("'", '"'), self._next()):  # one text, written in several
            kind, text, self.position = token(self.text, self.position)
            value += constant(kind, text)
        return Constant(value), start

    def _several(self, mark: str, start: int, depth: int) -> Read:
        """What a bracket opens: a list, a dict, a tuple, or a value alone."""
        if mark == "[":
            return List(self._items("]", depth)), start
        if mark == "{":
            return Dict(list(self._pairs(depth))), start
        if mark != "(":
            raise NotLiteral
        items: list[Value] = []
        place = self._next()
        while not self._closed(")"):
            value, own = self._expression(depth)
            items.append(value)
            comma = self._next()
            if self._closed(")"):
                return (Tuple(items), place) if len(items) > 1 else (value, own)
            self._separator(")")
            place = comma
        return Tuple(items), place

    def _postfix(self, value: Value, place: int, depth: int) -> Read:
        """A value with its attributes, items and calls; the place is that of the last."""
        while (match := POSTFIX.match(self.text, self.position)) is not None:
            place = match.start(1)
            self.position = match.end()
            if match[1] == ".":
                value = Attribute(value, self._match(NAME))
            elif match[1] == "(":
                value = Call(value, *self._arguments(depth))
            else:
                value = Item(value, self._expression(depth)[0])
                if not self._closed("]"):
                    raise NotLiteral
        return value, place

    def _given(self, depth: int) -> tuple[Sequence[Value], dict[str, Value]]:
        """Arguments in parentheses, if there are any."""
        return self._arguments(depth) if self._skip(CALL) else ((), {})

    def _arguments(self, depth: int) -> tuple[Sequence[Value], dict[str, Value]]:
        args: list[Value] = []
        kwargs: dict[str, Value] = {}
        while not self._closed(")"):
            keyword = KEYWORD.match(self.text, self.position)
            if keyword is not None:
                name = keyword.group(1)
                self.position = keyword.end()
                if name in kwargs or name in WORDS:
                    raise NotLiteral
                kwargs[name] = self._expression(depth)[0]
            elif kwargs:
                raise NotLiteral
            else:
                args.append(self._expression(depth)[0])
            self._separator(")")
        return args, kwargs

    def _items(self, closing: str, depth: int) -> list[Value]:
        items: list[Value] = []
        while not self._closed(closing):
            items.append(self._expression(depth)[0])
            self._separator(closing)
        return items

    def _pairs(self, depth: int) -> Iterator[tuple[Value, Value]]:
        while not self._closed("}"):
            key, _ = self._expression(depth)
            if isinstance(key, List | Dict):
                raise NotLiteral  # which Jinja may say before it runs
            self._match(COLON)
            yield key, self._expression(depth)[0]
            self._separator("}")

    def _closed(self, mark: str) -> bool:
        """Whether a list ends here; its end is read."""
        place = self._next()
        if not self.text.startswith(mark, place):
            return False
        self.position = place + 1
        return True

    def _separator(self, closing: str) -> None:
        self.position = separator(self.text, self.position, closing)

    def _line_at(self, position: int) -> int:
        """The line of a position that is not before the last one that was asked for."""
        self._line += self.text.count("\n", self._counted, position)
        self._counted = position
        return self._line
