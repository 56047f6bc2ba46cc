{{ config(severity='warn', warn_if='>10', error_if='>100', tags=['dates'], limit=5, store_failures=false) }}
-- a comment with ref('nothing') in it, which counts for nothing
select *
from {{ ref('everything', 'stg_orders') }}
where ordered_on is null
