{{ config(tags=['mart'], meta={'a': 1}) }}
{{ config(tags='late', meta={'b': 2}, materialized='table') }}
select order_id, amount, {{ margin('amount') }} as margin from {{ ref('light') }} where amount > {{ var('floor') }}
