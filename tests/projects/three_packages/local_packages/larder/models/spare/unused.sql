select * from {{ ref('goods') }}
