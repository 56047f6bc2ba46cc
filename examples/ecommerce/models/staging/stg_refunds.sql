select
    id as refund_id,
    order_item_id,
    lower(reason) as reason,
    {{ cents_to_amount('amount_cents') }} as amount,
    cast(refunded_at as timestamp) as refunded_at
from {{ source('shop', 'refunds') }}
