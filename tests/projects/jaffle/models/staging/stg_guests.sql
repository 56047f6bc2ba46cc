select
    id as guest_id,
    name as guest_name,
    cast(joined as date) as joined_on
from {{ ref('raw_guests') }}
