select
    order_id,
    upper(customer) as customer,
    cast(amount as decimal(10, 2)) as amount,
    cast(ordered_at as date) as ordered_at,
    ['a', 'b'] as labels
from {{ ref('raw_orders') }}
