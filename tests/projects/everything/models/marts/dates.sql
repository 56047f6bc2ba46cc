{#- macros of the standard library that every project uses -#}
select
    order_id,
    {{ dbt.date_trunc('month', 'ordered_on') }} as month_start,
    {{ dbt.dateadd('day', 7, 'ordered_on') }} as week_later,
    {{ dbt.datediff("cast('2024-01-01' as date)", 'ordered_on', 'day') }} as day_number,
    {{ dbt.safe_cast("'12'", api.Column.translate_type('integer')) }} as twelve,
    {{ dbt.concat(["'a'", "'b'"]) }} as ab,
    {{ dbt.length("'four'") }} as four,
    cast(status as {{ dbt.type_string() }}) as status_text,
    cast(amount as {{ type_numeric() }}) as amount_number
from {{ ref('stg_orders') }}
