(select id from {{ ref('events') }} {{ dbt.except() }} select 1)
union all
(select id from {{ ref('events') }} {{ dbt.intersect() }} select 1)
