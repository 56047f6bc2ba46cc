{% macro cents(column, digits=2) %}cast({{ column }} * 100 as bigint){% endmacro %}

{#- a macro that calls a macro, which calls one by dispatch -#}
{% macro amount_columns(prefix) -%}
    {%- for name in ['amount', 'fee'] %}
    {{ cents(name) if name == 'amount' else zero() }} as {{ prefix }}_{{ name }}{{ "," if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{% macro zero() %}{{ return(adapter.dispatch('zero', 'everything')()) }}{% endmacro %}
{% macro default__zero() %}{{ return('cast(0 as integer)') }}{% endmacro %}
{% macro duckdb__zero() %}{{ return('cast(0 as bigint)') }}{% endmacro %}

{% macro wrap(open, close) -%}
    {{ open }}{{ caller() }}{{ close }}
{%- endmacro %}

{% macro in_list(values) -%}
    ({% for value in values %}'{{ value | replace("'", "''") }}'{% if not loop.last %}, {% endif %}{% endfor %})
{%- endmacro %}

{% macro unused_but_there() %}{% do log("never printed", info=true) %}{% endmacro %}
