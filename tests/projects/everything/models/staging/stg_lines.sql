{%- call wrap("select * from (", ") as lines") -%}
select
    "Line No" as line_no,
    "Order ID" as order_id,
    qty
from {{ source('shop', 'lines') }}
{%- endcall %}
