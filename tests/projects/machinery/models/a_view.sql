{{ config(materialized='view') }}
{% call set_sql_header(config) %}-- header{% endcall %}
select id, name, changed from {{ ref('people') }}
