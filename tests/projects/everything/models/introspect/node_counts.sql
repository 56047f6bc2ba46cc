{%- set counts = namespace(models=0, sources=0) -%}
{%- if execute -%}
    {%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') -%}
        {%- set counts.models = counts.models + 1 -%}
    {%- endfor -%}
    {%- set counts.sources = graph.sources | length -%}
{%- endif -%}
select
    {{ counts.models }} as models,
    {{ counts.sources }} as sources,
    '{{ this }}' as me,
    '{{ model.unique_id }}' as my_id,
    '{{ model.config.materialized }}' as my_materialization,
    '{{ this.schema }}/{{ this.identifier }}' as my_place,
    '{{ target.name }} {{ target.type }} {{ target.threads }}' as my_target
