-- the statement begins with a comment
with recursive numbers (n) as (
    select 1
    union all
    select n + 1 from numbers where n < 3
)
select numbers.n, e.event_id
from numbers
inner join {{ ref('base_events') }} as e on e.event_id = numbers.n
