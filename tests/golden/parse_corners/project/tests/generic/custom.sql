{% test custom(model, arg) %}
{{ config(fail_calc='max(q)', meta={'in': 'macro'}) }}
select * from {{ model }} where '{{ mac(1) }}' = '{{ arg }}'
{% endtest %}
