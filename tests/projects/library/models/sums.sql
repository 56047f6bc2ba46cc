select
    kind, {{ dbt.any_value('1') }} as one, {{ dbt.bool_or('amount > 1') }} as some_big,
    {{ dbt.listagg(dbt.cast('id', dbt.type_string()), "', '", "order by id desc") }} as ids,
    {{ dbt.listagg(measure='kind', delimiter_text="'|'", order_by_clause='order by kind', limit_num=1) }} as first_kind
from {{ ref('events') }}
group by kind
