{{ config(materialized='ephemeral') }} select 'w_inside_ephemeral' as inner_way, y.* from (select * from {{ ref('up') }}) as y
