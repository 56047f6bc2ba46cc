"""The one home of PyYAML. Values are built straight from the C parser's events: no tag constructs anything but plain data.

Same values as PyYAML's SafeLoader (YAML 1.1), about four times as fast: no node objects, no resolver per scalar, and plain
scalars that occur again (`name`, `not_null`, ...) are read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from yaml.resolver import Resolver

from understudy.core.warning import Warning_
from understudy.errors import Place, YamlError

EVENTS: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
"""Where events come from; without libyaml the same ones, slower."""
LIMIT = 5_000_000
"""Values that one document may stand for when its aliases are written out; more is an attack, not a project."""
KEPT = 50_000
"""How many plain scalars are remembered."""

_TAG = "tag:yaml.org,2002:"
_MERGE = object()
_ABSENT = object()
_scalars: dict[str, Any] = {}
_first = frozenset("".join(str(key) for key in Resolver.yaml_implicit_resolvers if key))
"""A plain scalar that begins with another letter is text."""


def load(text: str, path: str) -> Any:
    """The document's value; None for an empty one. Raises YamlError with path and line."""
    return load_checked(text, path)[0]


def load_checked(text: str, path: str) -> tuple[Any, list[Warning_]]:
    """The document's value and a warning for each duplicate key, of which the last counts (as in dbt 1.11).

    Raises YamlError with path and line where the text is no YAML, holds several documents, or a tag of another language.
    """
    try:
        builder = _Builder(text, path)
        return builder.document(), builder.warnings
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise YamlError(_words(error), place=Place(path, line), hint=_excerpt(text, line)) from error
    except yaml.YAMLError as error:
        raise YamlError(str(error).split("\n")[0], place=Place(path)) from error


