"""The functions that engines spell differently: each runs, and comes to what dbt documents, on every engine."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from conformance.shop import Shop

TIME = "\"cast('2026-01-31 10:20:30' as timestamp)\""
DAY = "\"cast('2026-02-14' as date)\""
LATER = "\"cast('2026-03-02 09:00:00' as timestamp)\""

DATES = {
    f"dateadd('day', 1, {TIME})": datetime(2026, 2, 1, 10, 20, 30),
    f"dateadd('month', 1, {TIME})": datetime(2026, 2, 28, 10, 20, 30),
    f"dateadd('week', '-1', {TIME})": datetime(2026, 1, 24, 10, 20, 30),
    f"dateadd('quarter', 1, {TIME})": datetime(2026, 4, 30, 10, 20, 30),
    f"dateadd('hour', '1 + 1', {TIME})": datetime(2026, 1, 31, 12, 20, 30),
    f"datediff({TIME}, {LATER}, 'year')": 0,
    f"datediff({TIME}, {LATER}, 'quarter')": 0,
    f"datediff({TIME}, {LATER}, 'month')": 2,
    f"datediff({TIME}, {LATER}, 'week')": 5,
    f"datediff({TIME}, {LATER}, 'day')": 30,
    f"datediff({TIME}, {LATER}, 'hour')": 719,
    f"datediff({LATER}, {TIME}, 'day')": -30,
    f"cast(dbt.date_trunc('month', {TIME}), 'date')": date(2026, 1, 1),
    f"cast(dbt.date_trunc('year', {DAY}), 'date')": date(2026, 1, 1),
    f"last_day({DAY}, 'month')": date(2026, 2, 28),
    f"last_day({DAY}, 'quarter')": date(2026, 3, 31),
    f"last_day({DAY}, 'year')": date(2026, 12, 31),
    "date(2026, 2, 3)": date(2026, 2, 3),
    "snapshot_string_as_time('2026-01-31 10:20:30')": datetime(2026, 1, 31, 10, 20, 30),
    f"get_intervals_between({TIME}, {LATER}, 'day')": 30,
}
TEXTS = {
    "concat([\"'a'\", \"'b'\", \"'c'\"])": "abc",
    "hash(\"'a'\")": "0cc175b9c0f1b6a831c399e269772661",
    "hash('12')": "c20ad4d76fe97759aa27a0c99bff6710",
    "length(\"'abcd'\")": 4,
    "position(\"'c'\", \"'abcd'\")": 3,
    "replace(\"'abab'\", \"'a'\", \"'x'\")": "xbxb",
    "right(\"'abcd'\", 2)": "cd",
    "right(\"'abcd'\", 0)": "",
    "split_part(\"'a|b|c'\", \"'|'\", 1)": "a",
    "split_part(\"'a|b|c'\", \"'|'\", 3)": "c",
    "split_part(\"'a|b|c'\", \"'|'\", -1)": "c",
    "string_literal('plain')": "plain",
    'string_literal(dbt.escape_single_quotes("it\'s"))': "it's",
    "cast_bool_to_text('1 = 1')": "true",
    "cast_bool_to_text('1 = 2')": "false",
    "equals('1', '1')": True,
    "equals(\"'a'\", \"'b'\")": False,
    "string_literal(dbt.dates_in_range('20260227', '20260301', '%Y%m%d', '%Y-%m-%d') | join(' '))": "2026-02-27 2026-02-28 2026-03-01",
    "string_literal(dbt.partition_range('20260227,20260301') | join(' '))": "20260227 20260228 20260301",
    "string_literal(dbt.convert_datetime('20260227', '%Y%m%d').day)": "27",
    "get_true_sql()": True,
    "get_powers_of_two(100)": 7,
}
TYPES = {
    "cast(\"'5'\", dbt.type_int())": 5,
    "cast(\"'9000000000'\", dbt.type_bigint())": 9_000_000_000,
    "cast(\"'1.5'\", dbt.type_float())": 1.5,
    "cast(\"'1.5'\", dbt.type_numeric())": Decimal("1.5"),
    "cast('5', dbt.type_string())": "5",
    "cast(\"'true'\", dbt.type_boolean())": True,
    "cast(\"'2026-01-02 03:04:05'\", dbt.type_timestamp())": datetime(2026, 1, 2, 3, 4, 5),
    "safe_cast(\"'5'\", dbt.type_int())": 5,
}
ARRAYS = {
    "array_construct([1, 2])": [1, 2],
    "array_append(dbt.array_construct([1]), 2)": [1, 2],
    "array_concat(dbt.array_construct([1]), dbt.array_construct([2, 3]))": [1, 2, 3],
}
NUMBERS = "(select 3 as n union all select 1 union all select 2) as numbers"
AGGREGATES = {
    "listagg(dbt.cast('n', dbt.type_string()), \"'-'\", 'order by n')": "1-2-3",
    "bool_or('n > 2')": True,
    "bool_or('n > 3')": False,
    "any_value('1')": 1,
}


def check(shop: Shop, cases: dict[str, Any], source: str = "") -> None:
    """Build one model of all the calls, and compare its row."""
    columns = ",\n".join(f"{{{{ dbt.{call} }}}} as c{n}" for n, call in enumerate(cases))
    shop.models(found=f"{{{{ config(materialized='table') }}}} select\n{columns}\n{f'from {source}' if source else ''}")
    shop.ok("run")
    (row,) = shop.rows("found")
    found = {
        call: list(value) if isinstance(value, list | tuple) else value for call, value in zip(cases, row, strict=True)
    }
    wrong = {call: (value, cases[call]) for call, value in found.items() if _same(value) != _same(cases[call])}
    assert wrong == {}, "call: (found, expected)"


def _same(value: Any) -> Any:
    """Dates at midnight may be times."""
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)
        return value.date() if value == datetime(value.year, value.month, value.day) else value
    return value


class TestFunctions:
    """One row of answers for each kind."""

    @pytest.mark.parametrize("kind", ["dates", "texts", "types", "arrays", "aggregates"])
    def test_answers(self, shop: Shop, kind: str) -> None:
        cases = {"dates": DATES, "texts": TEXTS, "types": TYPES, "arrays": ARRAYS, "aggregates": AGGREGATES}[kind]
        check(shop, cases, NUMBERS if kind == "aggregates" else "")

    def test_a_spine_of_dates(self, shop: Shop) -> None:
        start, end = "cast('2026-02-27' as date)", "cast('2026-03-02' as date)"
        shop.models(spine=f'{{{{ dbt.date_spine(\'day\', "{start}", "{end}") }}}}')
        shop.ok("run")
        assert [_same(row[0]) for row in shop.rows("spine", "cast(date_day as date)")] == [
            date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1),
        ]  # fmt: skip

    def test_series_and_sets(self, shop: Shop) -> None:
        shop.models(
            series="{{ dbt.generate_series(5) }}",
            without="select 1 as n union all select 2 {{ dbt.except() }} select 2",
            both="select 1 as n {{ dbt.intersect() }} select 1",
        )
        shop.ok("run")
        assert [int(row[0]) for row in shop.rows("series")] == [1, 2, 3, 4, 5]
        assert (shop.rows("without"), shop.rows("both")) == ([(1,)], [(1,)])

    def test_the_present(self, shop: Shop) -> None:
        names = (
            "current_timestamp", "current_timestamp_backcompat", "current_timestamp_in_utc_backcompat", "snapshot_get_time",
        )  # fmt: skip
        columns = ", ".join(f"{{{{ dbt.{name}() }}}} as c{n}" for n, name in enumerate(names))
        shop.models(now=f"{{{{ config(materialized='table') }}}} select {columns}")
        shop.ok("run")
        assert all(isinstance(value, datetime) for value in shop.rows("now")[0])


class TestRelationsOfTemplates:
    """What macros are told of relations and columns."""

    def test_columns_have_the_engines_names(self, shop: Shop) -> None:
        shop.models(
            a="{{ config(materialized='table') }} select 1 as id, cast('x' as {{ dbt.type_string() }}) as name",
            b="""
            {{ config(materialized='table') }} -- depends_on: {{ ref('a') }}
            {% set columns = adapter.get_columns_in_relation(ref('a')) %}
            select {% for c in columns %}
              cast({{ c.quoted }} as {{ c.data_type }}) as {{ c.name }}{{ ',' if not loop.last }}
            {% endfor %} from {{ ref('a') }}
            """,
        )
        shop.ok("run")
        assert shop.rows("b") == [(1, "x")]
        assert shop.warehouse.columns("dev", "b") == ["id", "name"]

    def test_queries_give_tables(self, shop: Shop) -> None:
        shop.models(
            a="""
            {% set found = run_query("select 1 as n, 'x' as name union all select 2, 'y' order by 1") %}
            {% if execute %}
            select {{ found.columns[0].values() | sum }} as total, '{{ found.columns['name'].values() | join('') }}' as names,
              {{ found.rows | length }} as size, '{{ found.rows[1]['name'] }}' as last
            {% endif %}
            """
        )
        shop.ok("run")
        assert [(int(a), b, int(c), d) for a, b, c, d in shop.rows("a")] == [(3, "xy", 2, "y")]

    def test_statements_that_replace_a_relation(self, shop: Shop) -> None:
        shop.write(
            {
                "macros/swap.sql": """
                {% macro swap() %}
                  {% set mine = ref('a') %}
                  {% set old = load_relation(mine) %}
                  {% for text in (get_create_backup_sql(old) ~ ';' ~ get_drop_backup_sql(old)).split(';') %}
                    {% if text.strip() %}{% do run_query(text) %}{% endif %}
                  {% endfor %}
                {% endmacro %}
                """,
                "models/a.sql": "{{ config(materialized='table') }} select 1 as id",
            }
        )
        shop.ok("run")
        shop.ok("run-operation", "swap")
        assert shop.kinds() == {}
