{{ config(materialized='table', event_time='at_time') }} select 1 as id, 'x' as code, cast('2026-01-01' as timestamp) as at_time
