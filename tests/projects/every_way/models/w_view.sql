{{ config(tags=['reads']) }}
select 'w_view' as way, x.* from (select * from {{ ref('up_view') }}) as x
