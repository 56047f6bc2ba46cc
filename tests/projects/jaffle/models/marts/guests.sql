with visits as (

    select
        guest_id,
        min(taken_on) as first_visit,
        max(taken_on) as latest_visit,
        count(*) as visits,
        sum(case when state = 'walked_out' then 0 else amount end) as spent
    from {{ ref('tickets') }}
    group by guest_id

)

select
    guests.guest_id,
    guests.guest_name,
    visits.first_visit,
    visits.latest_visit,
    coalesce(visits.visits, 0) as visits,
    coalesce(visits.spent, 0) as spent
from {{ ref('stg_guests') }} as guests
left join visits on guests.guest_id = visits.guest_id
