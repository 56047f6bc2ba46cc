{{ config(tags=['reads']) }}
select 'w_two_arguments' as way, x.* from (select * from {{ ref('shop', 'up') }}) as x
