"""Generic tests: names, hashes and config, with the ids that dbt 1.11 gave to the same entries."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.errors import YamlError
from understudy.parse.test_definitions import Definition, Target, define, synthesize

ORDERS = Target("orders", "ref('orders')")


def made(test: Any, column: str | None = None, target: Target = ORDERS, **options: Any) -> Definition:
    return define(test, target, column, lambda text: text, **options)


@pytest.mark.parametrize(
    ("test", "column", "target", "expected"),
    [
        ("unique", "id", Target("int_00025", "ref('int_00025')"), "unique_int_00025_id.b6949d34f2"),
        ("not_null", "a", Target("vers", "ref('vers', version='3')", version=3), "not_null_vers_v3_a.df44af4b73"),
        ({"custom": {"arg": 1}}, None, Target("off", "ref('off')"), "custom_off_1.8699a752d9"),
        (
            {"unique": {"column_name": "x"}},
            None,
            Target("src_t2", "source('src', 't2')", "source_"),
            "source_unique_src_t2_x.5f5e9c824a",
        ),
        (
            {"kitchen.tasty": {"column_name": "recipe", "arguments": {"than": 2}}},
            None,
            Target("menu", "ref('menu')"),
            "kitchen_tasty_menu_recipe__2",
        ),
    ],
)
def test_ids_are_dbts(test: Any, column: str | None, target: Target, expected: str) -> None:
    definition = made(test, column, target)
    assert f"{definition.name}.{definition.digest()}".startswith(expected)


def test_long_names_are_cut_where_they_name_files() -> None:
    args = {"column_name": "status", "values": ["x" * 50]}
    short, full = synthesize("accepted_values", "orders_of_customers", args)
    assert full == f"accepted_values_orders_of_customers_status__{'x' * 50}"
    assert short == f"accepted_values_orders_of_cust_{short[-32:]}"
    alias = made({"accepted_values": {"values": ["x" * 50]}}, "status").config["alias"]
    assert alias.startswith("accepted_values_orders_")


def test_exactly_63_letters_are_not_cut() -> None:
    for length, cut in ((63, False), (64, True)):
        name = "x" * (length - len("unique_orders_"))
        short, full = synthesize("unique", "orders", {"column_name": name})
        assert len(full) == length
        assert (short != full) is cut


def test_names_hold_letters_digits_and_underscores() -> None:
    args = {"b": {"k": "x-y"}, "a": ["é!", 1.5], "model": "left out"}
    assert synthesize("t", "m", args)[1] == "t_m____1_5__x_y"


def test_config_is_taken_out_of_the_arguments() -> None:
    test = {"unique": {"severity": "warn", "config": {"where": "x", "own": 1}, "name": "mine", "description": "d"}}
    definition = made(test, "id")
    assert definition.config == {"severity": "warn", "where": "x", "own": 1}
    assert definition.kwargs == {"column_name": "id", "model": "{{ get_where_subquery(ref('orders')) }}"}
    assert (definition.name, definition.short_name, definition.description) == ("mine", "mine", "d")
    assert definition.raw_code() == (
        '{{ test_unique(**_dbt_generic_test_kwargs) }}{{ config(severity="warn",where="x",own=1) }}'
    )


def test_arguments_may_stand_in_a_map_of_their_own() -> None:
    flat, nested = made({"t": {"a": 1}}), made({"t": {"arguments": {"a": 1}}})
    assert flat.kwargs == nested.kwargs
    assert flat.digest() == nested.digest()
    assert [name for name, _ in flat.deprecations] == ["MissingArgumentsPropertyInGenericTestDeprecation"]
    assert nested.deprecations == ()


def test_without_dbts_flag_arguments_is_an_argument() -> None:
    definition = made({"t": {"arguments": {"a": 1}}}, arguments_property=False)
    assert definition.kwargs["arguments"] == {"a": 1}


def test_the_flat_form_names_the_test_by_a_key() -> None:
    definition = made({"test_name": "unique", "name": "mine", "config": {"where": "1=1"}}, "id")
    assert (definition.test, definition.name, definition.config) == ("unique", "mine", {"where": "1=1"})


def test_entries_are_not_changed() -> None:
    test = {"unique": {"config": {"severity": "warn"}}}
    made(test, "id")
    assert test == {"unique": {"config": {"severity": "warn"}}}


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (5, "must be a name or a map"),
        ({"unique": None, "where": "x"}, "one key"),
        ({"unique": ["a"]}, "must be a map"),
        ({1: {}}, "must be text"),
        ({"unique": {"model": "x"}}, "must not have an argument 'model'"),
        ({"unique": {"where": "x", "config": {"where": "y"}}}, "both at the top and in its config"),
        ({"unique": {"config": "x"}}, "config of the test 'unique' must be a map"),
        ({"unique": {"name": 5}}, "name of the test"),
        ({"unique": {"description": 5}}, "description of the test"),
        ("-", "no name of a test"),
    ],
)
def test_entries_that_cannot_be_understood(test: Any, words: str) -> None:
    with pytest.raises(YamlError, match=words):
        made(test)


def test_tags_must_be_texts() -> None:
    assert made({"unique": {"config": {"tags": "a"}}}).tags == ["a"]
    with pytest.raises(YamlError, match="tags"):
        made({"unique": {"config": {"tags": [1]}}}).tags  # noqa: B018
