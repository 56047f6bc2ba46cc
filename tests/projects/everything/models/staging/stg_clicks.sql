with clicks as (
    select * from {{ ref('base_clicks') }}
),

all_events as (
    select * from {{ ref('base_events') }}
)

select
    clicks.event_id,
    (select count(*) from all_events) as events_in_all
from clicks
