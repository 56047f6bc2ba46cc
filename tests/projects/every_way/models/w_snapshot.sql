{{ config(tags=['reads']) }}
select 'w_snapshot' as way, x.* from (select * from {{ ref('snap') }}) as x
