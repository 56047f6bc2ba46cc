{{ config(tags=['reads']) }}
select 'w_get_relation' as way, x.* from (select * from {{ found(ref('up')) }}) as x
