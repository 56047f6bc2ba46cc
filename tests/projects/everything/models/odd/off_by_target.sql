{{ config(enabled=(target.name == 'nowhere')) }}
select 1 as x