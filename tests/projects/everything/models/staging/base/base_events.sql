select event_id, kind, happened_at from {{ source('side_source', 'events') }}
