{%- macro surrogate(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as varchar), '')") -%}
    {%- endfor -%}
    {{ dbt.hash(parts | join(" || '-' || ")) }}
{%- endmacro -%}

{% test no_more_than(model, column_name, most, inclusive=true) %}
    {{ config(severity='warn', tags=['from_the_test']) }}
    select *
    from {{ model }}
    where {{ column_name }} {{ '>' if inclusive else '>=' }} {{ most }}
{% endtest %}
