{{ config(tags=['reads']) }}
select 'w_load_relation' as way, x.* from (select * from {{ load_relation(ref('up')) }}) as x
