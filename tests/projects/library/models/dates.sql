select
    id
    {%- for part in ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'] %}
    , {{ dbt.dateadd(part, 2, 'happened') }} as added_{{ part }}
    , {{ dateadd(datepart=part, interval='-id', from_date_or_timestamp='happened') }} as taken_{{ part }}
    , {{ dbt.datediff('happened', "cast('2024-03-05 12:00:00' as timestamp)", part) }} as until_{{ part }}
    , {{ datediff(first_date="cast('2024-03-05' as date)", second_date='happened', datepart=part) }} as since_{{ part }}
    , {{ dbt.date_trunc(part, 'happened') }} as cut_{{ part }}
    {%- endfor %}
    {%- for part in ['month', 'quarter', 'year'] %}
    , {{ dbt.last_day('happened', part) }} as last_of_{{ part }}
    {%- endfor %}
    , {{ dbt.date(2024, 2, 29) }} as leap
    , {{ dbt.cast('happened', api.Column.translate_type('date')) }} as day
    , {{ dbt.current_timestamp() }} is not null as now_is
    , {{ dbt.current_timestamp_backcompat() }} is not null as now_was
    , {{ dbt.current_timestamp_in_utc_backcompat() }} is not null as now_was_utc
    , {{ dbt.snapshot_get_time() }} is not null as now_for_snapshots
    , {{ dbt.snapshot_string_as_time('2024-01-01 00:00:00') }} as then_for_snapshots
from {{ ref('events') }}
