{% snapshot kept %}
{{ config(target_schema='kept_' ~ target.name, unique_key='id', strategy='check', check_cols=var('columns', ['name'])) }}
{% set now = modules.datetime.date(2024, 1, 1) %}
-- {{ this }} {{ model.name }} {{ config.get('strategy') }} {{ now }}
select * from {{ ref('base') }}
{% endsnapshot %}
