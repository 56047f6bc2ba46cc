{{ config(unique_key=none, grants={'+select': ['two'], 'insert': 'three'}, docs={'show': false}, access='private', group='g1', contract={'enforced': true}, materialized='table', schema='Extra', on_schema_change='fail') }}
select 1 as id, 'x' as "Na me", {{ ref('odd', 'm1') }} {{ ref('vers', v=1) }} {{ ref('vers', version='2') }}
