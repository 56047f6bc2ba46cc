{% test row_count(model, at_least=1, compare_to=none) %}
    {%- set wanted = compare_to -%}
    select n
    from (select count(*) as n from {{ model }}) as counted
    where n < {{ at_least }}
    {%- if wanted %}
        or n <> (select count(*) from {{ wanted }})
    {%- endif %}
{% endtest %}
