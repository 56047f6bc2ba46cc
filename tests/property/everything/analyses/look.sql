select * from {{ ref('daily') }} -- {{ cents('x') }}
