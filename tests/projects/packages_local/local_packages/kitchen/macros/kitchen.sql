{% macro portion(expression) -%}
    ({{ expression }} / {{ var('portion', 2) }} + {{ kitchen._pinch() }})
{%- endmacro %}

{% macro _pinch() -%}{{ var('salt', 0) }}{%- endmacro %}

{% macro garnish(what) %}{{ return(adapter.dispatch('garnish', 'kitchen')(what)) }}{% endmacro %}
{% macro default__garnish(what) %}{{ return("'" ~ what ~ " with nothing'") }}{% endmacro %}

{% macro label(what) %}'kitchen {{ what }}'{% endmacro %}

{#- It names the relations of the kitchen's own nodes, and no others. -#}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}kitchen_{{ custom_alias_name or node.name }}{%- endmacro %}
