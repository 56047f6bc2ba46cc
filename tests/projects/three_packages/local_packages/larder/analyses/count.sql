select count(*) from {{ ref('goods') }}
