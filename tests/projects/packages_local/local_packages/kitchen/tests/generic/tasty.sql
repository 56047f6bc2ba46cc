{% test tasty(model, column_name, at_least=1) %}
    select 1 from (select count(distinct {{ column_name }}) as n from {{ model }}) as t where n < {{ at_least }}
{% endtest %}
