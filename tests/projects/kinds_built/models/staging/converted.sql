select orders.order_id, orders.amount * rates.rate as amount
from {{ ref('light') }} as orders
cross join {{ source('shop', 'rates') }} as rates
where rates.code = '{{ var("currency", "USD") }}' and '{{ env_var("KINDS_REGION", "north") }}' <> 'nowhere'
-- depends_on: {{ ref('rates') }}
