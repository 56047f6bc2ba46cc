{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id', merge_exclude_columns=['NAME'],
    merge_update_set_expressions={'city': "upper(DBT_INTERNAL_SOURCE.city)"}) }}
select id, name, city from {{ ref('people') }}
