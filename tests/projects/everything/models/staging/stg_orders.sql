{{ config(materialized='view', tags=['orders', "in_file"], meta={'in_file': true, 'tier': 2}) }}

select
    order_id,
    customer_id,
    product_id,
    status,
    ordered_on,
    amount, {# ref('not_a_reference') #}
    {{ amount_columns('cents') }}
from (select *, 1.5 as fee from {{ source('shop', 'orders') }}) as raw_orders
where ordered_on >= date '{{ var("start_date") }}' -- {{ var('no_such_var', 'a default') }}
