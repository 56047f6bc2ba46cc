"""What macros say that make, move and drop relations does so on every engine, called by a project as packages call them."""

from __future__ import annotations

import pytest
from conformance.shop import Shop

MODELS = {
    "t": "{{ config(materialized='table') }} select 1 as id, 'x' as name",
    "v": "{{ config(materialized='view') }} select 1 as id",
}
RUN = """
{% macro run_all(text) %}
  {% for each in (text or '').split(';') %}{% if each.strip() %}{% do run_query(each) %}{% endif %}{% endfor %}
{% endmacro %}
{% macro existing(name) %}{{ return(load_relation(ref(name))) }}{% endmacro %}
{% macro beside(name) %}{{ return(make_intermediate_relation(existing(name))) }}{% endmacro %}
"""
STEPS = {
    "rename a table": ("run_all(get_rename_table_sql(existing('t'), 't2'))", {"t2": "table", "v": "view"}),
    "rename a view": ("run_all(get_rename_view_sql(existing('v'), 'v2'))", {"t": "table", "v2": "view"}),
    "rename any": ("run_all(get_rename_sql(existing('v'), 'v2'))", {"t": "table", "v2": "view"}),
    "drop a table": ("run_all(drop_table(existing('t')))", {"v": "view"}),
    "drop a view": ("run_all(drop_view(existing('v')))", {"t": "table"}),
    "drop any": ("run_all(get_drop_sql(existing('t')))", {"v": "view"}),
    "drop if it is there": ("drop_relation_if_exists(existing('t'))", {"v": "view"}),
    "drop the schema": ("drop_schema_named(target.schema)", {}),
    "replace a table": (
        "run_all(get_replace_sql(existing('t'), existing('t'), 'select 2 as id'))", {"t": "table", "v": "view"},
    ),
    "replace a view": (
        "run_all(get_replace_sql(existing('v'), existing('v'), 'select 2 as id'))", {"t": "table", "v": "view"},
    ),
    "make it beside and move it": (
        "run_all(get_create_intermediate_sql(existing('v'), 'select 2 as id')) %}"
        "{% do run_all(get_drop_sql(existing('v'))) %}{% do run_all(get_rename_intermediate_sql(existing('v')))",
        {"t": "table", "v": "view"},
    ),
}  # fmt: skip


class TestRelations:
    """One statement after another, by what is there afterwards."""

    @pytest.mark.parametrize("what", STEPS)
    def test_what_is_there_afterwards(self, shop: Shop, what: str) -> None:
        call, expected = STEPS[what]
        shop.write({"macros/run.sql": RUN, "macros/step.sql": f"{{% macro step() %}}{{% do {call} %}}{{% endmacro %}}"})
        shop.models(**MODELS)
        shop.ok("run")
        shop.ok("run-operation", "step")
        assert shop.kinds() == expected
        if "replace" in what or "beside" in what:
            assert shop.rows("t" if "table" in what else "v") == [(2,)]

    @pytest.mark.never(
        "spark", raises=AssertionError, reason="Spark changes no column's type in a table of Parquet files"
    )
    def test_a_column_gets_another_type(self, shop: Shop) -> None:
        step = "{% do alter_column_type(existing('t'), 'id', dbt.type_bigint()) %}"
        shop.write({"macros/run.sql": RUN, "macros/step.sql": f"{{% macro step() %}}{step}{{% endmacro %}}"})
        shop.models(**MODELS)
        shop.ok("run", "-s", "t")
        shop.ok("run-operation", "step")
        assert shop.rows("t", "id, name") == [(1, "x")]
        shop.models(
            kinds="""
            {% set columns = adapter.get_columns_in_relation(ref('t')) %}
            select '{{ columns | map(attribute='name') | sort | join(' ') }}' as names,
              {% set found = columns | selectattr('name', 'equalto', 'id') | map(attribute='dtype') | first %}
              {{ found | lower in ('bigint', 'long') }} as big
            """
        )
        shop.ok("run", "-s", "kinds")
        assert shop.rows("kinds") == [("id name", True)]

    @pytest.mark.never("spark", raises=AssertionError, reason="EXPLAIN of Spark puts its complaint into the plan")
    def test_a_statement_is_checked(self, shop: Shop) -> None:
        step = "{% do validate_sql(\"select 'x' as name\") %}"
        shop.write({"macros/step.sql": f"{{% macro step() %}}{step}{{% endmacro %}}"})
        shop.ok("run-operation", "step")
        shop.write(
            {"macros/step.sql": "{% macro step() %}{% do validate_sql('select nothing from nowhere') %}{% endmacro %}"}
        )
        shop.fails("run-operation", "step")
