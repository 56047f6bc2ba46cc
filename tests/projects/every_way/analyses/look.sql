{{ config(tags=['reads']) }}
select 'w_analysis' as way, count(*) from {{ ref('up') }}
