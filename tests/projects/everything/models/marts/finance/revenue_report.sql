select
    p.product_name,
    coalesce(r.total, 0) as total
from {{ ref('products') }} as p
left join {{ ref('revenue') }} as r using (product_id)
