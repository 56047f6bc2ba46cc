{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if node.package_name != project_name and custom_schema_name -%}
        {{ target.schema }}_of_{{ node.package_name }}
    {%- else -%}
        {{ default__generate_schema_name(custom_schema_name, node) }}
    {%- endif -%}
{%- endmacro %}
