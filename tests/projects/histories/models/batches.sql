{{ config(
    materialized='incremental', incremental_strategy='microbatch', event_time='happened_at', batch_size='day', lookback=1,
    begin='2024-01-01', concurrent_batches=true, pre_hook="create table if not exists dev.noted (word varchar)",
    post_hook="insert into dev.noted select 'after {{ model.batch.id }}'"
) }}
select id, happened_at, amount, '{{ model.batch.id }} {{ model.batch.event_time_start }} {{ is_incremental() }}' as batch
from {{ ref('events') }}
