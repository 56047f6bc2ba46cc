{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['order_id', 'ordered_on'],
        tags=['incremental'],
        full_refresh=none,
    )
}}
select
    order_id,
    ordered_on,
    amount,
    {{ 1 if is_incremental() else 0 }} as from_increment
from {{ ref('stg_orders') }}
{%- if is_incremental() %}
where ordered_on >= (select max(ordered_on) from {{ this }})
{%- endif %}
