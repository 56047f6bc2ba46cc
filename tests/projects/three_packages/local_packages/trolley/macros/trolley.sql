{% macro who_am_i() %}{{ return('trolley, a guest of ' ~ shared_name()) }}{% endmacro %}
{% macro default__concat(fields) %}/* trolley */ {{ fields | join(' || ') }}{% endmacro %}
{% macro default__portion(x) %}{{ return('never found') }}{% endmacro %}
{% test on_board(model, column_name, seat) %}select * from {{ model }} where {{ column_name }} = {{ seat }} -- {{ trolley.who_am_i() }}{% endtest %}
{% materialization stacked, default %}
    {%- set target = this.incorporate(type='table') -%}
    {% do adapter.drop_relation(load_cached_relation(this)) if load_cached_relation(this) is not none %}
    {% call statement('main') %}
        create table {{ target }} as select * from (
            {{ sql }}
        ) as q cross join range({{ config.require('height') }}) as r(level)
    {% endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
