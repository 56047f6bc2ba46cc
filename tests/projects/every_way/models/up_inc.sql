{{ config(materialized='incremental') }} select * from {{ ref('up') }}
