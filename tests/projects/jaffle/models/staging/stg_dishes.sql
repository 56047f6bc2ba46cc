{% set cents_in_a_dollar = 100 %}

select
    ticket as ticket_id,
    dish,
    pieces,
    cast(price_cents as numeric(18, 2)) / {{ cents_in_a_dollar }} as price,
    dish like '%jaffle' as is_jaffle
from {{ ref('raw_dishes') }}
