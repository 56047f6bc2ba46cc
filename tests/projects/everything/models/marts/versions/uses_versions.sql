select
    latest.product_id,
    old.product_name,
    next.list_price
from {{ ref('dim_product') }} as latest
join {{ ref('dim_product', version=1) }} as old using (product_id)
join {{ ref('everything', 'dim_product', v='3') }} as next using (product_id)