def line_of(text: str, key_path: Sequence[str | int]) -> int | None:
    """The line (from 1) of a value, found by reading the text again; the nearest one above where the path ends early.

    Slow: for errors only. A key in the path that is text also finds the list item whose `name` it is.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    line: int | None = None
    for key in key_path:
        found = _step(node, key)
        if found is None:
            break
        node, line = found
    return line


def _step(node: Any, key: str | int) -> tuple[Any, int] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((value, k.start_mark.line + 1) for k, value in node.value if k.value == str(key)), None)
    if not isinstance(node, yaml.SequenceNode):
        return None
    if isinstance(key, int):
        return (node.value[key], node.value[key].start_mark.line + 1) if key < len(node.value) else None
    for item in node.value:
        if isinstance(item, yaml.ScalarNode) and item.value == key:
            return item, item.start_mark.line + 1
        if isinstance(item, yaml.MappingNode):
            for k, value in item.value:
                if k.value == key or (k.value in ("name", "v") and value.value == key):
                    return item, item.start_mark.line + 1
    return None


def _words(error: yaml.MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    return f"The file is no valid YAML: {', '.join(parts)}"


def _excerpt(text: str, line: int | None) -> str | None:
    lines = text.split("\n")
    return f"line {line} reads: {lines[line - 1].strip()}" if line and line <= len(lines) else None


def _scalar(value: str) -> Any:
    """What a plain scalar stands for; texts, numbers, booleans, null and dates."""
    if value and value[0] not in _first:
        return value
    tag: str = _resolver.resolve(yaml.ScalarNode, value, (True, False))
    return _MERGE if tag == f"{_TAG}merge" else _constructed(value, tag)


def _constructed(value: str, tag: str) -> Any:
    if tag in (f"{_TAG}str", f"{_TAG}value"):
        return value
    if tag[len(_TAG) :] not in ("int", "float", "bool", "null", "timestamp"):
        raise yaml.constructor.ConstructorError(None, None, f"could not determine a constructor for the tag {tag!r}")
    try:
        return _constructor.construct_object(yaml.ScalarNode(tag, value))
    except ValueError:  # a date such as 2024-13-45
        raise yaml.constructor.ConstructorError(None, None, f"{value!r} is no valid {tag[len(_TAG) :]}") from None


_resolver: Any = Resolver()
_constructor = yaml.constructor.SafeConstructor()


class _Builder:
    """Reads one document. Recursion is as deep as the document nests, which the C parser bounds by memory, so we bound it."""

    DEPTH = 200

    def __init__(self, text: str, path: str) -> None:
        self.parser: Any = EVENTS(text)
        self.path = path
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.warnings: list[Warning_] = []
        self.size = 0
        self.depth = 0

    def document(self) -> Any:
        """The only document's value; None when there is none."""
        parser = self.parser
        parser.get_event()  # the stream's start
        event = parser.get_event()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        value = self._value(parser.get_event())
        parser.get_event()
        event = parser.get_event()
        if not isinstance(event, yaml.StreamEndEvent):
            raise yaml.composer.ComposerError(None, None, "expected a single document", event.start_mark)
        return None if value is _MERGE else value

    def _value(self, event: Any) -> Any:
        kind = type(event)
        self.size += 1
        if kind is yaml.ScalarEvent:
            value = self._scalar(event)
            if event.anchor is not None:
                self.anchors[event.anchor] = value, 1
            return value
        if kind is yaml.AliasEvent:
            return self._alias(event)
        if self.depth >= self.DEPTH:
            raise yaml.composer.ComposerError(None, None, "nested too deeply", event.start_mark)
        self.depth += 1
        before = self.size
        if event.tag not in (None, "!", f"{_TAG}map", f"{_TAG}seq"):
            problem = f"could not determine a constructor for the tag {event.tag!r}"
            raise yaml.constructor.ConstructorError(None, None, problem, event.start_mark)
        if event.anchor is not None:
            self.anchors[event.anchor] = _ABSENT, 0
        value = self._mapping() if kind is yaml.MappingStartEvent else self._sequence()
        self.depth -= 1
        if event.anchor is not None:
            self.anchors[event.anchor] = value, self.size - before + 1
        return value

    def _scalar(self, event: Any) -> Any:
        value: str = event.value
        if event.tag is not None and event.tag != "!":
            try:
                return _constructed(value, event.tag)
            except yaml.constructor.ConstructorError as error:
                error.problem_mark = event.start_mark
                raise
        if not event.implicit[0]:
            return value
        found = _scalars.get(value, _ABSENT)
        if found is _ABSENT:
            try:
                found = _scalar(value)
            except yaml.constructor.ConstructorError as error:
                error.problem_mark = event.start_mark
                raise
            if len(_scalars) < KEPT and len(value) < 100:
                _scalars[value] = found
        return found

    def _alias(self, event: Any) -> Any:
        value, size = self.anchors.get(event.anchor, (_ABSENT, -1))
        if value is _ABSENT:
            problem = (
                "an alias inside of what it stands for" if size == 0 else f"found undefined alias {event.anchor!r}"
            )
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        self.size += size
        if self.size > LIMIT:
            raise yaml.composer.ComposerError(None, None, "aliases that stand for too much", event.start_mark)
        return value

    def _sequence(self) -> list[Any]:
        items: list[Any] = []
        get, value = self.parser.get_event, self._value
        while True:
            event = get()
            if type(event) is yaml.SequenceEndEvent:
                return items
            item = value(event)
            items.append("<<" if item is _MERGE else item)

    def _mapping(self) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        merged: list[dict[Any, Any]] = []
        get, value = self.parser.get_event, self._value
        while True:
            event = get()
            if type(event) is yaml.MappingEndEvent:
                break
            key = value(event)
            item = value(get())
            if item is _MERGE:
                item = "<<"
            if key is _MERGE:
                merged += self._merged(item, event)
                continue
            try:
                duplicate = key in result
            except TypeError:
                mark = event.start_mark
                raise yaml.constructor.ConstructorError(None, None, "found a key that is no scalar", mark) from None
            if duplicate:
                self.warnings.append(
                    Warning_(
                        "DuplicateYAMLKeysDeprecation",
                        f"The key '{key}' stands twice in one map; the last one counts",
                        Place(self.path, event.start_mark.line + 1),
                    )
                )
            result[key] = item
        if not merged:
            return result
        combined: dict[Any, Any] = {}
        for each in reversed(merged):
            combined.update(each)
        return {**combined, **result}

    def _merged(self, item: Any, event: Any) -> list[dict[Any, Any]]:
        """The maps that a `<<` key names."""
        maps = item if isinstance(item, list) else [item]
        if not all(isinstance(each, dict) for each in maps):
            problem = "expected a map or a list of maps for merging"
            raise yaml.constructor.ConstructorError(None, None, problem, event.start_mark)
        return maps
