{% macro shared_name() %}larder{% endmacro %}
{% macro portion(x) %}{{ return(adapter.dispatch('portion', 'larder')(x)) }}{% endmacro %}
{% macro default__portion(x) %}{{ return('larder(' ~ x ~ ')') }}{% endmacro %}
{% macro seen_vars() %}{{ var('season') }} {{ var('shelf_life', 'none') }} {{ var('only_here', []) }} {{ shared_name() }} {{ only_root() }}{% endmacro %}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- larder's own nodes, and no others -#}
    {{ target.schema }}_larder{{ '_' ~ custom_schema_name if custom_schema_name }}
{%- endmacro %}
{% test fresh(model, column_name) %}
    select * from {{ model }} where {{ column_name }} > {{ var('shelf_life', 100) }} -- {{ larder.portion(column_name) }}
{% endtest %}
{% test unique(model, column_name) %}
    {# larder's own nodes only #}
    select {{ column_name }} from {{ model }} group by 1 having count(*) > 1 -- larder's
{% endtest %}
