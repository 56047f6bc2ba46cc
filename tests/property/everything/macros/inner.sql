{% macro inner(x) %}select '{{ x }}'{{ var('limit') }}{% endmacro %}
{% macro finish(env) %}select '{{ env }}'{% endmacro %}
