-- Each order that counts as a sale is in exactly one day: the sums over all days and over all orders agree.
with days as (

    select
        sum(orders) as orders,
        sum(net_revenue) as net_revenue
    from {{ ref('mart_daily_sales') }}

),

orders as (

    select
        count(*) as orders,
        sum(net_amount) as net_revenue
    from {{ ref('int_orders') }}
    where is_sale

)

select
    days.orders as orders_by_day,
    orders.orders as orders_in_all,
    days.net_revenue as net_revenue_by_day,
    orders.net_revenue as net_revenue_in_all
from days
cross join orders
where days.orders <> orders.orders
    or days.net_revenue <> orders.net_revenue
