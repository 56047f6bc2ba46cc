{{ config(materialized='incremental', unique_key='ordered_at', incremental_strategy='delete+insert') }}
select ordered_at, sum(amount) as amount, count(*) as orders
from {{ ref('stg_orders') }}
{% if is_incremental() %}
where ordered_at > (select max(ordered_at) from {{ this }})
{% endif %}
group by ordered_at
