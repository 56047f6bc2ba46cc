{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['id', 'part'], on_schema_change='append_new_columns',
    incremental_predicates=["DBT_INCREMENTAL_TARGET.id < 4"]) }}
select * from {{ ref('people') }}
