-- comment
{{ config(materialized='incremental', unique_key=['id','b'], pre_hook=["select 1", {"sql": "select {{ this }}", "transaction": false}], post_hook='{"sql": "select 3", "index": 2}', meta={'level': 'file', 'n': [1, 2.5, none, true]}, custom=none, enabled=var('flag_on')) }}
{{ config(tags=['second']) }}
select * from {{ ref('m1') }} join {{ source('src', 'tab1') }} using (id)
