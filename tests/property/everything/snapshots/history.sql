{% snapshot history %}{{ config(strategy='timestamp', unique_key='id', updated_at='day', target_schema='snap') }}select * from {{ ref('stg_orders') }}{% endsnapshot %}
