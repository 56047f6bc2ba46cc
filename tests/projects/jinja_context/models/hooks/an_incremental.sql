{{ config(materialized='incremental', unique_key='id', pre_hook="insert into dev.noted values ('own', '{{ is_incremental() }} {{ should_full_refresh() }}')") }}
-- depends on: {{ ref('base') }} {{ ref('a_table') }}
select id, {{ is_incremental() }} as again from {{ ref('a_table') }}
