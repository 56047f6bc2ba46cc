{{ config(tags=['reads']) }}
select 'w_incremental' as way, x.* from (select * from {{ ref('up_inc') }}) as x
