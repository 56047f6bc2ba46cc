{{ config(materialized='incremental', incremental_strategy='once', unique_key='id') }}
select id, name from {{ ref('people') }}
