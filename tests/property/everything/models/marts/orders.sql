{{ config(materialized='incremental', unique_key='id') }}

select * from {{ ref('stg_orders') }}
{% if is_incremental() %} where day > (select max(day) from {{ this }}) {% endif %}
