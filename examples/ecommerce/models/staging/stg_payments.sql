select
    id as payment_id,
    order_id,
    lower(method) as payment_method,
    lower(status) = 'success' as is_successful,
    {{ cents_to_amount('amount_cents') }} as amount,
    cast(paid_at as timestamp) as paid_at
from {{ source('shop', 'payments') }}
