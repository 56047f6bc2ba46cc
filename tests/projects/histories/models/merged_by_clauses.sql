{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id', merge_clauses={
    'when_matched': [{'action': 'delete', 'condition': 'DBT_INTERNAL_SOURCE.city is null'}, {'action': 'update', 'mode': 'star'}],
    'when_not_matched': [{'action': 'insert', 'mode': 'explicit', 'insert': {'columns': ['id', 'name'], 'values': ['DBT_INTERNAL_SOURCE.id', "'new'"]}}, {'by': 'source', 'action': 'delete'}],
}) }}
select id, name, city from {{ ref('people') }}
