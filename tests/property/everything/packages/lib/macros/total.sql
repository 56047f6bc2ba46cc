{% macro total(c) %}{{ return(adapter.dispatch('total', 'lib')(c)) }}{% endmacro %}
{% macro default__total(c) %}sum({{ c }}){% endmacro %}
