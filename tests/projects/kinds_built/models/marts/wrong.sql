select order_id, amount + 1 as amount from {{ ref('stg_orders') }} where amount is not null
