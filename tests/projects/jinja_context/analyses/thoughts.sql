-- {{ model.resource_type }} {{ this }} {{ execute }} {{ config.get('materialized') }} {{ target.name }}
select * from {{ ref('queries') }}
