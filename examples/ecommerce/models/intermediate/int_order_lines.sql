-- Order lines with what they brought in and what they cost.
with lines as (

    select
        items.order_item_id,
        items.order_id,
        items.product_id,
        products.category,
        items.quantity,
        cast(items.quantity * items.unit_price as numeric(18, 2)) as gross_amount,
        items.discount,
        coalesce(refunds.amount, 0) as refunded,
        cast(items.quantity * products.unit_cost as numeric(18, 2)) as cost
    from {{ ref('stg_order_items') }} as items
    inner join {{ ref('stg_products') }} as products
        on items.product_id = products.product_id
    left join {{ ref('stg_refunds') }} as refunds
        on items.order_item_id = refunds.order_item_id

)

select
    order_item_id,
    order_id,
    product_id,
    category,
    quantity,
    gross_amount,
    discount,
    refunded,
    cast(gross_amount - discount - refunded as numeric(18, 2)) as net_amount,
    cost
from lines
