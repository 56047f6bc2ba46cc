{{ config(tags=['reads']) }}
select 'w_latest_version' as way, x.* from (select * from {{ ref('up_ver') }}) as x
