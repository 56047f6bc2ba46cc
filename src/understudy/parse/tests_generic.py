"""Generic tests: every entry of `data_tests` becomes a node of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from understudy.core.config import combine_calls
from understudy.core.nodes import Checksum, DependsOn, GenericTest, Node, RefArgs, TestMetadata, Version
from understudy.core.relation import quote
from understudy.core.walk import has_jinja
from understudy.errors import LinkError, Place, UnderstudyError, did_you_mean
from understudy.parse.cells import MISSING
from understudy.parse.configure import absorb, set_config, set_names
from understudy.parse.entries import Entry, Found, columns_of, texts
from understudy.parse.parsing import Parsing, duplicate
from understudy.parse.test_definitions import Definition, Target, define
from understudy.parse.versions import columns_for, versions_of
from understudy.template import literal
from understudy.template.scope import Captured

_CALL = re.compile(r"^\s*(env_var|ref|var|source|doc)\s*\(.+\)\s*$")
"""An argument that reads like a call of one of these is one, even without braces (dbt 1.11: looks_like_func)."""
LITERAL = frozenset({"not_null", "unique", "accepted_values", "relationships"})
"""Tests of ours that ask for nothing while they are parsed but what their arguments name."""


def add_tests(parsing: Parsing, found: Found) -> None:
    """The tests of a model's, seed's or snapshot's entry: of its columns first, then its own, per version."""
    entry = found.entry
    versions = versions_of(found) if found.key == "models" else []
    if not versions:
        target = Target(found.name, f"ref('{found.name}')")
        _add(parsing, found, target, columns_of(found, entry), entry.get("data_tests"))
    for version in versions:
        v = version["v"]
        call = f"ref('{found.name}', version='{v}')" if v else f"ref('{found.name}')"
        tests = version["data_tests"] if version.get("data_tests") is not None else entry.get("data_tests")
        _add(parsing, found, Target(found.name, call, version=v), columns_for(found, version), tests)


def _add(parsing: Parsing, found: Found, target: Target, columns: Sequence[Entry], tests: Any) -> None:
    attached = _attached(parsing, found, target.version)
    if attached is not None:
        parsing.cells.touch(attached.unique_id)
    else:
        parsing.cells.note(MISSING, found.name if target.version is None else target.label)
    quoted = bool(found.entry.get("quote_columns"))
    for column in columns:
        if not column.get("data_tests"):
            continue
        name = column_name(parsing, column, quoted)
        tags = [*texts(column.get("tags")), *texts((column.get("config") or {}).get("tags"))]
        for test in _listed(found, column["data_tests"]):
            node = build(parsing, found, target, test, name, tags)
            _attach(node, attached)
            add_test(parsing, node)
    for test in _listed(found, tests):
        node = build(parsing, found, target, test, None, [])
        _attach(node, attached)
        add_test(parsing, node)


def _listed(found: Found, tests: Any) -> Iterable[Any]:
    if tests is not None and not isinstance(tests, list):
        raise found.error(f"The tests of '{found.name}' must be a list, not {tests!r:.60}", "data_tests")
    return tests or []


def column_name(parsing: Parsing, column: Entry, quoted: bool) -> str:
    """A column's name as a test gets it: in quotes where the column or its model asks for them."""
    name: str = column["name"]
    own = column.get("quote")
    return quote(name, parsing.dialect.quote_character) if own or (own is None and quoted) else name


def _attached(parsing: Parsing, found: Found, version: Version | None) -> Node | None:
    """The node on which the tests stand, enabled or not."""
    unique_id = parsing.find(found.name, found.file.package, version or None)
    if unique_id is not None:
        return parsing.manifest.nodes[unique_id]
    disabled = parsing.find_disabled(found.name, None) or parsing.find_disabled(found.name.upper(), None)
    return disabled[0] if disabled else None


def _attach(node: GenericTest, attached: Node | None) -> None:
    if attached is not None:
        node.attached_node = attached.unique_id
        node.group = attached.group


def add_test(parsing: Parsing, node: GenericTest) -> None:
    """Into the manifest. Raises DuplicateError for two tests with one name and the same arguments."""
    other = parsing.manifest.nodes.get(node.unique_id)
    if other is not None:
        error = duplicate("test", node.name, other.original_file_path, node.original_file_path, node.unique_id)
        error.hint = "Remove one of them, or give it a name of its own with 'name:'"
        raise error
    parsing.add(node)


def build(
    parsing: Parsing, found: Found, target: Target, test: Any, column: str | None, tags: Sequence[str]
) -> GenericTest:
    """The node of one test. Raises YamlError or JinjaError with the place of its entry."""
    file, uses = found.file, Captured()
    try:
        definition = define(
            test,
            target,
            column,
            lambda text: parsing.renderer.value(text, package=file.package, captured=uses) if has_jinja(text) else text,
            arguments_property=bool(parsing.settings.flags.get("require_generic_test_arguments_property", True)),
        )
        for name, message in definition.deprecations:
            parsing.warn(name, message, Place(file.path))
        node = _node(parsing, found, target, definition, column, tags)
        _refer(parsing, node, found, target, definition)
        parsing.used(node.unique_id, uses)
    except UnderstudyError as error:
        if error.place is None or error.place.line is None:
            error.place = found.place("columns", column) if column else found.place("data_tests")
        raise
    return node


