{{ config(materialized='table') }}
select * from {{ ref('loaded') }} -- {{ dbt.concat(['1', '2']) }}
