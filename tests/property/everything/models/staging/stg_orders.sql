select * from {{ source('raw', 'orders') }} where day > '{{ var('start') }}'
