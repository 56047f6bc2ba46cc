{% macro defaults(a=1, b='two', c=none) %}{{ a }}/{{ b }}/{{ c }}{% endmacro %}
{% macro many(a) %}{{ a }} {{ varargs }} {{ kwargs }}{% endmacro %}
{% macro returned() %}text that is lost{{ return([1, {'a': 'found'}]) }}more{% endmacro %}
{% macro nothing() %}{% do return(none) %}{% endmacro %}
{% macro early(yes) %}before{% if yes %}{{ return('early') }}{% endif %}after{% endmacro %}
{% macro outer_return() %}<{{ early(true) }}{{ early(false) }}>{% endmacro %}
{% macro factorial(n) %}{{ return(1 if n <= 1 else n * factorial(n - 1)) }}{% endmacro %}
{% macro odd(n) %}{{ return(false if n == 0 else context.even(n - 1)) }}{% endmacro %}
{% macro even(n) %}{{ return(true if n == 0 else odd(n - 1)) }}{% endmacro %}
{% macro fill(found, n) %}{% for i in range(n) %}{% do found.append(i) %}{% endfor %}{% endmacro %}
{% macro wrapped(tag) %}<{{ tag }}>{{ caller() }}</{{ tag }}>{% endmacro %}
{% macro wrapped_twice(n) %}{{ caller(n) }} {{ caller(n, n) }}{% endmacro %}
{% macro spoken(x) %}{{ return(adapter.dispatch('spoken', 'jinja_context')(x)) }}{% endmacro %}
{% macro default__spoken(x) %}{{ return('by default ' ~ x) }}{% endmacro %}
{% macro duckdb__spoken(x) %}{{ return('by duckdb ' ~ x) }}{% endmacro %}
{%- macro said(relation) -%}
    {%- if execute -%}
    {{ [
        relation.identifier, this.identifier, model.name, execute, config.get('materialized'), config.get('missing', 'd'),
        config.require('materialized'), config.meta_get('owner'), config.get('meta').level, target.name, flags.WHICH, var('plain'),
        pre_hooks | length, post_hooks | length, pre_hooks[0].sql | length > 0, adapter.get_columns_in_relation(ref('base')) | length,
        run_query('select 7 as n').rows[0]['n'], adapter.get_relation(this.database, this.schema, 'base').type,
        graph.nodes['seed.jinja_context.base'].name, selected_resources | length > 5, compiled_code is defined,
    ] | join(' ') | replace("'", '') }}
    {%- endif -%}
{%- endmacro -%}
{% macro ended(results, schemas, database_schemas) %}
    create or replace table dev.ended as
    {% for each in results | sort(attribute='node.unique_id') if each.node.resource_type in ('model', 'seed') %}
    select '{{ each.node.name }} {{ each.status }} {{ each.node.config.materialized }} {{ each.execution_time is defined }} {{ each.message is defined }}' as said union all
    {% endfor %}
    select '{{ schemas | sort | join(",") }} {{ database_schemas | sort | list | length }}'
{% endmacro %}
