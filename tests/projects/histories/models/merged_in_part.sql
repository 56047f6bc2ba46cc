{{ config(
    materialized='incremental', incremental_strategy='merge', unique_key=['id', 'part'], merge_update_columns=['city'],
    incremental_predicates=["DBT_INTERNAL_DEST.id < 4"], merge_update_condition="DBT_INTERNAL_SOURCE.id <> 1"
) }}
select id, part, name, city from {{ ref('people') }}
