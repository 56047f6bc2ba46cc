{{ config(tags=['reads']) }}
select 'w_singular_test' as way, q.* from (select * from {{ ref('up') }}) as q where false
