"""Cuts the named blocks out of a file: `{% macro %}`, `{% test %}`, `{% materialization %}`, `{% snapshot %}`, `{% docs %}`.

What stands in comments, strings and raw blocks is not looked at; blocks may stand only at the top level
(dbt 1.11: extract_toplevel_blocks).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet

import msgspec

from understudy.errors import JinjaError, Place

START = re.compile(
    r"(?P<comment>\{#)|(?P<expression>\{\{)|(?P<tag>\{%[-+]?\s*(?P<kind>[A-Za-z_]\w*)(?:\s+(?P<name>[A-Za-z_]\w*))?)"
)
STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
TAG_END = re.compile(r"['\"]|-%\}\s*|\+?%\}")
EXPRESSION_END = re.compile(r"['\"]|\}\}")
END_RAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
CONTROL = {"if": "endif", "for": "endfor"}
CONTROL_ENDS = {end: start for start, end in CONTROL.items()}


class Block(msgspec.Struct, frozen=True):
    """One block: its tag and name, the whole text with tags, the line (from 1) where it starts, and what is inside."""

    kind: str
    name: str
    text: str
    line: int
    contents: str


class Tag(msgspec.Struct, frozen=True):
    """One `{% ... %}` tag, from `start` to `end` in the text."""

    kind: str
    name: str | None
    start: int
    end: int


def blocks(
    text: str,
    kinds: AbstractSet[str],
    *,
    path: str | None = None,
    unexpected: Callable[[str, int], None] = lambda kind, line: None,
) -> list[Block]:
    """The top-level blocks of these kinds in order. `unexpected` is told of each other tag beside them, and its line.

    Raises JinjaError (with `path` and line) for a block that is not closed, stands in another block or in `if`/`for`,
    has no name, or for a comment, string or tag that does not end.
    """
    if "{%" not in text:
        return []
    found: list[Block] = []
    control: list[Tag] = []
    open_block: Tag | None = None
    for tag in _tags(text, path):
        if tag.kind in CONTROL:
            control.append(tag)
        elif tag.kind in CONTROL_ENDS:
            _close_control(control, tag, text, path)
        if tag.kind in kinds:
            if control:
                raise _error(
                    f"A {tag.kind} block may not stand inside of a {control[-1].kind} block", text, tag.start, path
                )
            if open_block is not None:
                raise _error(
                    f"A {tag.kind} block may not stand inside of a {open_block.kind} block", text, tag.start, path
                )
            open_block = tag
        elif open_block is not None and tag.kind == f"end{open_block.kind}":
            found.append(_block(open_block, tag, text, path))
            open_block = None
        elif open_block is None:
            unexpected(tag.kind, _line(text, tag.start))
    if open_block is not None:
        message = f"The {open_block.kind} block is not closed: no {{% end{open_block.kind} %}} follows"
        raise _error(message, text, open_block.start, path)
    return found


def _block(start: Tag, end: Tag, text: str, path: str | None) -> Block:
    if start.name is None:
        raise _error(f"A {start.kind} block needs a name", text, start.start, path)
    return Block(
        start.kind, start.name, text[start.start : end.end], _line(text, start.start), text[start.end : end.start]
    )


def _close_control(control: list[Tag], tag: Tag, text: str, path: str | None) -> None:
    if not control:
        raise _error(f"Got {tag.kind}, but no {CONTROL_ENDS[tag.kind]} is open", text, tag.start, path)
    opened = control.pop()
    if CONTROL[opened.kind] != tag.kind:
        line = _line(text, opened.start)
        raise _error(f"Got {tag.kind}, but expected {CONTROL[opened.kind]} for line {line}", text, tag.start, path)


def _tags(text: str, path: str | None) -> Iterator[Tag]:
    position = 0
    while match := START.search(text, position):
        start = match.start()
        if match["comment"]:
            position = _past(text, "#}", match.end(), start, path, "comment")
        elif match["expression"]:
            position = _end(text, match.end(), EXPRESSION_END, start, path, "expression")
        elif match["kind"] == "raw":
            end = END_RAW.search(text, match.end())
            if end is None:
                raise _error("The raw block is not closed", text, start, path)
            position = end.end()
        else:
            if text.startswith("{%-", start):  # the tag takes the white space before it, as `-%}` takes what follows
                start = position + len(text[position:start].rstrip())
            position = _end(text, match.end(), TAG_END, match.start(), path, "tag")
            yield Tag(match["kind"], match["name"], start, position)


def _past(text: str, mark: str, position: int, start: int, path: str | None, what: str) -> int:
    end = text.find(mark, position)
    if end < 0:
        raise _error(f"The {what} is not closed: no {mark} follows", text, start, path)
    return end + len(mark)


def _end(text: str, position: int, ends: re.Pattern[str], start: int, path: str | None, what: str) -> int:
    """Past the end of a tag or an expression; quotes hide what stands between them."""
    while match := ends.search(text, position):
        if match.group() not in "'\"":
            return match.end()
        string = STRING.match(text, match.start())
        if string is None:
            raise _error("The string is not closed", text, match.start(), path)
        position = string.end()
    raise _error(f"The {what} is not closed", text, start, path)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _error(message: str, text: str, position: int, path: str | None) -> JinjaError:
    return JinjaError(message, place=Place(path=path, line=_line(text, position)))
