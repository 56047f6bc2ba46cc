{% macro heat() %}'{{ var('hot', 'not known here') }}'{% endmacro %}

{#- stands before dbt's own, by the root project's search order -#}
{% macro default__concat(fields) -%}
    concat_ws('', {{ fields | join(', ') }})
{%- endmacro %}

{#- after the tavern's in the search order -#}
{% macro default__garnish(what) %}{{ return("'never seen'") }}{% endmacro %}
