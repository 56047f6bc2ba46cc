select
    id as campaign_id,
    trim(name) as campaign_name,
    lower(channel) as channel,
    cast(starts_on as date) as starts_on,
    cast(ends_on as date) as ends_on,
    {{ cents_to_amount('budget_cents') }} as budget
from {{ source('shop', 'campaigns') }}
