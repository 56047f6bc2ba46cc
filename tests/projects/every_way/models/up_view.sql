select * from {{ ref('up') }}
