{{ config(tags=['reads']) }}
select 'w_version' as way, x.* from (select * from {{ ref('up_ver', v=1) }}) as x
