select product_id, sum(amount) as total
from {{ ref('stg_orders') }}
group by product_id
