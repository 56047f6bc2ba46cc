{% macro noted() %}{% do run_query('select 1') %}{{ current_timestamp() }}{% endmacro %}

{# DuckDB's functions are macros: dbt-duckdb has no text for them. #}
{% macro duckdb__scalar_function_create_replace_signature_sql(target_relation) %}create or replace macro {{ target_relation.render() }} ({{ formatted_scalar_function_args_sql() }}) as {{ scalar_function_volatility_sql() }}{% endmacro %}
{% macro duckdb__scalar_function_body_sql() %}({{ model.compiled_code }}){% endmacro %}
{% macro duckdb__scalar_function_volatility_sql() %}{% endmacro %}
{% macro duckdb__formatted_scalar_function_args_sql() %}{% for arg in model.arguments %}{{ arg.name }}{% endfor %}{% endmacro %}
