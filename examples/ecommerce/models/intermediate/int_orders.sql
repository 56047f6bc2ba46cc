-- Orders with the sums of their lines and payments.
with lines as (

    select
        order_id,
        count(*) as line_count,
        sum(quantity) as item_count,
        sum(gross_amount) as gross_amount,
        sum(discount) as discount,
        sum(refunded) as refunded,
        sum(net_amount) as net_amount,
        sum(cost) as cost
    from {{ ref('int_order_lines') }}
    group by order_id

),

payments as (

    select
        order_id,
        sum(case when is_successful then amount else 0 end) as paid,
        count(*) as payment_attempts
    from {{ ref('stg_payments') }}
    group by order_id

),

orders as (

    select
        order_id,
        customer_id,
        campaign_id,
        status,
        order_date,
        shipping_fee,
        row_number() over (partition by customer_id order by ordered_at, order_id) as order_number
    from {{ ref('stg_orders') }}

)

select
    orders.order_id,
    orders.customer_id,
    orders.campaign_id,
    orders.status,
    orders.order_date,
    orders.order_number,
    orders.status <> 'cancelled' as is_sale,
    lines.line_count,
    cast(lines.item_count as bigint) as item_count,
    cast(lines.gross_amount as numeric(18, 2)) as gross_amount,
    cast(lines.discount as numeric(18, 2)) as discount,
    cast(lines.refunded as numeric(18, 2)) as refunded,
    cast(lines.net_amount as numeric(18, 2)) as net_amount,
    cast(lines.cost as numeric(18, 2)) as cost,
    orders.shipping_fee,
    cast(coalesce(payments.paid, 0) as numeric(18, 2)) as paid,
    coalesce(payments.payment_attempts, 0) as payment_attempts
from orders
inner join lines
    on orders.order_id = lines.order_id
left join payments
    on orders.order_id = payments.order_id
