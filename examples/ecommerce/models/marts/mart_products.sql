-- How each product sells. Products that nobody bought are in it too.
with sold as (

    select
        lines.product_id,
        count(distinct lines.order_id) as orders,
        sum(lines.quantity) as items,
        sum(lines.gross_amount) as gross_revenue,
        sum(lines.refunded) as refunded,
        sum(lines.net_amount) as net_revenue,
        sum(lines.cost) as cost
    from {{ ref('int_order_lines') }} as lines
    inner join {{ ref('stg_orders') }} as orders
        on lines.order_id = orders.order_id
    where orders.status <> 'cancelled'
    group by lines.product_id

)

select
    products.product_id,
    products.sku,
    products.product_name,
    products.category,
    products.list_price,
    products.is_discontinued,
    coalesce(sold.orders, 0) as orders,
    cast(coalesce(sold.items, 0) as bigint) as items,
    cast(coalesce(sold.net_revenue, 0) as numeric(18, 2)) as net_revenue,
    cast(coalesce(sold.net_revenue - sold.cost, 0) as numeric(18, 2)) as margin,
    {{ percentage('sold.refunded', 'sold.gross_revenue') }} as percent_refunded
from {{ ref('stg_products') }} as products
left join sold
    on products.product_id = sold.product_id
