"""Unit tests of a properties file: rows in every form, fixtures, versions, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from support.projects import package, parse, settings

from understudy.core.nodes import UnitTest
from understudy.errors import DuplicateError, ParseError, YamlError

MODEL = {"models/m.sql": "select * from {{ ref('s') }}", "seeds/s.csv": "a,b\n1,\n2,x\n"}
GIVEN = "given: [{input: ref('s'), rows: []}], expect: {rows: []}"


def unit_tests(yml: str, files: dict[str, str] | None = None, *packages: Any) -> dict[str, UnitTest]:
    everything = {**MODEL, **(files or {}), "models/u.yml": yml}
    return parse(everything, settings(*packages)).manifest.unit_tests


def one(entry: str, files: dict[str, str] | None = None) -> UnitTest:
    (found,) = unit_tests(f"unit_tests: [{{name: u, model: m, {entry}}}]", files).values()
    return found


def test_a_unit_test_has_its_ids_config_and_model() -> None:
    tree = {"unit_tests": {"shop": {"+tags": ["all"], "+meta": {"a": 1}}}}
    (test,) = unit_tests(
        f"unit_tests: [{{name: u, model: m, config: {{tags: one, meta: {{b: 2}}}}, {GIVEN}}}]",
        {},
        package(configs=tree),
    ).values()
    assert test.unique_id == "unit_test.shop.m.u"
    assert test.fqn == ["shop", "m", "u"]
    assert test.depends_on.nodes == ["model.shop.m"]
    assert test.schema == "dev"
    assert test.config == {"tags": ["all", "one"], "meta": {"a": 1, "b": 2}, "enabled": True, "static_analysis": None}


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        ("rows: [{a: 1, b: null}, {a: 2, b: x}]", [{"a": 2, "b": "x"}, {"a": 1, "b": None}]),
        ("rows: [{a: 2024-05-05}, {a: 2024-05-05 10:00:00}]", [{"a": "2024-05-05"}, {"a": "2024-05-05T10:00:00"}]),
        ('format: csv, rows: "a,b\\n1,\\n2,x\\n"', [{"a": "2", "b": "x"}, {"a": "1", "b": None}]),
        ("format: csv, fixture: f", [{"a": "7"}]),
        ("format: sql, rows: select 1 as a", "select 1 as a"),
        ("format: sql, fixture: q", "select 7 as a"),
    ],
)
def test_rows_in_every_form(given: str, rows: Any) -> None:
    """The first row without nulls comes first (dbt 1.11: _promote_first_non_none_row)."""
    files = {"tests/fixtures/f.csv": "a\n7\n", "tests/fixtures/q.sql": "select 7 as a"}
    test = one(f"given: [{{input: ref('s'), {given}}}], expect: {{rows: []}}", files)
    assert test.given[0]["rows"] == rows


def test_an_input_without_rows_takes_the_seeds() -> None:
    test = one("given: [{input: ref('s')}], expect: {rows: []}")
    assert test.given[0]["rows"] == [{"a": "1", "b": ""}, {"a": "2", "b": "x"}]


def test_the_checksum_is_dbts() -> None:
    """dbt 1.11 gave this digest for the same entry."""
    test = one("given: [{input: ref('raw_orders'), rows: []}], expect: {rows: []}")
    test.model = "stg_orders"
    from understudy.parse.unit_tests import checksum

    assert checksum(test) == "a0c96f041edce81ce8fbe270484a9dba45fd293a83b32795eb6b200784135bd3"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("given: [{input: seed('s'), rows: []}], expect: {rows: []}", "names nothing that a model reads"),
        ("given: [{input: ref('s'), format: xml, rows: []}], expect: {rows: []}", "cannot be 'xml'"),
        ("given: [{input: ref('s'), rows: text}], expect: {rows: []}", "must be a list of maps"),
        ("given: [{input: ref('s'), format: csv, rows: []}], expect: {rows: []}", "must be text"),
        ("given: [{input: ref('s'), format: csv, fixture: none}], expect: {rows: []}", "no file for the fixture"),
        ("given: [{input: ref('s'), format: csv, rows: \"a\\n1,2\"}], expect: {rows: []}", "more cells"),
        ("given: [{input: ref('m')}], expect: {rows: []}", "has no rows"),
        (f"{GIVEN}, overrides: {{macro: {{a: 1}}}}", "none of macros"),
        (f"{GIVEN}, versions: {{include: [1], exclude: [2]}}", "not both"),
        ("given: [], expect: {}", "must be a list of maps"),
    ],
)
def test_what_is_no_unit_test_is_told_with_its_line(entry: str, message: str) -> None:
    with pytest.raises(YamlError, match=message) as caught:
        one(entry)
    assert caught.value.place is not None
    assert caught.value.place.path == "models/u.yml"


def test_two_unit_tests_of_one_name() -> None:
    entry = f"{{name: u, model: m, {GIVEN}}}"
    with pytest.raises(DuplicateError):
        unit_tests(f"unit_tests: [{entry}, {entry}]")


def test_a_unit_test_of_no_model() -> None:
    with pytest.raises(ParseError, match="There is no model 'mm'") as caught:
        unit_tests(f"unit_tests: [{{name: u, model: mm, {GIVEN}}}]")
    assert caught.value.hint == "Did you mean 'm'?"


def test_a_unit_test_of_a_disabled_model_is_disabled() -> None:
    yml = f"models: [{{name: m, config: {{enabled: false}}}}]\nunit_tests: [{{name: u, model: m, {GIVEN}}}]"
    manifest = parse({**MODEL, "models/u.yml": yml}).manifest
    assert manifest.unit_tests == {}
    assert manifest.disabled["unit_test.shop.m.u"][0].config["enabled"] is False


VERSIONED = {"models/w_v1.sql": "select 1", "models/w_v2.sql": "select 2"}


@pytest.mark.parametrize(
    ("versions", "expected"),
    [("", [1, 2]), (", versions: {include: [2]}", [2]), (", versions: {exclude: [2]}", [1])],
)
def test_one_test_for_each_version(versions: str, expected: list[int]) -> None:
    yml = (
        f"models: [{{name: w, versions: [{{v: 1}}, {{v: 2}}]}}]\nunit_tests: [{{name: u, model: w, {GIVEN}{versions}}}]"
    )
    found = unit_tests(yml, VERSIONED)
    assert list(found) == [f"unit_test.shop.w.u_v{v}" for v in expected]
    assert [test.depends_on.nodes for test in found.values()] == [[f"model.shop.w.v{v}"] for v in expected]
    assert [test.versioned_name for test in found.values()] == [f"u_v{v}" for v in expected]


def test_versions_of_a_model_without() -> None:
    with pytest.raises(ParseError, match="has no versions"):
        unit_tests(f"unit_tests: [{{name: u, model: m, {GIVEN}, versions: {{include: [1]}}}}]")


def test_no_version_is_left() -> None:
    yml = f"models: [{{name: w, versions: [{{v: 1}}]}}]\nunit_tests: [{{name: u, model: w, {GIVEN}, versions: {{include: [3]}}}}]"
    with pytest.raises(ParseError, match="No version"):
        unit_tests(yml, {"models/w_v1.sql": "select 1"})


INCREMENTAL = {"models/i.sql": "select 1 {% if is_incremental() %} from {{ this }} {% endif %}"}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("given: [], expect: {rows: []}", "must say whether"),
        (
            "given: [], expect: {rows: []}, overrides: {macros: {is_incremental: true}}",
            "must give the rows of the model",
        ),
    ],
)
def test_an_incremental_model_needs_to_be_told(entry: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        unit_tests(f"unit_tests: [{{name: u, model: i, {entry}}}]", INCREMENTAL)


def test_an_incremental_model_that_is_told() -> None:
    entry = "given: [{input: this, rows: []}], expect: {rows: []}, overrides: {macros: {is_incremental: true}}"
    assert unit_tests(f"unit_tests: [{{name: u, model: i, {entry}}}]", INCREMENTAL)
