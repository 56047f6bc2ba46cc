{{ config(tags=['reads']) }}
select 'w_seed' as way, x.* from (select * from {{ ref('codes') }}) as x
