{{ config(materialized='table', event_time='happened_at') }}
{#- an event each five hours; in each step their values are others -#}
select
    n as id, timestamp '2024-01-01' + to_hours(5 * n::int) as happened_at, n * {{ var('step') }} as amount
from range(30) t(n)
