{# Found by name: in nodes of the root, and in the packages' own macros where they have none of that name. #}
{% macro shared_name() %}root{% endmacro %}
{% macro only_root() %}only root has it{% endmacro %}
{# Found by dispatch: before the packages. #}
{% macro default__portion(x) %}{{ return('root(' ~ sauces.default__portion(x) ~ ')') }}{% endmacro %}
{% macro duckdb__string_literal(value) %}'root: {{ value }}'{% endmacro %}
{# The names of the root's nodes. #}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- if custom_alias_name %}{{ custom_alias_name | trim }}{% elif node.package_name == 'sauces' %}sauce_{{ node.name }}{% else %}{{ node.name }}{% endif -%}
{%- endmacro %}
{% test not_null(model, column_name) %}
    {# in place of dbt's, for all of the project #}
    select {{ column_name }} from {{ model }} where {{ column_name }} is null and '{{ shared_name() }}' = 'root'
{% endtest %}
