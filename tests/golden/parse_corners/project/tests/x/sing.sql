select * from {{ ref('m1') }} where {{ var('flag_on') }}
