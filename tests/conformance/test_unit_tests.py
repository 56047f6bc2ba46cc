"""Unit tests: the model's query on rows of the test's own, with the types of the real relations."""

from __future__ import annotations

import pytest
from conformance.shop import Shop
from support import cli

ORDERS = "select 1 as id, cast(5 as decimal(10, 2)) as amount, cast('2024-01-01' as date) as day"
BIG = "select id, amount from {{ ref('orders') }} where amount > {{ var('floor', 3) }}"


def unit_test(shop: Shop, entry: str, *, model: str = "big", name: str = "u") -> Shop:
    """Write one unit test."""
    return shop.write({"models/u.yml": f"unit_tests: [{{name: {name}, model: {model}, {entry}}}]"})


def verdict(shop: Shop, *args: str) -> tuple[str, str]:
    """Status and message of the unit test; what it reads is there."""
    shop.run(*(args or ("build",)))
    (result,) = (each for unique_id, each in cli.results(shop.root).items() if unique_id.startswith("unit_test."))
    return result["status"], result["message"] or ""


ROWS = "rows: [{id: 1, amount: 2}, {id: 2, amount: 7.5}, {id: 3, amount: null}]"


class TestRows:
    """Rows as maps, as CSV, as SQL; a difference is shown."""

    @pytest.mark.parametrize(
        ("given", "expect"),
        [
            (ROWS, "rows: [{id: 2, amount: 7.50}]"),
            (ROWS, 'format: csv, rows: "id\\n2\\n"'),
            ('format: csv, rows: "id,amount\\n1,\\n2,7.5\\n"', "rows: [{amount: 7.5, id: 2}]"),
            ("format: sql, rows: 'select 2 as id, 9 as amount'", "format: sql, rows: 'select 2 as id, 9 as amount'"),
            ("rows: []", "rows: []"),
        ],
    )
    def test_they_agree(self, shop: Shop, given: str, expect: str) -> None:
        shop.models(orders=ORDERS, big=BIG)
        unit_test(shop, f"given: [{{input: ref('orders'), {given}}}], expect: {{{expect}}}")
        assert verdict(shop) == ("pass", "")

    def test_they_differ(self, shop: Shop) -> None:
        shop.models(orders=ORDERS, big=BIG, after="select * from {{ ref('big') }}")
        expect = "rows: [{id: 2, amount: 8}, {id: 9, amount: 9}]"
        unit_test(shop, f"given: [{{input: ref('orders'), {ROWS}}}], expect: {{{expect}}}")
        status, message = verdict(shop)
        lines = [line.rstrip() for line in message.strip().splitlines()]
        assert status == "fail"
        assert lines[0] == "actual differs from expected:"
        assert lines[2:] == ["@@  | id | amount", "→   | 2  | 8→7.5", "--- | 9  | 9"]
        skipped = {unique_id for unique_id, each in cli.results(shop.root).items() if each["status"] == "skipped"}
        assert skipped == {"model.shop.big", "model.shop.after"}

    def test_text_with_quotes_and_nulls(self, shop: Shop) -> None:
        shop.models(names="select 'x' as name", upper="select upper(name) as name from {{ ref('names') }}")
        entry = "given: [{input: ref('names'), rows: [{name: \"it's\"}, {name: null}]}], expect: {rows: [{name: null}, {name: \"IT'S\"}]}"
        unit_test(shop, entry, model="upper")
        assert verdict(shop) == ("pass", "")


