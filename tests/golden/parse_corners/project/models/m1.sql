{{ config(tags='one') }}
select 1 as id
