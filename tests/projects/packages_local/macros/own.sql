{#- kitchen.garnish() looks here first -#}
{% macro default__garnish(what) %}{{ return("'" ~ what ~ " with parsley, as the tavern has it'") }}{% endmacro %}

{#- stands before dbt's own, by the search order -#}
{% macro default__length(expression) %}
    (length({{ expression }}) + 0)
{% endmacro %}

{#- a macro of the same name as one of the kitchen's: here it wins, in the kitchen it does not -#}
{% macro label(what) %}'tavern {{ what }}'{% endmacro %}

{#- instead of the test that comes with the engine -#}
{% test not_null(model, column_name) %}
    select {{ column_name }} as missing from {{ model }} where {{ column_name }} is null -- the tavern's
{% endtest %}