def _node(
    parsing: Parsing, found: Found, target: Target, definition: Definition, column: str | None, tags: Sequence[str]
) -> GenericTest:
    file, settings = found.file, parsing.settings.target
    return GenericTest(
        database=settings.database,
        schema=settings.schema,
        alias=definition.name,
        name=definition.name,
        package_name=file.package,
        path=f"{definition.short_name}.sql",
        original_file_path=file.path,
        unique_id=f"test.{file.package}.{definition.name}.{definition.digest()}",
        fqn=[file.package, *file.path.split("/")[1:-1], definition.name],
        raw_code=definition.raw_code(),
        checksum=Checksum("none", ""),
        config={},
        tags=sorted({*tags, *definition.tags}) if tags or "tags" in definition.config else [],
        description=definition.description,
        column_name=column,
        file_key_name=f"{found.key}.{found.name}",
        test_metadata=TestMetadata(definition.test, definition.kwargs, definition.namespace),
    )


def _refer(parsing: Parsing, node: GenericTest, found: Found, target: Target, definition: Definition) -> None:
    """References, macros and config: without rendering for the built-in tests, else by rendering the test."""
    key = definition.macro, node.package_name
    if key not in parsing.literal_tests:
        parsing.literal_tests[key] = _literal_test(parsing, definition, node.package_name)
    macro = parsing.literal_tests[key]
    config = dict(definition.config)
    captured: Captured | None = None
    if macro is not None:
        node.depends_on = DependsOn(macros=[macro])
        if definition.test in ("not_null", "unique"):
            captured = _own(found, target)
        else:
            captured = _literal(definition)
            config = combine_calls(config, config) if config else config  # dbt reads the config twice, so tags double
    if captured is None:
        node.config = parsing.configs.base("test", node.package_name, node.fqn)
        captured = parsing.renderer.parse(node.raw_code, node=node, package=node.package_name)
        config = combine_calls(definition.config, captured.config) if definition.config else captured.config
    absorb(parsing, node, captured)
    set_config(parsing, node, Captured(config=config, unrendered_config=dict(definition.config or config)))
    set_names(parsing, node)


def _literal_test(parsing: Parsing, definition: Definition, package: str) -> str | None:
    """The macro of a test that is read without rendering; None where it has to be rendered. Raises LinkError."""
    macros = parsing.renderer.macros
    if macros.find(definition.macro, package) is None:
        raise _unknown(parsing, definition)
    macro = macros.anywhere(f"test_{definition.test}", package)
    where = macros.anywhere("get_where_subquery", package)
    ours = macro is not None and macro.package == "dbt" and where is not None and where.package == "dbt"
    return macro.unique_id if macro and ours and definition.test in LITERAL and parsing.literal(package) else None


def _unknown(parsing: Parsing, definition: Definition) -> LinkError:
    names = {name.removeprefix("test_") for name in parsing.builtins if name.startswith("test_")}
    names |= {m.name.removeprefix("test_") for m in parsing.manifest.macros.values() if m.name.startswith("test_")}
    label = definition.macro.replace("test_", "", 1)
    hint = did_you_mean(definition.test, names) or "Is the package that has it installed? Run 'deps'"
    return LinkError(f"There is no generic test '{label}'", hint=hint)


def _own(found: Found, target: Target) -> Captured:
    """The one reference of a test that asks for its target only."""
    if target.prefix:
        scanned = literal.scan("{{ " + target.call + " }}")
        return scanned or Captured()
    return Captured(refs=[RefArgs(found.name, None, target.version)])


def _literal(definition: Definition) -> Captured | None:
    """What the arguments of a built-in test name, where they are literal: each text on its own, in order."""
    captured = Captured()
    for key, value in definition.kwargs.items():
        if key == "column_name":
            continue
        for text in _texts(value):
            scanned = _argument(key, text)
            if scanned is None:
                return None
            captured.refs += scanned.refs
            captured.sources += scanned.sources
            captured.macros += scanned.macros
    return captured


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _argument(key: str, text: str) -> Captured | None:
    if key == "model":
        scanned = literal.scan("{{ " + text.removeprefix("{{ get_where_subquery(").removesuffix(") }}") + " }}")
        if scanned is not None:
            scanned.macros.append("macro.dbt.get_where_subquery")
        return scanned
    if _CALL.match(text):
        return literal.scan("{{ " + text + " }}")
    return literal.scan(text) if has_jinja(text) else Captured()
