{%- set relation = load_relation(ref('orders_append')) -%}
{%- if relation -%}
    {%- for column in adapter.get_columns_in_relation(relation) %}
select '{{ column.name }}' as column_name, {{ loop.index }} as position {{ "union all" if not loop.last }}
    {%- endfor %}
{%- else -%}
select 'none yet' as column_name, 0 as position
{%- endif %}
