{{ config(materialized='incremental', incremental_strategy='append', tags=['incremental']) }}
select order_id, ordered_on, amount
from {{ ref('stg_orders') }}
{% if is_incremental() %}
where order_id > (select coalesce(max(order_id), 0) from {{ this }})
{% endif %}
