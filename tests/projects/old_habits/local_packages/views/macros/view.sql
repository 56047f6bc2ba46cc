{% materialization view, default %}
  {%- set target_relation = this.incorporate(type='view') -%}
  {% call statement('main') %}create or replace view {{ target_relation }} as ({{ sql }}){% endcall %}
  {% do adapter.commit() %}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% test at_least(model, arguments) %}select 1 from {{ model }} having count(*) < {{ arguments['rows'] }}{% endtest %}
