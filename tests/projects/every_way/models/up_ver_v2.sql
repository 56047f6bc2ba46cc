{{ config(materialized='table') }} select * from {{ ref('up') }}
