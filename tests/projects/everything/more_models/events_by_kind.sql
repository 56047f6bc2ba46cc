{%- set kinds = ['click', 'view'] -%}
select
    kind,
    count(*) as n
    {%- for k in kinds %},
    sum(case when kind = '{{ k }}' then 1 else 0 end) as n_{{ k }}
    {%- endfor %}
from {{ source('side_source', 'events') }}
group by kind
