{{ config(grants={'select': 'owner'}) }}
with only_clicks as (
    select * from {{ ref('base_events') }} where kind = 'click'
)
select event_id, happened_at from only_clicks
