-- What the shop sold, day by day.
with sales as (

    select
        order_date,
        count(*) as orders,
        count(distinct customer_id) as customers,
        sum(case when order_number = 1 then 1 else 0 end) as first_orders,
        sum(item_count) as items,
        sum(gross_amount) as gross_revenue,
        sum(discount) as discount,
        sum(refunded) as refunded,
        sum(net_amount) as net_revenue,
        sum(cost) as cost
    from {{ ref('int_orders') }}
    where is_sale
    group by order_date

)

select
    order_date,
    orders,
    customers,
    cast(first_orders as bigint) as first_orders,
    cast(items as bigint) as items,
    cast(gross_revenue as numeric(18, 2)) as gross_revenue,
    cast(discount as numeric(18, 2)) as discount,
    cast(refunded as numeric(18, 2)) as refunded,
    cast(net_revenue as numeric(18, 2)) as net_revenue,
    cast(net_revenue - cost as numeric(18, 2)) as margin
from sales
