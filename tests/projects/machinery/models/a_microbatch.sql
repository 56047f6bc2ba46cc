{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='changed', batch_size='day', begin='2024-01-01') }}
select id, changed from {{ ref('events') }}
