select customer_name, count(*) from {{ ref('wide') }} group by 1 order by 2 desc
