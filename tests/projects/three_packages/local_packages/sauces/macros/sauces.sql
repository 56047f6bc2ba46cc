{% macro shared_name() %}sauces{% endmacro %}
{% macro default__portion(x) %}{{ return('sauces(' ~ larder.default__portion(x) ~ ')') }}{% endmacro %}
{% macro portion_of_sauce(x) %}{{ return(larder.portion(x) ~ ' ' ~ shared_name()) }}{% endmacro %}
{% macro seen_vars() %}{{ var('heat') }} {{ var('season') }}{% endmacro %}
{% test has_rows(model, at_least) %}select count(*) as n from {{ model }} having count(*) < {{ at_least }} -- sauces'{% endtest %}