class TestReplaced:
    """Variables, environment and macros that a unit test replaces; its own relation."""

    def test_a_variable(self, shop: Shop) -> None:
        shop.models(orders=ORDERS, big=BIG)
        entry = f"overrides: {{vars: {{floor: 100}}}}, given: [{{input: ref('orders'), {ROWS}}}], expect: {{rows: []}}"
        unit_test(shop, entry)
        assert verdict(shop) == ("pass", "")
        assert cli.results(shop.root)["model.shop.big"]["status"] == "success"

    def test_an_environment_variable(self, shop: Shop) -> None:
        shop.models(orders=ORDERS, big="select {{ env_var('NO_SUCH_THING', '1') }} as n from {{ ref('orders') }}")
        given = "given: [{input: ref('orders'), rows: [{id: 1}]}]"
        unit_test(shop, f"overrides: {{env_vars: {{NO_SUCH_THING: '7'}}}}, {given}, expect: {{rows: [{{n: 7}}]}}")
        assert verdict(shop) == ("pass", "")

    @pytest.mark.parametrize("name", ["shop.bounds", "shop.default__bounds"])
    def test_a_macro_that_gives_a_map(self, shop: Shop, name: str) -> None:
        macros = "{% macro bounds(x) %}{{ return(adapter.dispatch('bounds', 'shop')(x)) }}{% endmacro %}"
        shop.write({"macros/m.sql": macros + "{% macro default__bounds(x) %}{{ return({'low': x}) }}{% endmacro %}"})
        shop.models(orders=ORDERS, big="select {{ shop.bounds(1)['low'] }} as n from {{ ref('orders') }}")
        given = "given: [{input: ref('orders'), rows: [{id: 3}]}]"
        unit_test(shop, f"overrides: {{macros: {{{name}: {{low: 7}}}}}}, {given}, expect: {{rows: [{{n: 7}}]}}")
        assert verdict(shop) == ("pass", "")

    @pytest.mark.parametrize("name", ["string_literal", "dbt.string_literal"])
    def test_a_macro_of_dbt(self, shop: Shop, name: str) -> None:
        sql = "select {{ dbt.string_literal('a') }} as x, {{ string_literal('a') }} as y from {{ ref('orders') }}"
        shop.models(orders=ORDERS, big=sql)
        given = "given: [{input: ref('orders'), rows: [{id: 3}]}]"
        entry = (
            f"overrides: {{macros: {{{name}: \"'b'\", no_such.macro: 1}}}}, {given}, expect: {{rows: [{{x: b, y: b}}]}}"
        )
        unit_test(shop, entry)
        assert verdict(shop) == ("pass", "")

    @pytest.mark.parametrize("name", ["factor", "shop.factor"])
    def test_a_macro_that_another_macro_calls(self, shop: Shop, name: str) -> None:
        macros = "{% macro times(x) %}{{ x }} * {{ shop.factor() }}{% endmacro %}{% macro factor() %}2{% endmacro %}"
        if name == "factor":
            macros = macros.replace("shop.factor()", "factor()")
        shop.write({"macros/m.sql": macros})
        shop.models(orders=ORDERS, big="select {{ times('id') }} as n from {{ ref('orders') }}")
        given = "given: [{input: ref('orders'), rows: [{id: 3}]}]"
        unit_test(shop, f"overrides: {{macros: {{{name}: 10}}}}, {given}, expect: {{rows: [{{n: 30}}]}}")
        assert verdict(shop) == ("pass", "")

    @pytest.mark.parametrize(("again", "expected"), [("false", "[{id: 1}, {id: 2}]"), ("true", "[{id: 2}]")])
    def test_an_incremental_model(self, shop: Shop, again: str, expected: str) -> None:
        sql = (
            "{{ config(materialized='incremental') }} select id from {{ ref('orders') }}"
            "{% if is_incremental() %} where id > (select max(id) from {{ this }}){% endif %}"
        )
        shop.models(orders=ORDERS, big=sql)
        shop.run("run")
        inputs = "[{input: ref('orders'), rows: [{id: 1}, {id: 2}]}, {input: this, rows: [{id: 1}]}]"
        override = f"overrides: {{macros: {{is_incremental: {again}}}}}"
        unit_test(shop, f"{override}, given: {inputs}, expect: {{rows: {expected}}}")
        assert verdict(shop) == ("pass", "")


class TestInputs:
    """What a model reads must be given, and its types must be known."""

    def test_a_source(self, shop: Shop) -> None:
        shop.models(orders=ORDERS, big="select id from {{ source('raw', 'orders') }}")
        shop.write({"models/s.yml": 'sources: [{name: raw, schema: "{{ target.schema }}", tables: [{name: orders}]}]'})
        shop.run("run", "-s", "orders")
        unit_test(shop, "given: [{input: \"source('raw', 'orders')\", rows: [{id: 4}]}], expect: {rows: [{id: 4}]}")
        assert verdict(shop, "test") == ("pass", "")

    def test_an_ephemeral_model_needs_sql(self, shop: Shop) -> None:
        shop.models(
            orders="{{ config(materialized='ephemeral') }} select 1 as id", big="select id from {{ ref('orders') }}"
        )
        unit_test(shop, "given: [{input: ref('orders'), rows: [{id: 4}]}], expect: {rows: [{id: 4}]}")
        status, message = verdict(shop, "test")
        assert status == "error"
        assert "Give its rows as SQL" in message
        unit_test(shop, "given: [{input: ref('orders'), format: sql, rows: select 4 as id}], expect: {rows: [{id: 4}]}")
        assert verdict(shop, "test") == ("pass", "")

    def test_an_input_that_is_not_built(self, shop: Shop) -> None:
        shop.models(orders=ORDERS, big=BIG)
        unit_test(shop, f"given: [{{input: ref('orders'), {ROWS}}}], expect: {{rows: []}}")
        status, message = verdict(shop, "test")
        assert status == "error"
        assert "the relation doesn't exist" in message

    def test_a_reference_without_rows(self, shop: Shop) -> None:
        shop.models(orders=ORDERS, big=BIG)
        unit_test(shop, "given: [], expect: {rows: []}")
        status, message = verdict(shop)
        assert status == "error"
        assert "gives no rows for ref('orders')" in message

    @pytest.mark.parametrize(
        ("given", "expect", "words"),
        [
            ("rows: [{idd: 1}]", "rows: []", "Invalid column name: 'idd' in unit test fixture for 'orders'"),
            ("rows: []", "rows: [{idd: 1}]", "Invalid column name: 'idd' in unit test fixture for expected output"),
        ],
    )
    def test_a_column_that_there_is_not(self, shop: Shop, given: str, expect: str, words: str) -> None:
        shop.models(orders=ORDERS, big=BIG)
        unit_test(shop, f"given: [{{input: ref('orders'), {given}}}], expect: {{{expect}}}")
        status, message = verdict(shop)
        assert status == "error"
        assert words in message

    def test_types_come_from_the_state(self, shop: Shop) -> None:
        shop.models(orders=ORDERS, big=BIG)
        shop.run("run", "--target", "prod")
        (shop.root / "target").rename(shop.root / "state")
        unit_test(shop, f"given: [{{input: ref('orders'), {ROWS}}}], expect: {{rows: [{{id: 2, amount: 7.5}}]}}")
        deferred = ("--defer", "--state", "state")
        assert verdict(shop, "test", *deferred) == ("pass", "")
        assert verdict(shop, "build", "-s", "big", *deferred) == ("pass", "")
