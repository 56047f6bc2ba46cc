select
    id as order_item_id,
    order_id,
    product_id,
    quantity,
    {{ cents_to_amount('unit_price_cents') }} as unit_price,
    {{ cents_to_amount('coalesce(discount_cents, 0)') }} as discount
from {{ source('shop', 'order_items') }}
