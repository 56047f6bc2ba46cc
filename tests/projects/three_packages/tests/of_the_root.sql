select * from {{ ref('hot') }} where id < 0 -- {{ larder.portion(1) }}
