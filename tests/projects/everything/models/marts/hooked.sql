{{ config(
    pre_hook=["insert into {{ target.schema }}_audit_log values ('one', 1)", "insert into {{ target.schema }}_audit_log values ('two', 2)"],
    post_hook={"sql": "insert into {{ target.schema }}_audit_log select 'after {{ this.name }}', count(*) from {{ this }}", "transaction": true}
) }}
select * from {{ ref('stg_lines') }}
