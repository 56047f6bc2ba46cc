{% for key, value in {'tags': ['looped'], 'meta': {'looped': true}}.items() -%}
    {% do config({key: value}) %}
{%- endfor %}
{{ config(materialized=('table' if target.name == 'prod' else 'view')) }}
{% set parents = ['trailing', 'windows_lines'] %}
{% for parent in parents %}
select n, '{{ parent }}' as parent from {{ ref(parent) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
