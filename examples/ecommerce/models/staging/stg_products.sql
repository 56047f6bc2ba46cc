select
    id as product_id,
    sku,
    name as product_name,
    lower(category) as category,
    {{ cents_to_amount('price_cents') }} as list_price,
    {{ cents_to_amount('cost_cents') }} as unit_cost,
    coalesce(discontinued, false) as is_discontinued
from {{ source('shop', 'products') }}
