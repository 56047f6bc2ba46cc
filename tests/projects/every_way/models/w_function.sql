{{ config(tags=['reads']) }}
select 'w_function' as way, {{ function('twice') }}(1) as n
