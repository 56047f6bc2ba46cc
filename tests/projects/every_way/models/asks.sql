{{ config(tags=['reads']) }}
{% if execute %}{% set n = run_query("select 'w_run_query' as way, count(*) as n from " ~ ref('up')).columns[1][0] %}{% call statement('s', fetch_result=true) %}select 'w_statement' as way, count(*) as n from {{ ref('up') }}{% endcall %}{% endif %}-- depends_on: {{ ref('up') }}
select {{ n or 0 }} as n
