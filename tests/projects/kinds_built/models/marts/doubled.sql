select order_id, {{ function('double_it') }}(amount) as twice from {{ ref('light') }}
