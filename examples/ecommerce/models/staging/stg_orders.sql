select
    id as order_id,
    customer_id,
    campaign_id,
    lower(status) as status,
    {{ cents_to_amount('shipping_cents') }} as shipping_fee,
    cast(created_at as timestamp) as ordered_at,
    cast(created_at as date) as order_date
from {{ source('shop', 'orders') }}
