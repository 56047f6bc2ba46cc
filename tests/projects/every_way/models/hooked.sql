{{ config(tags=['reads'], pre_hook="select 'w_pre_hook' as way, count(*) as n from {{ ref('up') }}", post_hook=["select 'w_post_hook' as way, count(*) as n from {{ ref('up') }}", "{{ hook_macro() }}"]) }}
-- depends_on: {{ ref('up') }}
select 1 as id
