{{ config(access='public') }}
-- {{ shared_name() }} {{ portion(1) }} {{ var('season') }} {{ var('shelf_life') }} {{ this }} {{ project_name }} {{ only_root() }} {{ dbt.string_literal('z') }}
select id, name, weight from {{ ref('stock') }}
