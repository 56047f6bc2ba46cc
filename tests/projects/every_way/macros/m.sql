{% macro found(r) %}{{ adapter.get_relation(r.database, r.schema, r.identifier) if execute else r }}{% endmacro %}
{% macro hook_macro() %}select 'w_hook_macro' as way, count(*) as n from {{ ref('up') }}{% endmacro %}
{% macro star(r) %}{% set c = [] %}{% if execute %}{% for each in adapter.get_columns_in_relation(r) %}
{% do c.append(each.name) %}{% endfor %}{% endif %}{{ c | join(', ') or '1 as one' }}{% endmacro %}
{% macro values_of(r, column) %}{% if execute %}{% set q %}select 'w_column_values' as way, {{ column }} from {{ r }} group by 1, 2{% endset %}
{{ return(range(run_query(q).rows | length) | list) }}{% endif %}{{ return([0]) }}{% endmacro %}
{% macro operation() %}{% do run_query("select 'w_operation' as way, count(*) as n from " ~ ref('up')) %}
{% do run_query("select 'w_operation_by_name' as way, count(*) as n from " ~ ref('u' ~ 'p')) %}{% endmacro %}
