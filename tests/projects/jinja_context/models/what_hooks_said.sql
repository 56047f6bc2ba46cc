{{ config(materialized='table') }}
-- depends on: {{ ref('a_table') }} {{ ref('an_incremental') }}
select moment, said from dev.noted union all select 'start', said from dev.started
