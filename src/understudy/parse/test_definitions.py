"""What one entry of `data_tests` means: which test, its arguments, config, names and hash. Text in, values out.

Rules: dbt 1.11, TestBuilder and SchemaGenericTestParser.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from understudy.core.nodes import Version
from understudy.errors import YamlError

CONFIG_KEYS = (
    "severity", "tags", "enabled", "where", "limit", "warn_if", "error_if", "fail_calc", "store_failures",
    "store_failures_as", "meta", "database", "schema", "alias",
)  # fmt: skip
KEYS_OF_CONFIG = frozenset({"config", *CONFIG_KEYS})
TOP_LEVEL = frozenset({"column_name", "description", "name", *KEYS_OF_CONFIG})
_NAME = re.compile(r"((?P<namespace>[a-zA-Z_][0-9a-zA-Z_]*)\.)?(?P<name>[a-zA-Z_][0-9a-zA-Z_]*)")
_UNCLEAN = re.compile(r"[^0-9a-zA-Z_]+")
MAX_NAME = 63
"""Longer names are cut, and made unique by a digest, where they name a file or a relation."""


class Target(msgspec.Struct, frozen=True):
    """What a test is about. `call` is the Jinja that names it; a source's tests have `source_` before their name."""

    name: str
    call: str
    prefix: str = ""
    version: Version | None = None

    @property
    def label(self) -> str:
        """The target's part of a test's name."""
        return f"{self.name}_v{self.version}" if self.version else self.name


class Definition(msgspec.Struct, frozen=True):
    """A test, understood. `name` is its full name, `short_name` names its file; `kwargs` as `test_metadata` holds them."""

    name: str
    short_name: str
    test: str
    namespace: str | None
    kwargs: dict[str, Any]
    config: dict[str, Any]
    description: str
    deprecations: tuple[tuple[str, str], ...] = ()

    @property
    def macro(self) -> str:
        """The test's macro as Jinja calls it."""
        macro = f"test_{self.test}"
        return f"{self.namespace}.{macro}" if self.namespace else macro

    @property
    def tags(self) -> list[str]:
        """The tags that stand on the test. Raises YamlError where they are no texts."""
        tags = self.config.get("tags", [])
        tags = [tags] if isinstance(tags, str) else tags
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise YamlError(f"The tags of a test must be texts, not {tags!r}")
        return list(tags)

    def raw_code(self) -> str:
        """The template that the test's node stands for."""
        call = f"{{{{ {self.macro}(**_dbt_generic_test_kwargs) }}}}"
        if not self.config:
            return call
        config = ",".join(
            key + "=" + ('"' + value.replace('"', '\\"') + '"' if isinstance(value, str) else str(value))
            for key, value in self.config.items()
        )
        return f"{call}{{{{ config({config}) }}}}"

    def digest(self) -> str:
        """The ten letters that make the unique_id unique."""
        metadata = {"kwargs": _hashable(self.kwargs), "name": self.test, "namespace": str(self.namespace)}
        return hashlib.md5((self.name + repr(metadata)).encode(), usedforsecurity=False).hexdigest()[-10:]


def define(
    test: Any,
    target: Target,
    column_name: str | None,
    render: Callable[[str], Any],
    *,
    arguments_property: bool = True,
) -> Definition:
    """Understand one entry.

    Args:
        test: `unique`, `{accepted_values: {...}}`, or `{test_name: ..., ...}`.
        column_name: the column on which it stands, quoted where it must be.
        render: renders a text of its config.
        arguments_property: whether `arguments:` holds arguments (dbt's flag require_generic_test_arguments_property).

    Raises:
        YamlError: an entry of another shape; without a place, which the caller knows.
        JinjaError: its config cannot be rendered.
    """
    name, args, notes = _arguments(test, column_name, arguments_property)
    if "model" in args:
        raise YamlError(
            f"The test '{name}' must not have an argument 'model': it is filled in", hint="Rename the argument"
        )
    args["model"] = f"{{{{ get_where_subquery({target.call}) }}}}"
    match = _NAME.match(name)
    if match is None:
        raise YamlError(f"{name!r} is no name of a test")
    config = _config(name, args, render)
    description = args.pop("description", "")
    if not isinstance(description, str):
        raise YamlError(f"The description of the test '{name}' must be text, not {description!r}")
    test_name, namespace = match["name"], match["namespace"]
    custom = args.pop("name", None)
    if custom is not None and not isinstance(custom, str):
        raise YamlError(f"The name of the test '{name}' must be text, not {custom!r}")
    if custom is not None:
        short = full = custom
    else:
        kind = f"{namespace}_" if namespace else ""
        short, full = synthesize(f"{kind}{target.prefix}{test_name}", target.label, args)
        if short != full:
            config.setdefault("alias", short)
    return Definition(full, short, test_name, namespace, args, config, description, tuple(notes))


