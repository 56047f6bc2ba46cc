{{ config(tags=['reads']) }}
select 'w_renamed' as way, x.* from (select * from {% set r = ref('up') %}{{ r.database | tojson }}.{{ r.schema | tojson }}.{{ r.identifier | tojson }}) as x
