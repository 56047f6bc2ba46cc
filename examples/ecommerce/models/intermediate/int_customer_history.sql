-- Customers with all that they ever bought. Who never bought anything is in it too.
with purchases as (

    select
        customer_id,
        count(*) as orders,
        sum(item_count) as items,
        sum(net_amount) as net_revenue,
        sum(refunded) as refunded,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date
    from {{ ref('int_orders') }}
    where is_sale
    group by customer_id

)

select
    customers.customer_id,
    customers.full_name,
    customers.country_code,
    countries.country_name,
    countries.region,
    customers.signup_channel,
    cast(date_trunc('month', customers.signed_up_at) as date) as signup_month,
    coalesce(purchases.orders, 0) as orders,
    cast(coalesce(purchases.items, 0) as bigint) as items,
    cast(coalesce(purchases.net_revenue, 0) as numeric(18, 2)) as net_revenue,
    cast(coalesce(purchases.refunded, 0) as numeric(18, 2)) as refunded,
    purchases.first_order_date,
    purchases.last_order_date
from {{ ref('stg_customers') }} as customers
left join {{ ref('countries') }} as countries
    on customers.country_code = countries.country_code
left join purchases
    on customers.customer_id = purchases.customer_id
