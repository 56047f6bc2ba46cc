{{ config(materialized='view', tags=['infile'], meta={'file': 1}) }} select 1 as id, '{{ var("pkvar") }}' as v
