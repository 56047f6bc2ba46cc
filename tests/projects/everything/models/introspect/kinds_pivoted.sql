-- depends_on: {{ ref('events_by_kind') }}
{%- set relation = adapter.get_relation(database=ref('events_by_kind').database, schema=ref('events_by_kind').schema, identifier='events_by_kind') %}
{%- if execute and relation is not none %}
    {%- set kinds = run_query("select kind from " ~ relation ~ " order by kind").columns[0].values() %}
{%- else %}
    {%- set kinds = [] %}
{%- endif %}
select 0 as nothing
{%- for kind in kinds %}, '{{ kind }}' as {{ adapter.quote("Kind " ~ kind) }}{% endfor %}
