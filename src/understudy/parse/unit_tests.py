"""Unit tests: rows in every form become rows in one, and each test finds its model, in each of its versions."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from msgspec.structs import replace

from understudy.core.config import listed
from understudy.core.nodes import DependsOn, Model, Seed, UnitTest
from understudy.errors import ParseError, did_you_mean
from understudy.parse.entries import Found
from understudy.parse.parsing import Parsing, duplicate
from understudy.parse.scan import Scanned
from understudy.template import literal

FORMATS = {"dict": "Dict", "csv": "CSV", "sql": "SQL"}
"""The forms of rows, with the names that dbt 1.11 has for them in its checksum."""
Rows = list[dict[str, Any]]


def add_fixtures(parsing: Parsing, scans: Iterator[Scanned]) -> None:
    """The files with rows, by name. A unit test names one without its extension."""
    for scan in scans:
        parsing.fixtures[scan.file.package, fixture_name(scan.file.path)] = scan.file


def fixture_name(path: str) -> str:
    """The name by which unit tests speak of a file of rows."""
    return path.rsplit("/", 1)[-1].rsplit(".", 1)[0]


def add_unit_test(parsing: Parsing, found: Found) -> None:
    """A unit test, not yet with its model (dbt 1.11: UnitTestParser). Raises YamlError, ParseError or DuplicateError."""
    file, entry = found.file, _plain(found.entry)
    model = entry.get("model")
    if not isinstance(model, str) or not model.split():
        raise found.error(f"The unit test '{found.name}' must name its 'model'", "model")
    fqn = [file.package, *file.path.split("/")[1:-1], model, found.name]
    patch = found.typed(entry, "config", dict, {})
    config = parsing.configs.config("unit_test", file.package, fqn, {}, patch)
    test = UnitTest(
        name=found.name,
        model=model,
        given=[_given(parsing, found, each) for each in found.typed(entry, "given", list, [])],
        expect=_fixture(parsing, found, found.typed(entry, "expect", dict, {}), "expect"),
        package_name=file.package,
        path=file.relative_path,
        original_file_path=file.path,
        unique_id=f"unit_test.{file.package}.{model}.{found.name}",
        fqn=fqn,
        description=str(found.raw.get("description") or ""),
        overrides=_overrides(found, entry.get("overrides")),
        config={**config, "tags": listed(config["tags"])},
        versions=_versions(found, entry.get("versions")),
    )
    test.checksum = checksum(test)
    parsing.used(test.unique_id, found.uses)
    _add(parsing, test)


def _add(parsing: Parsing, test: UnitTest) -> None:
    manifest = parsing.manifest
    parsing.cells.touch(test.unique_id)
    if not test.config["enabled"]:
        manifest.disabled.setdefault(test.unique_id, []).append(test)
        return
    other = manifest.unit_tests.get(test.unique_id)
    if other is not None:
        raise duplicate("unit test", test.name, other.original_file_path, test.original_file_path, test.unique_id)
    manifest.unit_tests[test.unique_id] = test


def _plain(entry: Any) -> Any:
    """Dates as ISO text, as JSON has them."""
    if isinstance(entry, dict):
        return {key: _plain(value) for key, value in entry.items()}
    if isinstance(entry, list):
        return [_plain(value) for value in entry]
    return entry.isoformat() if isinstance(entry, date | datetime) else entry


def _overrides(found: Found, value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        raise found.error(f"The overrides of '{found.name}' are maps under macros, vars and env_vars", "overrides")
    for key in value:
        if key not in ("macros", "vars", "env_vars"):
            hint = did_you_mean(key, ("macros", "vars", "env_vars"))
            raise found.error(f"'{key}' is none of macros, vars and env_vars", "overrides", hint=hint)
    return {key: value.get(key, {}) for key in ("macros", "vars", "env_vars")}


def _versions(found: Found, value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not set(value) <= {"include", "exclude"}:
        raise found.error(f"The versions of '{found.name}' must be a map with 'include' or 'exclude'", "versions")
    chosen = {key: listed(value[key]) if value.get(key) is not None else None for key in ("include", "exclude")}
    if chosen["include"] and chosen["exclude"]:
        raise found.error(f"'{found.name}' can include versions or exclude them, not both", "versions")
    return chosen


def _given(parsing: Parsing, found: Found, value: Any) -> dict[str, Any]:
    where = value.get("input") if isinstance(value, dict) else None
    if not isinstance(where, str) or not _is_input(where):
        hint = "Write ref('model'), source('source', 'table') or this"
        raise found.error(f"The input {where!r} of '{found.name}' names nothing that a model reads", "given", hint=hint)
    return {"input": where, **_fixture(parsing, found, value, "given", where)}


def _is_input(text: str) -> bool:
    if text.strip() == "this":
        return True
    calls = literal.scan("{{ " + text + " }}")
    return calls is not None and len(calls.refs) + len(calls.sources) == 1


def _fixture(parsing: Parsing, found: Found, value: dict[str, Any], key: str, where: str = "") -> dict[str, Any]:
    """Rows with their format, as dbt 1.11 keeps them: maps for dict and csv, text for sql."""
    form, rows, fixture = value.get("format", "dict"), value.get("rows"), value.get("fixture")
    if form not in FORMATS:
        hint = did_you_mean(str(form), FORMATS) or f"It is one of {', '.join(FORMATS)}"
        raise found.error(f"The format of rows cannot be {form!r}", key, hint=hint)
    if form == "dict" and rows is None and fixture is None and where:
        rows = _seed_rows(parsing, found, where)
    if form == "dict":
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise found.error(f"The rows of '{found.name}' must be a list of maps (format dict), not {rows!r:.60}", key)
        rows = [dict(row) for row in rows]
    elif fixture is None and not isinstance(rows, str):
        raise found.error(f"The rows of '{found.name}' must be text (format {form}), or a 'fixture'", key)
    elif fixture is not None:
        rows = _file(parsing, found, fixture, key)
    if form == "csv":
        rows = [{name: cell or None for name, cell in row.items()} for row in _cells(found, str(rows), key)]
    return {"rows": _promoted(rows) if isinstance(rows, list) else rows, "format": form, "fixture": fixture}


def _file(parsing: Parsing, found: Found, name: Any, key: str) -> str:
    package = found.file.package
    parsing.cells.note("fixture", package, str(name))
    file = parsing.fixtures.get((package, str(name)))
    if file is None:
        known = [each for of, each in parsing.fixtures if of == package]
        hint = did_you_mean(str(name), known) or "Fixtures are files under fixtures/ in a folder of test-paths"
        raise found.error(f"There is no file for the fixture '{name}' of '{found.name}'", key, hint=hint)
    return file.text


def _seed_rows(parsing: Parsing, found: Found, where: str) -> Rows:
    """An input without rows is a seed, whose file has them."""
    calls = literal.scan("{{ " + where + " }}")
    ref = calls.refs[0] if calls is not None and calls.refs else None
    unique_id = parsing.find(ref.name, ref.package or found.file.package) if ref is not None else None
    seed = parsing.manifest.nodes.get(unique_id or "")
    if not isinstance(seed, Seed):
        hint = "Only seeds have rows of their own"
        raise found.error(f"The input {where} of '{found.name}' has no rows", "given", hint=hint)
    parsing.cells.note("file", seed.package_name, seed.original_file_path)
    return _cells(found, parsing.read_seed(seed), "given")


def _cells(found: Found, text: str, key: str) -> Rows:
    """The rows of a CSV text, every cell as text. Raises YamlError for a row with more cells than columns."""
    rows = list(csv.DictReader(re.findall(r".*\n|.+", text), restkey=""))
    if any("" in row for row in rows):
        raise found.error(f"A row of '{found.name}' has more cells than there are columns", key)
    return [dict(row) for row in rows]


def _promoted(rows: Rows) -> Rows:
    """The first row without nulls comes first: some engines take the types of columns from the first row."""
    for n, row in enumerate(rows):
        if all(value is not None for value in row.values()):
            return [row, *rows[1:n], rows[0], *rows[n + 1 :]] if n else rows
    return rows


def checksum(test: UnitTest) -> str:
    """dbt 1.11: build_unit_test_checksum, a digest over how its dataclasses are printed."""
    given = ", ".join(_shown("UnitTestInputFixture", each) for each in test.given)
    versions = _shown("UnitTestNodeVersions", test.versions) if test.versions else None
    overrides = _shown("UnitTestOverrides", test.overrides) if test.overrides else None
    expect = _shown("UnitTestOutputFixture", test.expect)
    text = f"{test.model}-{versions}-[{given}]-{expect}-{overrides}"
    text += "".join(f"-{each['rows']}" for each in test.given if each["fixture"])
    return hashlib.sha256(text.encode()).hexdigest()


def _shown(name: str, fields: Mapping[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={_value(key, value)}' for key, value in fields.items())})"


def _value(key: str, value: Any) -> str:
    return f"<UnitTestFormat.{FORMATS[value]}: {value!r}>" if key == "format" else repr(value)


def settle_unit_tests(parsing: Parsing) -> None:
    """Give each unit test its model, now that versions and names are known; one test for each version.

    A test of a disabled model is disabled. Raises ParseError (dbt 1.11: process_models_for_unit_test).
    """
    manifest = parsing.manifest
    versions: dict[tuple[str, str], list[Model]] = {}
    for node in manifest.nodes.values():
        if isinstance(node, Model) and node.version is not None:
            versions.setdefault((node.package_name, node.name), []).append(node)
    for unique_id, test in list(manifest.unit_tests.items()):
        parsing.cells.resume(parsing.cells.of(unique_id))
        model = _model(parsing, test)
        if model is None:
            del manifest.unit_tests[unique_id]
            test.config = {**test.config, "enabled": False}
            manifest.disabled.setdefault(unique_id, []).append(test)
            continue
        parsing.cells.touch(model.unique_id)
        test.depends_on, test.schema = DependsOn(nodes=[model.unique_id]), model.schema
        _check_incremental(parsing, test, model)
        chosen = _chosen(parsing, test, model, versions.get((model.package_name, model.name), []))
        if model.version is not None:
            _split(parsing, test, chosen)


def _model(parsing: Parsing, test: UnitTest) -> Model | None:
    """The model that a test is about; None when it is switched off."""
    name, *rest = test.model.split()
    version = rest[0] if len(rest) == 1 else None
    unique_id = parsing.find(name, test.package_name, version)
    node = parsing.manifest.nodes.get(unique_id or "")
    if isinstance(node, Model):
        return node
    disabled = parsing.find_disabled(name, test.package_name, "model") if node is None else []
    if disabled:
        parsing.cells.touch(disabled[0].unique_id)
        return None
    hint = (
        did_you_mean(name, (each for each in parsing.refable if parsing.refable[each]))
        if node is None
        else f"It is a {node.resource_type}"
    )
    message = f"There is no model '{test.model}' for the unit test '{test.name}'"
    raise ParseError(message, place=parsing.manifest.place(test.unique_id), hint=hint)


def _check_incremental(parsing: Parsing, test: UnitTest, model: Model) -> None:
    if "macro.dbt.is_incremental" not in model.depends_on.macros:
        return
    override = (test.overrides or {}).get("macros", {}).get("is_incremental")
    place = parsing.manifest.place(test.unique_id)
    if not isinstance(override, bool):
        hint = "Write overrides: {macros: {is_incremental: true}}, or false"
        message = f"The unit test '{test.name}' must say whether the model '{model.name}' is incremental"
        raise ParseError(message, place=place, hint=hint)
    if override and not any(each["input"].strip() == "this" for each in test.given):
        hint = "Add an input with `input: this`"
        message = f"The unit test '{test.name}' of an incremental run must give the rows of the model '{model.name}'"
        raise ParseError(message, place=place, hint=hint)


def _chosen(parsing: Parsing, test: UnitTest, model: Model, versions: list[Model]) -> list[Model]:
    """The versions that a test is for."""
    include, exclude = ((test.versions or {}).get(key) for key in ("include", "exclude"))
    place = parsing.manifest.place(test.unique_id)
    if model.version is None:
        if include or exclude:
            raise ParseError(f"The model '{model.name}' of the unit test '{test.name}' has no versions", place=place)
        return []
    chosen = [
        each for each in versions if (each.version in include if include else each.version not in (exclude or ()))
    ]
    if not chosen:
        hint = f"It has: {', '.join(str(each.version) for each in versions)}"
        raise ParseError(
            f"No version of '{model.name}' is left for the unit test '{test.name}'", place=place, hint=hint
        )
    return chosen


def _split(parsing: Parsing, test: UnitTest, versions: list[Model]) -> None:
    manifest = parsing.manifest
    del manifest.unit_tests[test.unique_id]
    for model in versions:
        unique_id = f"{test.unique_id}_v{model.version}"
        parsing.cells.touch(unique_id)
        parsing.cells.touch(model.unique_id)
        depends_on = DependsOn(nodes=[model.unique_id])
        manifest.unit_tests[unique_id] = replace(
            test, unique_id=unique_id, depends_on=depends_on, version=model.version
        )
