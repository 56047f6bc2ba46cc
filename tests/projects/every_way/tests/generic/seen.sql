{% test seen(model, column_name, other) %}select 'w_generic_test' as way, {{ column_name }} from {{ model }} where {{ column_name }} not in (select id from {{ other }}){% endtest %}
