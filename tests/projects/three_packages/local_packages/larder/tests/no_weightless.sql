select * from {{ ref('goods') }} where id < 0 -- {{ shared_name() }}
