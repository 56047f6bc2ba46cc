{{ config(
    materialized='incremental', incremental_strategy='microbatch', event_time='happened_at', batch_size='day', begin='2024-01-01'
) }}
select id, happened_at, case when id = 7 and {{ var('step') }} = 1 then error('seven') end as bad from {{ ref('events') }}
