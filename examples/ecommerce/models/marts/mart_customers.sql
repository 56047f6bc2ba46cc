-- Customers as support and marketing look at them.
select
    customer_id,
    full_name,
    country_code,
    country_name,
    region,
    signup_channel,
    signup_month,
    orders,
    items,
    net_revenue,
    {{ average_amount('net_revenue', 'orders') }} as average_order_value,
    first_order_date,
    last_order_date,
    case
        when orders = 0 then 'prospect'
        when net_revenue >= {{ var('gold_from') }} then 'gold'
        when net_revenue >= {{ var('silver_from') }} then 'silver'
        else 'bronze'
    end as segment
from {{ ref('int_customer_history') }}
