{% macro default__total(c) %}sum({{ c }}) {# ours #}{% endmacro %}
