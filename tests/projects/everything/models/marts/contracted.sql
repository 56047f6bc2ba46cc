select
    cast(order_id as integer) as order_id,
    cast(amount as numeric(10, 2)) as amount,
    cast(status as varchar) as "Order Status"
from {{ ref('stg_orders') }}
