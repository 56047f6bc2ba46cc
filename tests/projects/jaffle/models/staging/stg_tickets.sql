select
    id as ticket_id,
    guest as guest_id,
    cast(taken_at as timestamp) as taken_at,
    cast(taken_at as date) as taken_on,
    table_no,
    state
from {{ ref('raw_tickets') }}
