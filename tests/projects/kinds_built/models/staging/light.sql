{{ config(materialized='ephemeral') }}
select order_id, amount, ordered_at from {{ ref('stg_orders') }} where amount is not null
