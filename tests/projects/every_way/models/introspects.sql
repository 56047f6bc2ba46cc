{{ config(tags=['reads']) }}
select 'w_star' as way, {{ star(ref('up')) }}, {{ values_of(ref('up'), 'code') | join('') or 0 }} as n from {{ ref('up') }}
