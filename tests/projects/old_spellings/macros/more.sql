{% set outside = 1 %}
{% macro get_incremental_microbatch_sql(arg_dict) %}{{ return(adapter.dispatch('get_incremental_append_sql', 'dbt')(arg_dict)) }}{% endmacro %}
{% if true %}{% do log('never') %}{% endif %}
{% test dict_like(model, level) %}select 1 from {{ model }} where {{ level }} = 2{% endtest %}
