{{ config(
    materialized='incremental', incremental_strategy='microbatch', event_time='"happened_at"', batch_size='hour',
    begin='2024-01-01', on_schema_change='append_new_columns'
) }}
with e as (select * from {{ ref('events') }}), p as (select count(*) as people from {{ ref('people') }})
select e.*, people {% if var('step') > 2 %}, 'new' as more {% endif %} from e cross join p
