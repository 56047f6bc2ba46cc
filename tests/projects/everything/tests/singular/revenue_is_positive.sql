select * from {{ ref('revenue_report') }} where total < 0
