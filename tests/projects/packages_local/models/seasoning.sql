select * from {{ ref('pepper') }}
