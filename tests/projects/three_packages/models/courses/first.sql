select id, '{{ var("season") }}' as season from {{ ref('goods') }} union all select id, name from {{ source('pantry', 'tins') }}
