select ticket_id
from {{ ref('tickets') }}
where amount < 0
