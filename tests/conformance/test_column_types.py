"""Column types: what templates are told of a relation's columns, and what survives being built."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from conformance.shop import Shop

TYPED = """
{{ config(materialized='%s') }}
select
    cast('a' as {{ dbt.type_string() }}) as words,
    cast(7 as {{ dbt.type_int() }}) as small,
    cast(7000000000 as {{ dbt.type_bigint() }}) as big,
    cast(1.5 as {{ dbt.type_float() }}) as ratio,
    cast(12.34 as decimal(10, 2)) as price,
    cast(true as {{ dbt.type_boolean() }}) as yes,
    cast('2024-02-29' as date) as day,
    cast('2024-02-29 01:02:03' as {{ dbt.type_timestamp() }}) as moment
"""
DESCRIBED = """
{% set told = [] %}
{% for c in adapter.get_columns_in_relation(ref('a')) %}
  {% do told.append(c.name ~ ' ' ~ (c.dtype | lower) ~ ' ' ~ c.is_number()) %}
{% endfor %}
select '{{ told | join(', ') }}' as told
"""

TOLD = {
    "duckdb": [
        "words varchar False", "small integer True", "big bigint True", "ratio float True", "price decimal(10,2) False",
        "yes boolean False", "day date False", "moment timestamp False",
    ],
    "postgres": [
        "words text False", "small integer True", "big bigint True", "ratio double precision True", "price numeric True",
        "yes boolean False", "day date False", "moment timestamp without time zone False",
    ],
    "spark": [
        "words string False", "small int False", "big bigint True", "ratio float True", "price decimal(10,2) False",
        "yes boolean False", "day date False", "moment timestamp False",
    ],
}  # fmt: skip
"""Name, type in the engine's words, and whether dbt's Column calls it a number (which knows some words only)."""


class TestColumnTypes:
    """One column of each kind."""

    @pytest.mark.parametrize("kind", ["view", "table"])
    def test_templates_are_told(self, shop: Shop, kind: str) -> None:
        shop.models(a=TYPED % kind, b=DESCRIBED).ok("run")
        ((told,),) = shop.rows("b")
        assert told.split(", ") == TOLD[shop.warehouse.target("dev")["type"]]

    @pytest.mark.parametrize("kind", ["view", "table", "incremental"])
    def test_values_come_back(self, shop: Shop, kind: str) -> None:
        shop.models(a=TYPED % kind).ok("run")
        (row,) = shop.rows("a")
        moment = datetime.datetime(2024, 2, 29, 1, 2, 3)
        assert row == ("a", 7, 7_000_000_000, 1.5, Decimal("12.34"), True, datetime.date(2024, 2, 29), moment)

    def test_a_new_column_keeps_its_type(self, shop: Shop) -> None:
        config = "{{ config(materialized='incremental', on_schema_change='append_new_columns') }}"
        shop.models(a=f"{config} select 1 as id").ok("run")
        typed = f"{config} select 2 as id, cast(12.34 as decimal(10, 2)) as price, cast('2024-02-29' as date) as day"
        shop.models(a=typed).ok("run")
        assert shop.rows("a", "price, day") == [(Decimal("12.34"), datetime.date(2024, 2, 29)), (None, None)]

    def test_one_that_becomes_wider(self, shop: Shop) -> None:
        config = "{{ config(materialized='incremental') }}"
        shop.models(a=f"{config} select cast('ab' as varchar(2)) as name").ok("run")
        shop.models(a=f"{config} select cast('abcdef' as varchar(6)) as name").ok("run")
        assert shop.rows("a") == [("ab",), ("abcdef",)]
