{% snapshot rates_history %}
{{ config(unique_key='code', strategy='check', check_cols=['rate'], target_schema='history') }}
select * from {{ ref('rates') }}
{% endsnapshot %}
