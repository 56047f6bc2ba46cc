{% macro mac(x, y=2) %}{{ helper(x) }}{% endmacro %}
{% macro helper(x) %}{{ return(x) }}{% endmacro %}
