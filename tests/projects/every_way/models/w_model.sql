{{ config(tags=['reads']) }}
select 'w_model' as way, x.* from (select * from {{ ref('up') }}) as x
