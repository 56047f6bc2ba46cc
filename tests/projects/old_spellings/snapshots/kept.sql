{% do log('never') %}
{% snapshot kept %}{{ config(target_schema='dev', unique_key='id', strategy='check', check_cols='all') }}select 1 as id{% endsnapshot %}
