{{ config(my_own_key='mine', event_time='ordered_on') }}
{%- set ns = namespace(total=0) -%}
{%- for n in var('nested').inner -%}
    {%- set ns.total = ns.total + n -%}
{%- endfor -%}
{% set mode = env_var('EVERYTHING_MODE', 'plain') %}
select
    o.order_id,
    {{ surrogate(['o.order_id', 'o.customer_id']) }} as row_key,
    {{ ns.total }} as total,
    '{{ config.get("my_own_key", "none") }}' as my_own_key,
    '{{ mode }}' as mode,
    '{{ var("only_here") }}' as only_here,
    '{{ var("nested")["label"] }}' as label,
    '{{ tojson({"b": 1, "a": [true, none]}) }}' as as_json,
    {{ fromjson('{"x": 41}').x + 1 }} as answer,
    '{{ modules.datetime.date(2024, 2, 29).isoformat() }}' as leap_day,
    {% if target.name == 'prod' -%} 'production' {%- else -%} 'elsewhere' {%- endif %} as place,
    c."Name" as customer_name,
    o.status in {{ in_list(var('statuses')) }} as known_status
from {{ ref('stg_orders') }} as o
left join {{ ref('stg_customers') }} as c on o.customer_id = c."Customer ID"
{% if var('with_optional', false) %}
left join {{ ref('products') }} as p on o.product_id = p.product_id
{% endif %}
limit {{ var('row_limit') }}
