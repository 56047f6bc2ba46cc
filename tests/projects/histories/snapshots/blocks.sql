{% snapshot by_time %}
    {{ config(target_schema='hist', unique_key='id', strategy='timestamp', updated_at='changed_at') }}
    select * from {{ ref('people') }}
{% endsnapshot %}

{% snapshot by_time_invalidated %}
    {{ config(schema='kept', unique_key=['id', 'part'], strategy='timestamp', updated_at='changed_at', invalidate_hard_deletes=true) }}
    select * from {{ ref('people') }}
{% endsnapshot %}

{% snapshot by_some_columns %}
    {{ config(target_schema='hist', alias='Some Columns', unique_key="id || '-' || part", strategy='check', check_cols=['city', 'NAME'], updated_at='changed_at') }}
    select * from {{ ref('people') }}
{% endsnapshot %}

{% snapshot by_own_strategy %}
    {{ config(target_schema='hist', unique_key='id', strategy='grown', updated_at='changed_at') }}
    select id, length(city) as size, changed_at from {{ ref('people') }}
{% endsnapshot %}
