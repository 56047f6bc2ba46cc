{{ config(materialized='view') }}
select product_id, price as list_price from {{ ref('dim_product', v=2) }}
