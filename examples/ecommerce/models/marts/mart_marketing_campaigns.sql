-- What each campaign brought in, beside what the whole shop sold on the same days.
with attributed as (

    select
        campaign_id,
        count(*) as orders,
        sum(case when order_number = 1 then 1 else 0 end) as new_customers,
        sum(net_amount) as net_revenue
    from {{ ref('int_orders') }}
    where is_sale
        and campaign_id is not null
    group by campaign_id

),

shop as (

    select
        campaigns.campaign_id,
        sum(days.orders) as orders,
        sum(days.net_revenue) as net_revenue
    from {{ ref('stg_campaigns') }} as campaigns
    inner join {{ ref('mart_daily_sales') }} as days
        on days.order_date between campaigns.starts_on and campaigns.ends_on
    group by campaigns.campaign_id

)

select
    campaigns.campaign_id,
    campaigns.campaign_name,
    campaigns.channel,
    campaigns.starts_on,
    campaigns.ends_on,
    campaigns.budget,
    coalesce(attributed.orders, 0) as orders,
    cast(coalesce(attributed.new_customers, 0) as bigint) as new_customers,
    cast(coalesce(attributed.net_revenue, 0) as numeric(18, 2)) as net_revenue,
    {{ percentage('coalesce(attributed.net_revenue, 0)', 'shop.net_revenue') }} as percent_of_shop_revenue,
    {{ ratio('coalesce(attributed.net_revenue, 0) * 100', 'campaigns.budget * 100') }} as return_on_budget
from {{ ref('stg_campaigns') }} as campaigns
left join attributed
    on campaigns.campaign_id = attributed.campaign_id
left join shop
    on campaigns.campaign_id = shop.campaign_id
