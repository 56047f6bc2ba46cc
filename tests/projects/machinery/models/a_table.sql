{{ config(materialized='table', indexes=[{'columns': ['id']}], pre_hook="select 1", post_hook={"sql": "select 2", "transaction": false}) }}
select id, name from {{ ref('a_view') }}
