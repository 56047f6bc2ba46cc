select count(*) as n from {{ ref('menu') }} having count(*) <> 2
