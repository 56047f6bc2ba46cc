{% macro margin(column) %}({{ column }} * {{ rate() }}){% endmacro %}
{% macro rate() %}0.1{% endmacro %}

{# DuckDB's functions are macros: dbt-duckdb has no text for them, so the project brings its own. #}
{% macro duckdb__scalar_function_sql(target_relation) %}
create or replace macro {{ target_relation.render() }} (
    {%- for argument in model.arguments %}{{ argument.name }}{{ ', ' if not loop.last }}{% endfor -%}
) as ({{ model.compiled_code }})
{% endmacro %}
