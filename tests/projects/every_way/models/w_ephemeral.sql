{{ config(tags=['reads']) }}
select 'w_ephemeral' as way, x.* from (select * from {{ ref('eph') }}) as x
