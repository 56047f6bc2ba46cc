{{ config(materialized='incremental', unique_key='id', on_schema_change='sync_all_columns') }}
select id, {% if var('step') > 1 %}cast(id as bigint) as more, {% else %} name as gone, {% endif %} name from {{ ref('people') }}
{% if is_incremental() %} where id > 0 {% endif %}
