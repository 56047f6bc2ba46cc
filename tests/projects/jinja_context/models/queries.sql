{{ config(materialized='table') }}
{%- call statement('one', fetch_result=true) -%} select id, name, amount, day, big from {{ ref('base') }} order by id {%- endcall -%}
{%- set one = load_result('one') -%}
{%- set table = run_query('select id, name, amount, day, big from ' ~ ref('base') ~ ' order by id') -%}
{%- if execute -%}
    {%- set columns = table.columns | map(attribute='name') | list -%}
/*
{{ columns }} {{ table.column_names }} {{ table.rows | length }} {{ table | length }}
{{ table.columns[1].values() }} {{ table.columns['id'].values() }} {{ table.columns.get('name').values_distinct() | length }}
{{ table.rows[0].values() }} {{ table.rows[1]['name'] }} {{ table.rows[2].amount is undefined }} {{ table.rows[2]['amount'] is none }}
{% for row in table %}{{ row.id is undefined }}{{ row[0] }}{{ row['name'] }};{% endfor %}
{{ one.data }} {{ one['data'][0][1] }} {{ one.table.columns[0].values() }} {{ one.response.code }} {{ one['table'].column_types | length }}
{{ table.select(['id']).columns | length }} {{ table.order_by('id', reverse=true).rows[0]['id'] }}
{{ table.exclude(['big']).column_names }} {{ table.limit(1).rows | length }} {{ table.rename(column_names={'id': 'key'}).column_names[0] }}
{{ adapter.get_columns_in_relation(ref('base')) | map(attribute='name') | list }} {{ adapter.get_columns_in_relation(ref('base')) | map(attribute='data_type') | list }}
{% for c in adapter.get_columns_in_relation(ref('base')) %}{{ c.name }} {{ c.column }} {{ c.dtype }} {{ c.quoted }} {{ c.is_string() }} {{ c.is_number() }} {{ c.is_numeric() }} {{ c.is_integer() }} {{ c.is_float() }};{% endfor %}
{{ adapter.get_missing_columns(ref('base'), ref('a_table')) | map(attribute='name') | list }}
{% set found = adapter.get_relation(this.database, this.schema, 'base') %}{{ found }} {{ found.is_table }} {{ found.type }} {{ load_relation(ref('base')).identifier }}
{{ adapter.check_schema_exists(this.database, this.schema) }} {{ adapter.already_exists(this.schema, 'base') }} {{ adapter.already_exists(this.schema, 'nothing') }}
{{ dbt_utils is defined }} {{ dbt is defined }} {{ context.dbt is defined }}
{% set response, rows = adapter.execute('select 42 as answer', fetch=true) %}{{ rows.rows[0][0] }}
{{ (graph.nodes.values() | selectattr('resource_type', 'equalto', 'seed') | list)[0].unique_id }} {{ graph.sources.values() | map(attribute='name') | list }} {{ graph.nodes[model.unique_id].depends_on.nodes | sort }}
{{ graph.exposures | length }} {{ graph.metrics | length }} {{ graph.groups | length }}
{{ builtins.ref('base') }} {{ model.depends_on.nodes | sort }} {{ model.config.materialized }} {{ model.checksum.name }} {{ model.raw_code | length > 100 }}
{{ ref('base').include(database=false) }} {{ ref('base').include(database=false, schema=false) }} {{ ref('base').quote(identifier=false) }} {{ ref('base').render() }} {{ ref('base').without_identifier() }} {{ ref('base').incorporate(path={'identifier': 'other'}) }} {{ ref('base').information_schema('tables') }} {{ ref('base').replace_path(schema='elsewhere') }}
{{ ref('base') == ref('base') }} {{ ref('base') is mapping }} {{ ref('base') is string }} {{ api.Relation.create(identifier='x', type='cte').is_cte }}
*/
{%- endif %}
select count(*) as n from {{ ref('base') }}
-- depends on: {{ ref('a_table') }} {{ source('raw', 'base') }}
