select 1 as order_id, cast('2026-01-01' as date) as ordered_at, 10 as amount from {{ ref('raw') }}
