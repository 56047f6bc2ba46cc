{% snapshot block %}
{{ config(target_schema='dev', unique_key='id', strategy='timestamp', updated_at='changed', invalidate_hard_deletes=true) }}
select id, name, changed::timestamp as changed from {{ ref('people') }} where id < 4 - {{ var('step') }} or {{ var('step') }} = 2
{% endsnapshot %}