def _arguments(
    test: Any, column_name: str | None, arguments_property: bool
) -> tuple[str, dict[str, Any], list[tuple[str, str]]]:
    """Name and arguments, and what is to be warned of: dbt's name of it, and the text."""
    notes: list[tuple[str, str]] = []
    if isinstance(test, str):
        return test, {} if column_name is None else {"column_name": column_name}, notes
    if not isinstance(test, dict):
        raise YamlError(f"A test must be a name or a map, not {test!r:.60}")
    if "test_name" in test:
        name, given = test["test_name"], {key: value for key, value in test.items() if key != "test_name"}
    elif len(test) == 1:
        name, given = next(iter(test.items()))
    else:
        hint = "Is its list of arguments indented below its name?"
        raise YamlError(f"A test must be a map with one key, its name, not {', '.join(map(str, test))}", hint=hint)
    if not isinstance(name, str):
        raise YamlError(f"The name of a test must be text, not {name!r}")
    if not isinstance(given, dict):
        raise YamlError(f"The arguments of the test '{name}' must be a map, not {given!r:.60}")
    args = dict(given)
    if isinstance(args.get("config"), dict):
        args["config"] = dict(args["config"])
    if column_name is not None:
        args["column_name"] = column_name
    if arguments_property:
        arguments = args.pop("arguments", {})
        notes += [
            ("PropertyMovedToConfigDeprecation", f"'{key}' of the test '{name}' should stand under 'config:'")
            for key in args
            if key in CONFIG_KEYS
        ]
        if not arguments and any(key not in TOP_LEVEL for key in args):
            text = f"The arguments of the test '{name}' should stand under 'arguments:'"
            notes.append(("MissingArgumentsPropertyInGenericTestDeprecation", text))
        if isinstance(arguments, dict):
            args = {**args, **arguments}
    elif "arguments" in args:
        text = f"The test '{name}' has an argument 'arguments', which the flag require_generic_test_arguments_property reads otherwise"
        notes.append(("ArgumentsPropertyInGenericTestDeprecation", text))
    return name, args, notes


def _config(name: str, args: dict[str, Any], render: Callable[[str], Any]) -> dict[str, Any]:
    """Take the config out of the arguments: from the top, then from `config:`."""
    if KEYS_OF_CONFIG.isdisjoint(args):
        return {}
    nested = args.pop("config", None) or {}
    if not isinstance(nested, Mapping):
        raise YamlError(f"The config of the test '{name}' must be a map, not {nested!r:.60}")
    nested = dict(nested)
    values: dict[str, Any] = {}
    for key in CONFIG_KEYS:
        value = args.pop(key, None)
        if value and key in nested:
            raise YamlError(f"The test '{name}' has '{key}' both at the top and in its config; only one may stand")
        values[key] = nested.pop(key, None) if not value and key in nested else value
    values.update(nested)
    rendered = {key: render(value) if isinstance(value, str) else value for key, value in values.items()}
    return {key: value for key, value in rendered.items() if value is not None}


def synthesize(test: str, target: str, args: Mapping[str, Any]) -> tuple[str, str]:
    """A test's short and full name, made of its type, its target and its arguments in order of name."""
    flat: list[str] = []
    for key in sorted(args):
        value = args[key]
        if key == "model":
            continue
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        flat += [_UNCLEAN.sub("_", str(part)) for part in parts]
    identifier = f"{test}_{target}"
    full = f"{identifier}_{'__'.join(flat)}"
    if len(full) <= MAX_NAME:
        return full, full
    return f"{identifier[:30]}_{hashlib.md5(full.encode(), usedforsecurity=False).hexdigest()}", full


def _hashable(value: Any) -> Any:
    if type(value) is dict:
        return {key: _hashable(value[key]) for key in sorted(value)}
    if type(value) is list:
        return [_hashable(item) for item in value]
    return str(value)
