{% snapshot raw_history %}
{{ config(unique_key='order_id', strategy='timestamp', updated_at='cast(ordered_at as timestamp)', target_schema='history') }}
select * from {{ ref('raw_orders') }}
{% endsnapshot %}
