{{ config(tags=['reads'], store_failures=true) }}
select 'w_stored_test' as way, q.* from (select * from {{ ref('up') }}) as q where false
