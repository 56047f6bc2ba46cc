{%- call statement('seven', fetch_result=true) -%}
    select 7 as seven, 'x' as letter
{%- endcall -%}
{%- if execute -%}
    {%- set row = load_result('seven')['data'][0] -%}
{%- else -%}
    {%- set row = [0, ''] -%}
{%- endif -%}
select {{ row[0] }} as seven, '{{ row[1] }}' as letter, {{ run_query('select 3 as n').rows[0]['n'] if execute else 0 }} as three
