{% macro cents(c) %}round({{ c }} * 100){% endmacro %}
{% macro piece(x) %}{{ inner(x) }}{% endmacro %}
