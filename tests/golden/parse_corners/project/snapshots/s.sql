{% snapshot snap_sql %}
{{ config(strategy='timestamp', unique_key='id', updated_at='u', target_database='memory') }}
select * from {{ ref('m1') }}
{% endsnapshot %}
{% snapshot snap_two %}
  {{ config(strategy='check', unique_key=['id','x'], check_cols=['a'], schema='own', tags=var('label')) }}
select * from {{ source('src', 't3') }}
{% endsnapshot %}
