{% test small(model, column_name, most=5) %}select * from {{ model }} where {{ column_name }} > {{ most }} -- {{ var('limit') }}
{% endtest %}
